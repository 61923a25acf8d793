package config_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
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

func checkResponder(t *testing.T, r *config.Responder) {
	if len(r.Listen) == 0 || r.MaxMessageSize < 484 || r.MaxMessageSize > 65507 || len(r.System.ObjectID) < 2 ||
		r.EngineID != nil && (len(r.EngineID) < 5 || len(r.EngineID) > 32) || min(r.Limits.Requests, r.Limits.Failures) < 0 || r.Limits.ResponseOctets < 0 {
		t.Errorf("responder %+v", r)
	}
	views, levels := map[string]bool{"": true}, map[string]int{}
	for i, v := range r.Views {
		if views[v.Name] || len(v.Include) == 0 || i == 0 && v.Name != config.ViewAll || i == 1 && v.Name != config.ViewSessions {
			t.Errorf("view %+v", v)
		}
		views[v.Name] = true
		for _, oid := range slices.Concat(v.Include, v.Exclude) {
			if len(oid) == 0 || len(oid) > mib.MaxSubIDs-46 || oid[0] > 2 {
				t.Errorf("view %s of %v", v.Name, oid)
			}
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
		community config.Secret
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
