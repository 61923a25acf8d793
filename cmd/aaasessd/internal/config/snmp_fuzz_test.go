package config_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

// checkSNMP holds what the docs of Responder and Notification promise.
func checkSNMP(t *testing.T, c *config.SNMP) {
	if r := c.Responder; r != nil {
		checkResponder(t, r)
	}
	names := map[string]bool{}
	for _, n := range c.Notifications {
		if names[n.Name] || n.Name == "" || c.Responder == nil || n.Timeout <= 0 || n.Retries < 0 {
			t.Errorf("target %+v", n)
			continue
		}
		names[n.Name] = true
		if host, port, err := net.SplitHostPort(n.Address); err != nil || host == "" || port == "" {
			t.Errorf("target %s is at %q", n.Name, n.Address)
		}
		checkTarget(t, c.Responder, &n)
		i := slices.IndexFunc(c.Responder.Users, func(u config.User) bool { return u.Name == n.User })
		switch {
		case n.Version == "v2c" && n.User == "" && n.Community != "" && n.EngineID == nil:
		case n.Version == "v3" && n.Community == "" && i >= 0 && (n.Inform || n.EngineID == nil):
			if u := c.Responder.Users[i]; n.Inform && u.Auth.Key+u.Priv.Key != "" {
				t.Errorf("informs to %s with the key of %s", n.Name, n.User)
			}
		default:
			t.Errorf("target %+v", n)
		}
	}
}

// checkTarget holds that a target can be reached from its source address, and that its user's notify view
// has what is sent.
func checkTarget(t *testing.T, r *config.Responder, n *config.Notification) {
	host, _, _ := net.SplitHostPort(n.Address)
	if addr, err := netip.ParseAddr(host); err == nil && n.SourceAddress.IsValid() && addr.Is4() != n.SourceAddress.Is4() {
		t.Errorf("target %s at %s, from %v", n.Name, n.Address, n.SourceAddress)
	}
	for _, u := range r.Users {
		g := slices.IndexFunc(r.Groups, func(g config.AccessGroup) bool { return g.Name == u.Group })
		if u.Name != n.User || g < 0 {
			continue
		}
		v := slices.IndexFunc(r.Views, func(v config.View) bool { return v.Name == r.Groups[g].Notify })
		for _, trap := range []string{"1.3.6.1.6.3.1.1.5", "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.5"} {
			if v < 0 || !contains(&r.Views[v], mib.MustOID(trap)) {
				t.Errorf("target %s of user %s: %s may not be sent", n.Name, u.Name, trap)
			}
		}
	}
}

// contains looks for the longest subtree that an OID is in, from the OID up.
func contains(v *config.View, oid mib.OID) bool {
	for n := len(oid); n > 0; n-- {
		is := func(subtree mib.OID) bool { return subtree.Compare(oid[:n]) == 0 }
		if include := slices.ContainsFunc(v.Include, is); include || slices.ContainsFunc(v.Exclude, is) {
			return include
		}
	}
	return false
}

func checkResponder(t *testing.T, r *config.Responder) {
	if len(r.Listen) == 0 || r.MaxMessageSize < 484 || r.MaxMessageSize > 65507 || len(r.System.ObjectID) < 2 ||
		r.EngineID != nil && (len(r.EngineID) < 5 || len(r.EngineID) > 32) || min(r.Limits.Requests, r.Limits.Failures) < 0 || r.Limits.ResponseOctets < 0 {
		t.Errorf("responder %+v", r)
	}
	views, levels := map[string]bool{"": true}, map[string]int{}
	for i, v := range r.Views {
		if views[v.Name] || len(v.Include) == 0 || i < 3 && v.Name != []string{config.ViewAll, config.ViewCommon, config.ViewSessions}[i] {
			t.Errorf("view %+v", v)
		}
		views[v.Name] = true
		for _, oid := range slices.Concat(v.Include, v.Exclude) {
			if len(oid) == 0 || len(oid) > mib.MaxSubIDs-46 || oid[0] > 2 {
				t.Errorf("view %s of %v", v.Name, oid)
			}
		}
	}
	for _, text := range []string{r.System.Description, r.System.Contact, r.System.Location} { // and the name, if the file has it
		if len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			t.Errorf("%q is no DisplayString", text)
		}
	}
	for _, g := range r.Groups {
		if _, twice := levels[g.Name]; twice || !views[g.Read] || !views[g.Write] || !views[g.Notify] {
			t.Errorf("group %+v", g)
		}
		levels[g.Name] = slices.Index([]string{"noAuthNoPriv", "authNoPriv", "authPriv"}, g.Level)
	}
	checkCommunities(t, r, levels)
	names := map[string]bool{}
	for _, u := range r.Users {
		level, ok := levels[u.Group]
		if names[u.Name] || u.Name == "" || !ok || level > 0 && u.Auth.Protocol == "" || level > 1 && u.Priv.Protocol == "" ||
			u.Auth.Protocol == "" && u.Priv.Protocol != "" {
			t.Errorf("user %+v", u)
		}
		names[u.Name] = true
		for _, s := range []config.USMSecret{u.Auth, u.Priv} {
			set := s.Protocol != ""
			if (s.Password != "" || s.Key != "") != set || s.Password != "" && (s.Key != "" || len(s.Password) < 8) || s.Key != "" && r.EngineID == nil {
				t.Errorf("user %s with %s", u.Name, s.Protocol)
			}
		}
	}
}

func checkCommunities(t *testing.T, r *config.Responder, levels map[string]int) {
	type source struct {
		community strictyaml.Secret
		from      netip.Prefix
	}
	seen, groups := map[source]bool{}, map[string]string{}
	for _, c := range r.Communities {
		_, ok := levels[c.Group]
		if other, there := groups[c.SecurityName]; !ok || c.Community == "" || len(c.Community) > 255 || c.SecurityName == "" ||
			len(c.From) == 0 || there && other != c.Group {
			t.Errorf("community %+v", c)
		}
		groups[c.SecurityName] = c.Group
		for _, prefix := range c.From {
			s := source{c.Community, prefix}
			if seen[s] || !prefix.IsValid() || prefix != prefix.Masked() {
				t.Errorf("community of %s from %v", c.Group, prefix)
			}
			seen[s] = true
		}
	}
}
