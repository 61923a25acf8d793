package config

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

const (
	// maxViewOID is how many sub-identifiers a subtree of a view has: the 12 of a column of
	// vacmViewTreeFamilyTable, a name of 32 and two lengths fit into one OID with it.
	maxViewOID = mib.MaxSubIDs - 12 - 32 - 2
	// minPassword is the least that USM takes (RFC 3414 section 11.2).
	minPassword = 8
	// maxCommunity is more than managers send.
	maxCommunity = 255
)

func (d checker) snmp(raw *rawSNMP) SNMP {
	s := SNMP{
		AgentX:               d.agentX(raw.AgentX),
		SessionMIBDisconnect: raw.SessionMIBDisconnect,
		Responder:            d.responder(raw.Responder),
	}
	s.Notifications = d.notifications(raw.Notifications, s.Responder)
	return s
}

func (d checker) responder(raw *rawResponder) *Responder {
	if raw == nil {
		return nil
	}
	const path = "snmp.responder"
	r := &Responder{
		Listen:   d.listen(path+".listen", raw.Listen),
		EngineID: raw.EngineID.octets(), MaxMessageSize: raw.MaxMessageSize,
		AllowInsecureSet: raw.AllowInsecureSet, AuthenticationFailure: raw.AuthenticationFailure,
		System: ResponderSystem{
			Description: string(raw.System.Description), ObjectID: raw.System.ObjectID,
			Contact: string(raw.System.Contact), Name: systemName(string(raw.System.Name), os.Hostname), Location: string(raw.System.Location),
		},
		Limits: ResponderLimits{
			Requests: raw.Limits.Requests, ResponseOctets: int64(raw.Limits.ResponseOctets), Failures: raw.Limits.Failures,
		},
		Views: d.views(raw.Views),
	}
	if len(raw.System.ObjectID) < 2 {
		d.Fault(path+".system.object-id", "an OID of one number has no form in a message")
	}
	r.Groups = d.accessGroups(raw.Groups, r.Views)
	r.Communities = d.communities(raw.Communities, r.Groups)
	r.Users = d.users(raw, r.Groups)
	return r
}

// systemName is the one of the file, or the name of the host; "" is for one that is not known
// (RFC 3418, sysName).
func systemName(given string, hostname func() (string, error)) string {
	if given != "" {
		return given
	}
	name, err := hostname()
	if err != nil {
		return ""
	}
	return name
}

func (d checker) views(raw []rawView) []View {
	internet := mib.MustOID("1.3.6.1")
	views := []View{
		{Name: ViewAll, Include: []mib.OID{internet}},
		{Name: ViewCommon, Include: []mib.OID{internet}, Exclude: []mib.OID{mib.MustOID("1.3.6.1.6.3.15"), mib.MustOID("1.3.6.1.6.3.16")}},
		{Name: ViewSessions, Include: []mib.OID{mib.MustOID("1.3.6.1.4.1.9.9.150.1"), mib.MustOID("1.3.6.1.2.1.1")}},
	}
	names := d.Unique()
	for i, r := range raw {
		path := fmt.Sprintf("snmp.responder.views[%d]", i)
		switch r.Name {
		case ViewAll, ViewCommon, ViewSessions:
			d.Fault(path+".name", "the view %s is there without being listed", r.Name)
		}
		names.Check(path+".name", string(r.Name), "the name of")
		subtrees := d.Unique()
		d.checkSubtrees(path+".include", r.Include, subtrees)
		d.checkSubtrees(path+".exclude", r.Exclude, subtrees)
		views = append(views, View{Name: string(r.Name), Include: r.Include, Exclude: r.Exclude})
	}
	return views
}

func (d checker) checkSubtrees(path string, oids []mib.OID, seen strictyaml.Unique) {
	for i, oid := range oids {
		path := fmt.Sprintf("%s[%d]", path, i)
		seen.Check(path, strings.TrimPrefix(oid.String(), "."), "in")
		if len(oid) > maxViewOID {
			d.Fault(path, "has %d numbers, at most %d are possible in a view", len(oid), maxViewOID)
		}
	}
}

