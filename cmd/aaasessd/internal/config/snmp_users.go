package config

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/internal/strictyaml"
)

const (
	// minPassword is the shortest password of USM in octets (RFC 3414 section 11.2).
	minPassword = 8
	// maxCommunity is the longest community in octets, more than managers send.
	maxCommunity = 255
)

// models returns the security models of a community's versions.
func (r *rawCommunity) models() []wire.SecurityModel {
	models := make([]wire.SecurityModel, len(r.Versions))
	for i, v := range r.Versions {
		models[i] = wire.SecurityModel(v)
	}
	return models
}

// securityName returns the security name of a community.
func (r *rawCommunity) securityName() shortName {
	if r.Name == "" {
		return r.Group
	}
	return r.Name
}

func (d checker) checkCommunities(raw []rawCommunity, groups []rawAccessGroup) {
	type source struct {
		community strictyaml.Secret
		prefix    netip.Prefix
	}
	type member struct {
		group shortName
		line  int
	}
	sources, members := map[source]int{}, map[shortName]member{} // with their lines
	for i, r := range raw {
		path := fmt.Sprintf("snmp.responder.communities[%d]", i)
		d.checkCommunity(path+".community", r.Community)
		d.groupOf(path+".group", r.Group, groups)
		for j, prefix := range r.From {
			path := fmt.Sprintf("%s.from[%d]", path, j)
			s := source{r.Community, prefix}
			if first, twice := sources[s]; twice {
				d.Fault(path, "the same community is already accepted from %s in line %d", prefix, first)
			} else if r.Community != "" && prefix.IsValid() {
				sources[s] = d.Line(path)
			}
		}
		versions := d.Unique()
		for j, v := range r.Versions {
			versions.Check(fmt.Sprintf("%s.versions[%d]", path, j), wire.SecurityModel(v).String(), "in")
		}
		name := r.securityName()
		switch first, there := members[name]; {
		case r.Group == "": // reported already
		case !there:
			members[name] = member{r.Group, d.Line(path)}
		case first.group != r.Group: // vacmSecurityToGroupTable allows one group only
			d.Fault(path+".name", "the security name %s is already in group %s by line %d", name, first.group, first.line)
		}
	}
}

func (d checker) checkCommunity(path string, c strictyaml.Secret) {
	if len(c) > maxCommunity {
		d.Fault(path, "has more than %d octets", maxCommunity)
	}
}

func (d checker) users(raw *rawResponder) []usm.User {
	names := d.Unique()
	users := make([]usm.User, 0, len(raw.Users))
	for i, r := range raw.Users {
		path := fmt.Sprintf("snmp.responder.users[%d]", i)
		names.Check(path+".name", r.Name, "the name of")
		u := usm.User{Name: r.Name}
		if r.Auth != nil {
			u.Auth = r.Auth.Protocol
			u.AuthSecret = d.usmSecret(path+".auth", secretOf{u.Auth, r.Auth.Password, r.Auth.Key}, raw, u.Auth.KeyLen())
		}
		switch {
		case r.Priv == nil:
		case r.Auth == nil:
			d.Fault(path+".priv", "user %s has priv without auth: only authenticated messages can be encrypted", r.Name)
		default:
			u.Priv = r.Priv.Protocol
			u.PrivSecret = d.usmSecret(path+".priv", secretOf{u.Priv, r.Priv.Password, r.Priv.Key}, raw, u.Auth.KeyLen(), u.Priv.KeyLen())
		}
		if !raw.Legacy {
			d.checkLegacy(path+".auth.protocol", &u, u.Auth, u.Auth == usm.HMACMD5)
			d.checkLegacy(path+".priv.protocol", &u, u.Priv, u.Priv == usm.DES)
		}
		d.checkLevel(path+".group", &r, raw.Groups)
		users = append(users, u)
	}
	return users
}

func (d checker) checkLegacy(path string, u *usm.User, protocol fmt.Stringer, broken bool) {
	if broken && !d.Faulty("snmp.responder.legacy") {
		d.Fault(path, "user %s has %s, which is broken; snmp.responder.legacy: true allows it", u.Name, protocol)
	}
}

// checkLevel checks that a user has at least its group's level: the requests of a user below it
// would all be rejected.
func (d checker) checkLevel(path string, r *rawUser, groups []rawAccessGroup) {
	has := wire.NoAuthNoPriv
	switch {
	case r.Priv != nil:
		has = wire.AuthPriv
	case r.Auth != nil:
		has = wire.AuthNoPriv
	}
	i := d.groupOf(path, r.Group, groups)
	if i >= 0 && groups[i].Level > has && !d.Faulty(groupPath(i)+".level") {
		d.Fault(path, "group %s requires %s, user %s has %s", r.Group, groups[i].Level, r.Name, has)
	}
}

// secretOf is a USM protocol and its secret.
type secretOf struct {
	protocol      fmt.Stringer
	password, key strictyaml.Secret
}

// usmSecret checks and returns the secret of a protocol. lengths are the allowed lengths of a
// localized key: the digest of the auth protocol, or the key of the priv protocol.
func (d checker) usmSecret(path string, s secretOf, r *rawResponder, lengths ...int) usm.Secret {
	out := usm.Secret{Password: string(s.password)}
	if slices.Contains(lengths, 0) { // the protocol is invalid, and reported already
		return out
	}
	hasPassword, hasKey := d.Given(path+".password"), d.Given(path+".key")
	switch {
	case hasPassword && hasKey:
		d.Fault(path+".key", "is not allowed beside a password: one of them is needed")
	case hasKey && s.key != "":
		out.LocalizedKey = d.localizedKey(path+".key", s, r, lengths)
	case hasPassword && s.password != "" && len(s.password) < minPassword:
		d.Fault(path+".password", "has fewer than %d octets", minPassword)
	case !hasPassword && !hasKey:
		d.Fault(path, "needs a password or a key")
	}
	return out
}

// localizedKey decodes a localized key from hexadecimal digits, and checks its length.
func (d checker) localizedKey(path string, s secretOf, r *rawResponder, lengths []int) []byte {
	octets, err := hex.DecodeString(strings.TrimPrefix(string(s.key), "0x"))
	switch {
	case err != nil: // not err itself, which has a part of the key
		d.Fault(path, "is not pairs of hexadecimal digits")
	case !slices.Contains(lengths, len(octets)):
		d.Fault(path, "has %d octets, a key for %s has %s", len(octets), s.protocol, orList(lengths))
	case r.EngineID == nil && !d.Faulty("snmp.responder.engine-id"):
		d.Fault(path, "is localized for one engine, so snmp.responder.engine-id is needed")
	}
	return octets
}

// orList formats a list of numbers: "16", "16 or 20".
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
