package admission

import (
	"strings"

	"aaasess/sessions"
)

// nases keeps the NAS of each login: equal ones once.
type nases struct {
	values  slab[sharedNAS]
	byValue map[sessions.NAS]ref
}

type sharedNAS struct {
	sessions.NAS
	logins int // that have it
}

func newNASes() nases { return nases{byValue: map[sessions.NAS]ref{}} }

// add returns a reference to a NAS, for one more login. isNew says that it is the first one.
func (x *nases) add(nas *sessions.NAS) (r ref, isNew bool) {
	if r = x.byValue[*nas]; r == 0 {
		own := *nas
		own.Identifier = strings.Clone(nas.Identifier) // not a part of the packet
		r, isNew = x.values.add(sharedNAS{NAS: own}), true
		x.byValue[own] = r
	}
	x.values.at(r).logins++
	return r, isNew
}

// at returns a NAS.
func (x *nases) at(r ref) *sessions.NAS { return &x.values.at(r).NAS }

// remove undoes add. wasLast says that no other login has this NAS.
func (x *nases) remove(r ref) (wasLast bool) {
	v := x.values.at(r)
	if v.logins--; v.logins > 0 {
		return false
	}
	delete(x.byValue, v.NAS)
	x.values.remove(r)
	return true
}