func (d checker) accessGroups(raw []rawAccessGroup, views []View) []AccessGroup {
	names := d.Unique()
	groups := make([]AccessGroup, 0, len(raw))
	for i, r := range raw {
		path := groupPath(i)
		names.Check(path+".name", string(r.Name), "the name of")
		for _, view := range []struct {
			key  string
			name viewText
		}{{".read", r.Read}, {".write", r.Write}, {".notify", r.Notify}} {
			if view.name != "" && !slices.ContainsFunc(views, func(v View) bool { return v.Name == string(view.name) }) {
				d.Fault(path+view.key, "no view is called %s", view.name)
			}
		}
		groups = append(groups, AccessGroup{
			Name: string(r.Name), Read: string(r.Read), Write: string(r.Write), Notify: string(r.Notify), Level: r.Level,
		})
	}
	return groups
}

func groupPath(i int) string { return fmt.Sprintf("snmp.responder.groups[%d]", i) }

// groupOf finds the group that a community or user is in; -1 if there is none.
func (d checker) groupOf(path string, name shortName, groups []AccessGroup) int {
	i := slices.IndexFunc(groups, func(g AccessGroup) bool { return g.Name == string(name) })
	if i < 0 && name != "" {
		d.Fault(path, "no group is called %s", name)
	}
	return i
}

func (d checker) communities(raw []rawCommunity, groups []AccessGroup) []Community {
	type source struct {
		community strictyaml.Secret
		prefix    netip.Prefix
	}
	type member struct {
		group shortName
		line  int
	}
	sources, members := map[source]int{}, map[shortName]member{}
	communities := make([]Community, 0, len(raw))
	for i, r := range raw {
		path := fmt.Sprintf("snmp.responder.communities[%d]", i)
		d.checkCommunity(path+".community", r.Community)
		d.groupOf(path+".group", r.Group, groups)
		for j, prefix := range r.From {
			path := fmt.Sprintf("%s.from[%d]", path, j)
			s := source{r.Community, prefix}
			if first, twice := sources[s]; twice {
				d.Fault(path, "the same community is already taken from %s in line %d", prefix, first)
			} else if r.Community != "" && prefix.IsValid() {
				sources[s] = d.Line(path)
			}
		}
		if r.Name == "" {
			r.Name = r.Group
		}
		switch first, there := members[r.Name]; {
		case r.Group == "": // told already
		case !there:
			members[r.Name] = member{r.Group, d.Line(path)}
		case first.group != r.Group: // vacmSecurityToGroupTable has one group for it
			d.Fault(path+".name", "the security name %s is already in group %s by line %d", r.Name, first.group, first.line)
		}
		communities = append(communities, Community{Community: r.Community, SecurityName: string(r.Name), From: r.From, Group: string(r.Group)})
	}
	return communities
}

func (d checker) checkCommunity(path string, c strictyaml.Secret) {
	if len(c) > maxCommunity {
		d.Fault(path, "has more than %d octets", maxCommunity)
	}
}

func (d checker) users(raw *rawResponder, groups []AccessGroup) []User {
	names := d.Unique()
	users := make([]User, 0, len(raw.Users))
	for i, r := range raw.Users {
		path := fmt.Sprintf("snmp.responder.users[%d]", i)
		names.Check(path+".name", r.Name, "the name of")
		u := User{Name: r.Name, Group: string(r.Group)}
		var digest int
		if r.Auth != nil {
			digest = authKeyLen[r.Auth.Protocol]
			u.Auth = d.usmSecret(path+".auth", USMSecret(*r.Auth), raw, digest)
		}
		switch {
		case r.Priv == nil:
		case r.Auth == nil:
			d.Fault(path+".priv", "user %s has priv without auth: messages that are not signed can't be encrypted", r.Name)
		default:
			u.Priv = d.usmSecret(path+".priv", USMSecret(*r.Priv), raw, digest, privKeyLen[r.Priv.Protocol])
		}
		if !raw.Legacy {
			d.checkLegacy(path+".auth.protocol", &u, u.Auth.Protocol)
			d.checkLegacy(path+".priv.protocol", &u, u.Priv.Protocol)
		}
		d.checkLevel(path+".group", &r, groups)
		users = append(users, u)
	}
	return users
}

