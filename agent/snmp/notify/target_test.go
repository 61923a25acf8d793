package notify

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

func v2c(name, address string) Target {
	return Target{Name: name, Address: address, Version: wire.Version2c, Community: "public"}
}

func v3(name, address string, u usm.User) Target {
	return Target{Name: name, Address: address, Version: wire.Version3, User: u}
}

func asInform(t Target) Target {
	t.Inform = true
	return t
}

func from(source string, t Target) Target {
	t.SourceAddress = netip.MustParseAddr(source)
	return t
}

func TestTargetCheck(t *testing.T) {
	const here = "127.0.0.1:162"
	all := user(usm.HMACSHA256, usm.AES128)
	with := func(t Target, change func(*Target)) Target {
		change(&t)
		return t
	}
	tests := []struct {
		name   string
		target Target
		want   string // in the error; empty means no error
	}{
		{"v2c trap", v2c("a", here), ""},
		{"v2c inform, IPv6", asInform(v2c("a", "[::1]:162")), ""},
		{"a name", v2c("a", "nms.example.net:10162"), ""},
		{"v3 trap", v3("a", here, all), ""},
		{"v3 inform", asInform(v3("a", here, all)), ""},
		{"v3 inform, configured engine", with(asInform(v3("a", here, all)), func(t *Target) { t.EngineID = theirID }), ""},
		{"noAuthNoPriv", v3("a", here, user(usm.NoAuth, usm.NoPriv)), ""},
		{"authNoPriv", v3("a", here, user(usm.HMACMD5, usm.NoPriv)), ""},
		{"longest of all", with(v2c("a", here), func(t *Target) { t.Timeout, t.Retries = time.Hour, 255 }), ""},

		{"source", from("127.0.0.2", v2c("a", here)), ""},
		{"source, IPv6", from("::1", v2c("a", "[::1]:162")), ""},
		{"source with a zone", from("fe80::1%lo", v2c("a", "[fe80::2%lo]:162")), ""},
		{"source for a name", from("::1", v2c("a", "nms.example.net:162")), ""},
		{"source written as IPv6", from("::ffff:127.0.0.2", v2c("a", here)), ""},
		{"address written as IPv6", from("127.0.0.2", v2c("a", "[::ffff:127.0.0.1]:162")), ""},
		{"source of IPv6 for IPv4", from("::1", v2c("a", here)), "source address ::1 cannot reach 127.0.0.1: one is IPv4"},
		{"source of IPv4 for IPv6", from("127.0.0.1", v2c("a", "[::1]:162")), "source address 127.0.0.1 cannot reach ::1: one is IPv4"},
		{"source of IPv4 as IPv6 for IPv6", from("::ffff:127.0.0.1", v2c("a", "[::1]:162")), "one is IPv4, the other IPv6"},
		{"source of IPv6 for IPv4 as IPv6", from("::1", v2c("a", "[::ffff:127.0.0.1]:162")), "one is IPv4, the other IPv6"},
		{"unspecified source", from("::", v2c("a", "[::1]:162")), "source address :: is not"},
		{"unspecified source as IPv6", from("::ffff:0.0.0.0", v2c("a", here)), "source address 0.0.0.0 is not"},
		{"multicast source", from("224.0.0.1", v2c("a", here)), "source address 224.0.0.1 is not"},

		{"no name", v2c("", here), "no name"},
		{"no port", v2c("a", "127.0.0.1"), "missing port"},
		{"no host", v2c("a", ":162"), "no host"},
		{"port 0", v2c("a", "127.0.0.1:0"), "port"},
		{"port by name", v2c("a", "127.0.0.1:snmptrap"), "port"},
		{"port of a million", v2c("a", "127.0.0.1:1000000"), "port"},
		{"v1", Target{Name: "a", Address: here, Community: "public"}, "v1 is neither"},
		{"not use a community", Target{Name: "a", Address: here, Version: wire.Version2c}, "community"},
		{"v2c with user", with(v2c("a", here), func(t *Target) { t.User = all }), "not use a user"},
		{"v2c with engine", with(v2c("a", here), func(t *Target) { t.EngineID = theirID }), "not use an engine id"},
		{"v3 with community", with(v3("a", here, all), func(t *Target) { t.Community = "x" }), "not use a community"},
		{"not use a user", v3("a", here, usm.User{}), "user name"},
		{"user name of 33", v3("a", here, usm.User{Name: strings.Repeat("u", 33)}), "user name"},
		{"trap with engine", with(v3("a", here, all), func(t *Target) { t.EngineID = theirID }), "for informs"},
		{"engine id of 4", with(asInform(v3("a", here, all)), func(t *Target) { t.EngineID = theirID[:4] }), "engine id has 4"},
		{"engine id of 33", with(asInform(v3("a", here, all)), func(t *Target) { t.EngineID = make([]byte, 33) }), "engine id has 33"},
		{"our engine id", with(asInform(v3("a", here, all)), func(t *Target) { t.EngineID = ourID }), "our own"},
		{"negative timeout", with(v2c("a", here), func(t *Target) { t.Timeout = -1 }), "timeout"},
		{"timeout of a day", with(v2c("a", here), func(t *Target) { t.Timeout = 24 * time.Hour }), "timeout"},
		{"negative retries", with(v2c("a", here), func(t *Target) { t.Retries = -1 }), "retries"},
		{"256 retries", with(v2c("a", here), func(t *Target) { t.Retries = 256 }), "retries"},
		{"privacy alone", v3("a", here, usm.User{Name: "u", Priv: usm.AES128, PrivSecret: password("12345678")}), "without authentication"},
		{"no secret", v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA}), "authentication"},
		{"no privacy secret", asInform(v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA, Priv: usm.AES128, AuthSecret: password("12345678")})), "privacy"},
		{"a secret too many", v3("a", here, usm.User{Name: "u", AuthSecret: password("12345678")}), "no protocol"},
		{"a privacy secret too many", v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA, AuthSecret: password("12345678"), PrivSecret: password("12345678")}), "no protocol"},
		{"short password", asInform(v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA, AuthSecret: password("1234567")})), "7 octets"},
		{"two secrets", v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA, AuthSecret: usm.Secret{Password: "12345678", MasterKey: make([]byte, 20)}}), "exactly one"},
		{"short master key", asInform(v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA, AuthSecret: usm.Secret{MasterKey: make([]byte, 19)}})), "19 octets"},
		{"short localized key", v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA, AuthSecret: usm.Secret{LocalizedKey: make([]byte, 19)}}), "19 octets"},
		{"localized for whom", asInform(v3("a", here, usm.User{Name: "u", Auth: usm.HMACSHA, AuthSecret: usm.Secret{LocalizedKey: make([]byte, 20)}})), "needs the engine id"},
	}
	c := newCommon(t, newClock())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newSender(c, tt.target)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "12345678") {
				t.Errorf("a password is in the error: %v", err)
			}
		})
	}
}

