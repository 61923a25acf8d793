package snmpmanager

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTargets(t *testing.T) {
	for in, want := range map[string]Target{
		"router-1":              {Host: "router-1", Port: 161},
		"192.0.2.1":             {Host: "192.0.2.1", Port: 161},
		"192.0.2.1:1161":        {Host: "192.0.2.1", Port: 1161},
		"2001:db8::1":           {Host: "2001:db8::1", Port: 161},
		"[2001:db8::1]":         {Host: "2001:db8::1", Port: 161},
		"[fe80::1%eth0]:65535":  {Host: "fe80::1%eth0", Port: 65535},
		"Router.example.net.:1": {Host: "Router.example.net.", Port: 1},
		"":                      {},
		":161":                  {},
		"a:0":                   {},
		"a:65536":               {},
		"a:snmp":                {},
		"a:1:2":                 {},
		"[192.0.2.1]":           {},
		"[a":                    {},
		"udp:192.0.2.1:161":     {},
		"a b":                   {},
		"a/24":                  {},
		"\x1b[31m":              {},
		"a\u202e":               {},
	} {
		got, err := ParseTarget(in)
		if want.Host != "" {
			want.Name = in
		}
		if got != want || (want.Host == "") != errors.Is(err, ErrTarget) {
			t.Errorf("%q: %+v, %v, want %+v", in, got, err, want)
		}
	}
	if _, err := ParseTargets([]string{"A", "b", "a:161"}); !errors.Is(err, ErrTarget) || !strings.Contains(err.Error(), "a:161 is the same as A") {
		t.Error(err)
	}
	if got, err := ParseTargets([]string{"a", "a:162"}); err != nil || len(got) != 2 {
		t.Error(got, err)
	}
}

func TestCredentials(t *testing.T) {
	const secret = "secret of noc"
	for name, tt := range map[string]struct {
		c    Credentials
		want string // "" for none
	}{
		"a community":             {Credentials{Community: "public"}, ""},
		"a long community":        {Credentials{Community: strings.Repeat("x", 128)}, "the community has 128 octets, more than 127"},
		"nothing":                 {Credentials{}, "neither a community (SNMPv2c) nor a user (SNMPv3) is given"},
		"both":                    {Credentials{Community: "public", User: "noc"}, "not both"},
		"a protocol, no user":     {Credentials{Community: "public", Auth: "SHA"}, "needs a user"},
		"noAuthNoPriv":            {Credentials{User: "noc"}, ""},
		"authNoPriv":              {Credentials{User: "noc", Auth: "SHA", AuthPassword: secret}, ""},
		"authPriv":                {Credentials{User: "noc", Auth: "SHA-512", AuthPassword: secret, Priv: "AES-256-C", PrivPassword: secret}, ""},
		"a long user":             {Credentials{User: strings.Repeat("x", 33)}, "the user has 33 octets"},
		"privacy alone":           {Credentials{User: "noc", Priv: "AES-128", PrivPassword: secret}, "privacy needs authentication"},
		"an unknown protocol":     {Credentials{User: "noc", Auth: "MD5", AuthPassword: secret}, `authentication protocol "MD5": want one of SHA, SHA-224,`},
		"an unknown cipher":       {Credentials{User: "noc", Auth: "SHA", AuthPassword: secret, Priv: "DES", PrivPassword: secret}, `privacy protocol "DES": want one of AES-128,`},
		"no password":             {Credentials{User: "noc", Auth: "SHA"}, "the authentication password has 0 octets, fewer than 8"},
		"a short password":        {Credentials{User: "noc", Auth: "SHA", AuthPassword: "1234567"}, "the authentication password has 7 octets"},
		"a short second password": {Credentials{User: "noc", Auth: "SHA", AuthPassword: secret, Priv: "AES-128", PrivPassword: "1234567"}, "the privacy password has 7 octets"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.c.Check()
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, ErrCredentials) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
}

// TestIsUser: a name matches what any agent sends for it, and nothing else matches.
func TestIsUser(t *testing.T) {
	for user, want := range map[string]bool{"Größe\\": true, `Gr\xc3\xb6\xc3\x9fe\\`: true, `Gr\xc3\xb6\xc3\x9fe\`: false, "größe\\": false, "": false} {
		if got := IsUser("Größe\\")(user); got != want {
			t.Errorf("%q: %v", user, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if a != b && escape(a) == escape(b) && escape(a) != a && escape(b) != b {
			t.Errorf("%q and %q are the same when escaped", a, b)
		}
	})
}