func (d checker) checkLegacy(path string, u *User, protocol string) {
	if (protocol == "MD5" || protocol == "DES") && !d.Faulty("snmp.responder.legacy") {
		d.Fault(path, "user %s has %s, which is broken; snmp.responder.legacy: true takes it all the same", u.Name, protocol)
	}
}

// checkLevel finds a user whom nothing would be answered.
func (d checker) checkLevel(path string, r *rawUser, groups []AccessGroup) {
	levels := []string{"noAuthNoPriv", "authNoPriv", "authPriv"}
	has := 0
	switch {
	case r.Priv != nil:
		has = 2
	case r.Auth != nil:
		has = 1
	}
	i := d.groupOf(path, r.Group, groups)
	if i >= 0 && slices.Index(levels, groups[i].Level) > has && !d.Faulty(groupPath(i)+".level") {
		d.Fault(path, "group %s wants %s, user %s has %s", r.Group, groups[i].Level, r.Name, levels[has])
	}
}

// How many octets localized keys have: those of digests, and those that ciphers want (of DES 8 for the
// key and 8 for the initial vector).
var (
	authKeyLen = map[string]int{"MD5": 16, "SHA": 20, "SHA-224": 28, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64}
	privKeyLen = map[string]int{"DES": 16, "AES-128": 16, "AES-192": 24, "AES-256": 32, "AES-192-C": 24, "AES-256-C": 32}
)

// usmSecret checks the secret of a protocol, whose key has one of the lengths.
func (d checker) usmSecret(path string, s USMSecret, r *rawResponder, lengths ...int) USMSecret {
	if s.Protocol == "" || slices.Contains(lengths, 0) { // told already
		return s
	}
	hasPassword, hasKey := d.Given(path+".password"), d.Given(path+".key")
	switch {
	case hasPassword && hasKey:
		d.Fault(path+".key", "stands beside a password: one of them is needed")
	case hasKey && s.Key != "":
		s.Key = d.localizedKey(path+".key", s, r, lengths)
	case hasPassword && s.Password != "" && len(s.Password) < minPassword:
		d.Fault(path+".password", "has less than %d octets", minPassword)
	case !hasPassword && !hasKey:
		d.Fault(path, "needs a password or a key")
	}
	return s
}

// localizedKey is the octets of a key in hexadecimal digits.
func (d checker) localizedKey(path string, s USMSecret, r *rawResponder, lengths []int) strictyaml.Secret {
	octets, err := hex.DecodeString(strings.TrimPrefix(string(s.Key), "0x"))
	switch {
	case err != nil: // which tells a part of it
		d.Fault(path, "is not pairs of hexadecimal digits")
	case !slices.Contains(lengths, len(octets)):
		d.Fault(path, "has %d octets, a key for %s has %s", len(octets), s.Protocol, orList(lengths))
	case r.EngineID == "" && !d.Faulty("snmp.responder.engine-id"):
		d.Fault(path, "is localized for one engine: snmp.responder.engine-id is needed")
	}
	return strictyaml.Secret(octets)
}

// orList is "16", or "20 or 16".
func orList(numbers []int) string {
	slices.Sort(numbers)
	text := ""
	for i, n := range slices.Compact(numbers) {
		if i > 0 {
			text += " or "
		}
		text += fmt.Sprint(n)
	}
	return text
}