// TestReceiverKeepsNoPassword checks what replaces the passwords.
func TestReceiverKeepsNoPassword(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES256)
	configured := asInform(v3("a", "127.0.0.1:162", u))
	configured.EngineID = theirID
	tests := []struct {
		name   string
		target Target
		engine []byte // nil means master keys
	}{
		{"trap", v3("a", "127.0.0.1:162", u), ourID},
		{"inform", asInform(v3("a", "127.0.0.1:162", u)), nil},
		{"inform, configured engine", configured, theirID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := newReceiver(tt.target, ourID)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range []usm.Secret{r.User.AuthSecret, r.User.PrivSecret} {
				ku, err := usm.PasswordToKey(usm.HMACSHA256, []byte([]string{"authenticate", "keep private"}[i]))
				if err != nil {
					t.Fatal(err)
				}
				want := usm.Secret{MasterKey: ku}
				if tt.engine != nil {
					want = usm.Secret{LocalizedKey: usm.Localize(usm.HMACSHA256, ku, tt.engine)}
				}
				if s.Password != "" || !bytes.Equal(s.MasterKey, want.MasterKey) || !bytes.Equal(s.LocalizedKey, want.LocalizedKey) {
					t.Errorf("secret %d: password %q, master key %x, localized key %x", i+1, s.Password, s.MasterKey, s.LocalizedKey)
				}
			}
			if printed := fmt.Sprintf("%+v %#v", r, r); strings.Contains(printed, "authenticate") {
				t.Errorf("a password is in %s", printed)
			}
		})
	}
}

