package vacm

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aaasess/agent/snmp/wire"
)

// AnyModel is SnmpSecurityModel any(0): an [AccessEntry] with it is for all of them.
const AnyModel wire.SecurityModel = 0

// AccessEntry is a row of vacmAccessTable in the default context: what a group may do. A nil view has
// nothing.
type AccessEntry struct {
	Group               string
	Model               wire.SecurityModel // or AnyModel
	Level               wire.SecurityLevel // the least one that the entry is for
	Read, Write, Notify *View
}

// Member is a row of vacmSecurityToGroupTable: who is in a group. Under one security model a name is in
// at most one group.
type Member struct {
	Model        wire.SecurityModel // not AnyModel
	SecurityName string
	Group        string
}

// Status is what isAccessAllowed finds before it looks into a view (RFC 3415 section 3.2).
type Status uint8

// The statuses. The caller finds the other ones of section 3.2: noSuchContext before, noSuchView and
// notInView behind.
const (
	Allowed       Status = iota + 1 // so far
	NoGroupName                     // the security name is in no group
	NoAccessEntry                   // the group has no entry for this model and level
)

// String gives the name as RFC 3415 writes it.
func (s Status) String() string {
	switch s {
	case Allowed:
		return "accessAllowed"
	case NoGroupName:
		return "noGroupName"
	case NoAccessEntry:
		return "noAccessEntry"
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// Policy is all that decides on access. It does not change.
type Policy struct {
	views       []*View
	entries     []AccessEntry
	members     []Member
	access      map[principal]byLevel
	communities communities
}

type principal struct {
	model wire.SecurityModel
	name  string
}

// byLevel is the entry for each level of a request; nil: none.
type byLevel [wire.AuthPriv + 1]*AccessEntry

// New makes a policy. It refuses what no row of the tables could be: a name that is not 1 to 32 octets of
// UTF-8, a level or model that does not exist, two rows with one index, an entry with a view that is not in
// views. A group without members, or without entries, is none of these. All faults are reported at once.
// No error tells a community.
func New(views []*View, access []AccessEntry, members []Member, list []Community) (*Policy, error) {
	p := &Policy{views: slices.Clone(views), entries: slices.Clone(access), members: slices.Clone(members)}
	slices.SortFunc(p.views, func(a, b *View) int { return compareNames(a.name, b.name) })
	slices.SortFunc(p.entries, compareEntries)
	slices.SortFunc(p.members, compareMembers)

	var err error
	p.communities, err = newCommunities(list)
	if err = errors.Join(p.checkViews(), p.checkEntries(), p.checkMembers(), err); err != nil {
		return nil, err
	}
	p.access = make(map[principal]byLevel, len(p.members))
	for _, m := range p.members {
		p.access[principal{m.Model, m.SecurityName}] = p.resolve(m.Group, m.Model)
	}
	return p, nil
}

// compareNames is the order of an index: the length is in front (RFC 2578 section 7.7).
func compareNames(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func compareEntries(a, b AccessEntry) int {
	return cmp.Or(compareNames(a.Group, b.Group), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Level, b.Level))
}

func compareMembers(a, b Member) int {
	return cmp.Or(cmp.Compare(a.Model, b.Model), compareNames(a.SecurityName, b.SecurityName))
}

func (p *Policy) checkViews() error {
	var errs []error
	for i, v := range p.views {
		if i > 0 && p.views[i-1].name == v.name {
			errs = append(errs, fmt.Errorf("vacm: view %q twice", v.name))
		}
	}
	return errors.Join(errs...)
}

func (p *Policy) checkEntries() error {
	var errs []error
	for i, e := range p.entries {
		refuse := func(err error) {
			errs = append(errs, fmt.Errorf("vacm: access of group %q with %s, %s: %w", e.Group, modelName(e.Model), e.Level, err))
		}
		if err := checkName(e.Group); err != nil {
			refuse(err)
		}
		if e.Model < AnyModel {
			refuse(errors.New("there is no such model"))
		}
		if !isLevel(e.Level) {
			refuse(errors.New("there is no such level"))
		}
		if i > 0 && compareEntries(p.entries[i-1], e) == 0 {
			refuse(errors.New("twice"))
		}
		for _, v := range []*View{e.Read, e.Write, e.Notify} {
			if v != nil && !slices.Contains(p.views, v) {
				refuse(fmt.Errorf("view %q is not one of the policy", v.name))
			}
		}
	}
	return errors.Join(errs...)
}

func (p *Policy) checkMembers() error {
	var errs []error
	for i, m := range p.members {
		refuse := func(err error) {
			errs = append(errs, fmt.Errorf("vacm: member %q of group %q with %s: %w", m.SecurityName, m.Group, modelName(m.Model), err))
		}
		if err := checkName(m.SecurityName); err != nil {
			refuse(err)
		}
		if err := checkName(m.Group); err != nil {
			refuse(fmt.Errorf("group: %w", err))
		}
		if m.Model <= AnyModel {
			refuse(errors.New("a member needs a model"))
		}
		if i > 0 && compareMembers(p.members[i-1], m) == 0 {
			refuse(fmt.Errorf("it is in group %q already", p.members[i-1].Group))
		}
	}
	return errors.Join(errs...)
}

func modelName(m wire.SecurityModel) string {
	if m == AnyModel {
		return "any"
	}
	return m.String()
}

func isLevel(l wire.SecurityLevel) bool { return wire.NoAuthNoPriv <= l && l <= wire.AuthPriv }

// resolve chooses the entry of a group for each level of a request (RFC 3415, vacmAccessTable): of those
// that are not above it, an entry for this very model before one for any, then the highest level.
func (p *Policy) resolve(group string, model wire.SecurityModel) (out byLevel) {
	for i := range p.entries { // any model comes first, and levels ascend: the last one is the best
		e := &p.entries[i]
		if e.Group != group || e.Model != model && e.Model != AnyModel {
			continue
		}
		for level := e.Level; level <= wire.AuthPriv; level++ {
			out[level] = e
		}
	}
	return out
}

// Access is steps 2 to 4 of isAccessAllowed (RFC 3415 section 3.2): the entry for a request of this user
// at this level. Without one, entry is nil and the status tells why. It does not allocate, neither does
// the conversion of octets in the call.
func (p *Policy) Access(model wire.SecurityModel, securityName string, level wire.SecurityLevel) (*AccessEntry, Status) {
	entries, ok := p.access[principal{model, securityName}]
	switch {
	case !ok:
		return nil, NoGroupName
	case !isLevel(level) || entries[level] == nil:
		return nil, NoAccessEntry
	}
	return entries[level], Allowed
}

// Views are in the order of vacmViewTreeFamilyTable, as their families are.
func (p *Policy) Views() []*View { return p.views }

// Entries are in the order of vacmAccessTable.
func (p *Policy) Entries() []AccessEntry { return p.entries }

// Members are in the order of vacmSecurityToGroupTable.
func (p *Policy) Members() []Member { return p.members }

// Communities are in the order they were given in, without their names.
func (p *Policy) Communities() []Community { return p.communities.list }
