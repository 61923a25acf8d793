package vacm

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// AnyModel is SnmpSecurityModel any(0): an [AccessEntry] with it applies to all models.
const AnyModel wire.SecurityModel = 0

// AccessEntry is a row of vacmAccessTable in the default context: the access rights of a group. A
// nil view is empty.
type AccessEntry struct {
	Group               string
	Model               wire.SecurityModel // or AnyModel
	Level               wire.SecurityLevel // the minimum level of a request
	Read, Write, Notify *View
}

// Member is a row of vacmSecurityToGroupTable: a member of a group. For one security model a name
// is in at most one group.
type Member struct {
	Model        wire.SecurityModel // not AnyModel
	SecurityName string
	Group        string
}

// Status is the result of isAccessAllowed before it evaluates a view (RFC 3415 section 3.2).
type Status uint8

// The statuses. The caller determines the others of section 3.2: noSuchContext before, noSuchView
// and notInView after.
const (
	Allowed       Status = iota + 1 // so far; the view may still deny access
	NoGroupName                     // the security name is in no group
	NoAccessEntry                   // the group has no entry for this model and level
)

// String returns the name as RFC 3415 writes it.
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

// Policy is the immutable configuration of access control.
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

// byLevel is the entry for each level of a request, or nil.
type byLevel [wire.AuthPriv + 1]*AccessEntry

// New creates a policy. It rejects rows that the tables cannot have: a name that is not 1 to 32
// octets of UTF-8, an undefined level or model, two rows with one index, an entry with a view that
// is not in views. A group without members, or without entries, is valid. The error joins all
// problems. It contains no community name.
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
	r := restricted{map[*AccessEntry]*AccessEntry{}, map[*View]*View{}}
	for _, m := range p.members {
		p.access[principal{m.Model, m.SecurityName}] = p.resolve(m.Group, m.Model, r)
	}
	return p, nil
}

// CommunityName is the column snmpCommunityName (RFC 3584 section 5.2), whose values are secrets.
// Only requests at authPriv can read it, whatever their view: at lower levels it would be sent in
// clear text, and would give its reader the rights of another group.
var CommunityName = mib.MustOID("1.3.6.1.6.3.18.1.1.1.2")

// restricted has the entries for requests below authPriv, and their read views. Members of a group
// share them, so that a responder sees few views.
type restricted struct {
	entries map[*AccessEntry]*AccessEntry
	views   map[*View]*View
}

// entry returns e with a read view without CommunityName; e itself if its view does not have that.
func (r restricted) entry(e *AccessEntry) *AccessEntry {
	if known, ok := r.entries[e]; ok {
		return known
	}
	view, ok := r.views[e.Read]
	if !ok {
		view = e.Read.without(CommunityName)
		r.views[e.Read] = view
	}
	r.entries[e] = e
	if view != e.Read {
		c := *e
		c.Read = view
		r.entries[e] = &c
	}
	return r.entries[e]
}

// compareNames orders names as in an index: the length precedes the octets (RFC 2578 section 7.7).
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
			errs = append(errs, fmt.Errorf("vacm: view %q is defined twice", v.name))
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
			refuse(errors.New("unknown security model"))
		}
		if !isLevel(e.Level) {
			refuse(errors.New("unknown security level"))
		}
		if i > 0 && compareEntries(p.entries[i-1], e) == 0 {
			refuse(errors.New("entry is defined twice"))
		}
		for _, v := range []*View{e.Read, e.Write, e.Notify} {
			if v != nil && !slices.Contains(p.views, v) {
				refuse(fmt.Errorf("view %q is not defined", v.name))
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
			refuse(errors.New("security model is missing"))
		}
		if i > 0 && compareMembers(p.members[i-1], m) == 0 {
			refuse(fmt.Errorf("already in group %q", p.members[i-1].Group))
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

// resolve chooses the entry of a group for each level of a request (RFC 3415, vacmAccessTable). Of
// the entries at or below that level, an entry for this model has priority over one for any model,
// then the highest level wins.
func (p *Policy) resolve(group string, model wire.SecurityModel, r restricted) (out byLevel) {
	// Entries are sorted: any model first, then by level. So the last match is the best.
	for i := range p.entries {
		e := &p.entries[i]
		if e.Group != group || e.Model != model && e.Model != AnyModel {
			continue
		}
		for level := e.Level; level < wire.AuthPriv; level++ {
			out[level] = r.entry(e)
		}
		out[wire.AuthPriv] = e
	}
	return out
}

// Access performs steps 2 to 4 of isAccessAllowed (RFC 3415 section 3.2): it returns the entry for
// a request of this user at this level. Below authPriv, its Read view lacks [CommunityName].
// Without an entry, it is nil and the status gives the reason. Neither Access nor the conversion of
// octets in the call allocates.
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

// Views returns the views in the order of vacmViewTreeFamilyTable.
func (p *Policy) Views() []*View { return p.views }

// Entries returns the entries in the order of vacmAccessTable.
func (p *Policy) Entries() []AccessEntry { return p.entries }

// Members returns the members in the order of vacmSecurityToGroupTable.
func (p *Policy) Members() []Member { return p.members }

// Communities returns the communities in configured order, without their names.
func (p *Policy) Communities() []Community { return p.communities.list }

// CommunityNames returns the names of [Policy.Communities], in their order. They are secrets: the
// caller must not print them, and must show them only to requests that may read [CommunityName].
func (p *Policy) CommunityNames() []string { return *p.communities.names }