// TestReceiverSecretForms: password, master key and localized key give the same user.
func TestReceiverSecretForms(t *testing.T) {
	byPassword, err := newReceiver(v3("a", "127.0.0.1:162", user(usm.HMACSHA512, usm.AES256)), ourID)
	if err != nil {
		t.Fatal(err)
	}
	for _, localized := range []bool{false, true} {
		u := user(usm.HMACSHA512, usm.AES256)
		for s, p := range map[*usm.Secret]string{&u.AuthSecret: "authenticate", &u.PrivSecret: "keep private"} {
			ku, err := usm.PasswordToKey(u.Auth, []byte(p))
			if err != nil {
				t.Fatal(err)
			}
			*s = usm.Secret{MasterKey: ku}
			if localized {
				*s = usm.Secret{LocalizedKey: usm.Localize(u.Auth, ku, ourID)}
			}
		}
		r, err := newReceiver(v3("a", "127.0.0.1:162", u), ourID)
		if err != nil {
			t.Fatal(err)
		}
		if !r.same(byPassword) {
			t.Errorf("localized %t: another receiver than by password", localized)
		}
	}
}

func TestReceiverSame(t *testing.T) {
	base := func() Target { return asInform(v3("a", "127.0.0.1:162", user(usm.HMACSHA256, usm.AES128))) }
	make1 := func(target Target) *receiver {
		t.Helper()
		r, err := newReceiver(target, ourID)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	tests := []struct {
		name   string
		change func(*Target)
		want   bool
	}{
		{"nothing", func(*Target) {}, true},
		{"the default written out", func(t *Target) { t.Timeout = DefaultTimeout }, true},
		{"an empty engine id", func(t *Target) { t.EngineID = []byte{} }, true},
		{"address", func(t *Target) { t.Address = "127.0.0.1:163" }, false},
		{"source", func(t *Target) { t.SourceAddress = netip.MustParseAddr("127.0.0.1") }, false},
		{"kind", func(t *Target) { t.Inform = false }, false},
		{"timeout", func(t *Target) { t.Timeout = time.Second }, false},
		{"retries", func(t *Target) { t.Retries++ }, false},
		{"engine id", func(t *Target) { t.EngineID = theirID }, false},
		{"user", func(t *Target) { t.User.Name = "other" }, false},
		{"password", func(t *Target) { t.User.AuthSecret = password("authenticated") }, false},
		{"privacy password", func(t *Target) { t.User.PrivSecret = password("keep private!") }, false},
		{"protocol", func(t *Target) { t.User.Priv = usm.AES256 }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := base()
			tt.change(&changed)
			if got := make1(base()).same(make1(changed)); got != tt.want {
				t.Errorf("same is %t", got)
			}
		})
	}
}

func TestReceiverSameSource(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "::ffff:127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.1", "::1", false},
		{"fe80::1%a", "fe80::1%a", true},
		{"fe80::1%a", "fe80::1%b", false},
	}
	for _, tt := range tests {
		t.Run(tt.a+" "+tt.b, func(t *testing.T) {
			var receivers [2]*receiver
			for i, source := range []string{tt.a, tt.b} {
				var err error
				if receivers[i], err = newReceiver(from(source, v2c("a", "nms.example.net:162")), ourID); err != nil {
					t.Fatal(err)
				}
			}
			if got := receivers[0].same(receivers[1]); got != tt.want {
				t.Errorf("same is %t", got)
			}
		})
	}
}

// TestCommunityDoesNotPrint: no verb of package fmt prints a community, not even within a Target.
func TestCommunityDoesNotPrint(t *testing.T) {
	target := v2c("a", "127.0.0.1:162")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{target, &target, target.Community} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "public") || strings.Contains(text, fmt.Sprintf("%x", "public")) {
				t.Errorf("%s prints the community: %s", verb, text)
			}
		}
	}
}
