package config_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/mib"
)

// checkSNMP checks what the comments of Responder promise, and that the packages accept the values.
func checkSNMP(t *testing.T, c *config.SNMP) {
	r := c.Responder
	if r == nil {
		return
	}
	checkResponder(t, r)
	names := map[string]bool{}
	for _, n := range r.Targets {
		if names[n.Name] || n.Name == "" || n.Timeout <= 0 || n.Retries < 0 {
			t.Errorf("target %+v", n)
			continue
		}
		names[n.Name] = true
		checkTarget(t, r, &n)
	}
}

// checkTarget checks that a target has the family of its source address, the keys of its version,
// and a user whose notify view has all notifications.
func checkTarget(t *testing.T, r *config.Responder, n *notify.Target) {
	host, port, err := net.SplitHostPort(n.Address)
	if err != nil || host == "" || port == "" {
		t.Errorf("target %s is at %q", n.Name, n.Address)
	}
	if addr, err := netip.ParseAddr(host); err == nil && n.SourceAddress.IsValid() && addr.Is4() != n.SourceAddress.Is4() {
		t.Errorf("target %s at %s, from %v", n.Name, n.Address, n.SourceAddress)
	}
	known := slices.ContainsFunc(r.Users, func(u usm.User) bool { return u.Name == n.User.Name })
	switch {
	case n.Version == wire.Version2c && n.User.Name == "" && n.Community != "" && n.EngineID == nil:
		return
	case n.Version == wire.Version3 && n.Community == "" && known && (n.Inform || n.EngineID == nil):
		if u := n.User; n.Inform && len(u.AuthSecret.LocalizedKey)+len(u.PrivSecret.LocalizedKey) > 0 {
			t.Errorf("informs to %s with the key of %s", n.Name, u.Name)
		}
	default:
		t.Errorf("target %+v", n)
	}
	for _, trap := range []string{"1.3.6.1.6.3.1.1.5", "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.5"} {
		e, status := r.Policy.Access(wire.ModelUSM, n.User.Name, n.User.Level())
		if e == nil || !e.Notify.Contains(mib.MustOID(trap)) {
			t.Errorf("target %s of user %s: %s may not be sent (%v)", n.Name, n.User.Name, trap, status)
		}
	}
}

func checkResponder(t *testing.T, r *config.Responder) {
	c := &r.Config
	if len(c.Listen) == 0 || c.MaxMessageSize < 484 || c.MaxMessageSize > 65507 || len(c.System.ObjectID) < 2 ||
		r.EngineID != nil && (len(r.EngineID) < 5 || len(r.EngineID) > 32) || min(c.Limits.Requests, c.Limits.Failures, c.Limits.ResponseOctets, c.Limits.TotalResponseOctets) < 0 {
		t.Errorf("responder %+v", r)
	}
	for _, text := range []string{c.System.Descr, c.System.Contact, c.System.Location} { // and the name, if the file has it
		if len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			t.Errorf("%q is no DisplayString", text)
		}
	}
	for _, name := range []string{config.ViewAll, config.ViewCommon, config.ViewSessions} {
		if !slices.ContainsFunc(r.Policy.Views(), func(v *vacm.View) bool { return v.Name() == name }) {
			t.Errorf("there is no view %s", name)
		}
	}
	for _, v := range r.Policy.Views() {
		for _, f := range v.Families() {
			if len(f.Subtree) > mib.MaxSubIDs-46 || f.Subtree[0] > 2 {
				t.Errorf("view %s of %v", v.Name(), f.Subtree)
			}
		}
	}
	for _, c := range r.Policy.Communities() {
		if e, _ := r.Policy.Access(wire.ModelV2c, c.SecurityName, wire.NoAuthNoPriv); e == nil || len(c.From) == 0 {
			t.Errorf("%v is in no group", c)
		}
		for _, prefix := range c.From {
			if !prefix.IsValid() || prefix != prefix.Masked() {
				t.Errorf("%v", c)
			}
		}
	}
	names := map[string]bool{}
	for _, u := range r.Users {
		if names[u.Name] || u.Name == "" || u.Auth == usm.NoAuth && u.Priv != usm.NoPriv {
			t.Errorf("user %+v", u)
		}
		names[u.Name] = true
		if e, status := r.Policy.Access(wire.ModelUSM, u.Name, u.Level()); e == nil {
			t.Errorf("user %+v: %v", u, status)
		}
		checkUSMSecret(t, r, &u, u.Auth != usm.NoAuth, &u.AuthSecret)
		checkUSMSecret(t, r, &u, u.Priv != usm.NoPriv, &u.PrivSecret)
	}
}

func checkUSMSecret(t *testing.T, r *config.Responder, u *usm.User, set bool, s *usm.Secret) {
	if (s.Password != "" || s.LocalizedKey != nil) != set || s.Password != "" && (s.LocalizedKey != nil || len(s.Password) < 8) ||
		s.LocalizedKey != nil && r.EngineID == nil {
		t.Errorf("user %s with %s and %s", u.Name, u.Auth, u.Priv)
	}
}
