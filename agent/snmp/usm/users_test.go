package usm_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// TestUsersAll: the order is that of usmUserTable, where the length of a name precedes the name.
func TestUsersAll(t *testing.T) {
	users := newUsers(t,
		newUser("monitoring", usm.HMACSHA, usm.NoPriv),
		newUser("b", usm.HMACSHA256, usm.AES256),
		newUser("aa", usm.NoAuth, usm.NoPriv),
		newUser("a", usm.HMACMD5, usm.DES),
	)
	want := []usm.UserInfo{
		{Name: "a", Auth: usm.HMACMD5, Priv: usm.DES},
		{Name: "b", Auth: usm.HMACSHA256, Priv: usm.AES256},
		{Name: "aa"},
		{Name: "monitoring", Auth: usm.HMACSHA},
	}
	if diff := cmp.Diff(want, users.All()); diff != "" {
		t.Error(diff)
	}
	levels := []wire.SecurityLevel{wire.AuthPriv, wire.AuthPriv, wire.NoAuthNoPriv, wire.AuthNoPriv}
	for i, u := range users.All() {
		if u.Level() != levels[i] {
			t.Errorf("%s: %s, want %s", u.Name, u.Level(), levels[i])
		}
	}
	if string(users.EngineID()) != string(testEngineID) {
		t.Errorf("engine %x", users.EngineID())
	}
}

// TestSecrets: a password, its master key and its localized key give the same keys.
func TestSecrets(t *testing.T) {
	for _, a := range []usm.AuthProtocol{usm.HMACSHA, usm.HMACSHA512} {
		for _, p := range []usm.PrivProtocol{usm.DES, usm.AES128, usm.AES256, usm.AES256C} {
			password := newUser("wes", a, p)
			master, local, extended := password, password, password
			for _, s := range []struct {
				password                 string
				master, local, extended_ *usm.Secret
			}{
				{authPassword, &master.AuthSecret, &local.AuthSecret, &extended.AuthSecret},
				{privPassword, &master.PrivSecret, &local.PrivSecret, &extended.PrivSecret},
			} {
				ku, err := usm.PasswordToKey(a, []byte(s.password))
				if err != nil {
					t.Fatal(err)
				}
				kul := usm.Localize(a, ku, testEngineID)
				*s.master, *s.local, *s.extended_ = usm.Secret{MasterKey: ku}, usm.Secret{LocalizedKey: kul}, usm.Secret{LocalizedKey: kul}
			}
			extended.PrivSecret.LocalizedKey = usm.Extend(a, extended.PrivSecret.LocalizedKey, p, testEngineID)
			message := newManager(t, password)
			for kind, u := range map[string]usm.User{"master": master, "localized": local, "localized and extended": extended} {
				model, _ := newUSM(t, u)
				b := message.request()
				t.Run(fmt.Sprintf("%s %s %s", a, p, kind), func(t *testing.T) { checkRequest(t, model, u, b) })
			}
		}
	}
}

func TestUserErrors(t *testing.T) {
	change := func(fn func(u *usm.User)) []usm.User {
		u := newUser("wes", usm.HMACSHA, usm.AES128)
		fn(&u)
		return []usm.User{u}
	}
	tests := []struct {
		name  string
		users []usm.User
		want  string
	}{
		{"twice", append(change(func(*usm.User) {}), newUser("wes", usm.NoAuth, usm.NoPriv)), `user "wes" is configured twice`},
		{"no name", change(func(u *usm.User) { u.Name = "" }), "name has 0 octets"},
		{"long name", change(func(u *usm.User) { u.Name = strings.Repeat("x", 33) }), "name has 33 octets"},
		{"short password", change(func(u *usm.User) { u.AuthSecret.Password = "1234567" }), `user "wes": authentication: usm: password has 7 octets`},
		{"short privacy password", change(func(u *usm.User) { u.PrivSecret.Password = "1234567" }), `user "wes": privacy: usm: password has 7 octets`},
		{"no secret", change(func(u *usm.User) { u.AuthSecret = usm.Secret{} }), "authentication: exactly one"},
		{"no privacy secret", change(func(u *usm.User) { u.PrivSecret = usm.Secret{} }), "privacy: exactly one"},
		{"two secrets", change(func(u *usm.User) { u.AuthSecret.MasterKey = make([]byte, 20) }), "authentication: exactly one"},
		{"short master key", change(func(u *usm.User) { u.AuthSecret = usm.Secret{MasterKey: make([]byte, 16)} }), "master key has 16 octets, SHA needs 20"},
		{"short localized key", change(func(u *usm.User) { u.AuthSecret = usm.Secret{LocalizedKey: make([]byte, 16)} }), "key has 16 octets, SHA needs 20"},
		{"secret without protocol", change(func(u *usm.User) { u.Priv = usm.NoPriv }), "privacy: a secret is configured, but no protocol"},
		{"privacy without authentication", change(func(u *usm.User) { u.Auth, u.AuthSecret = usm.NoAuth, usm.Secret{} }), "without authentication"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := usm.NewUsers(testEngineID, tt.users, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "usm: ") {
				t.Errorf("%v, want %q", err, tt.want)
			} else if strings.Contains(err.Error(), "1234567") || strings.Contains(err.Error(), authPassword) {
				t.Errorf("%v has a secret in it", err)
			}
		})
	}
}

// TestUsersReused: keys are computed again if and only if something that they depend on changes.
func TestUsersReused(t *testing.T) {
	user := newUser("wes", usm.HMACSHA, usm.AES128)
	old := newUsers(t, user, newUser("other", usm.HMACSHA, usm.AES128))
	other := unhex("80007ed90501020304050608")
	change := func(fn func(u *usm.User)) usm.User { u := user; fn(&u); return u }
	localized := func(n byte) usm.User {
		return change(func(u *usm.User) { u.PrivSecret = usm.Secret{LocalizedKey: append(make([]byte, 19), n)} })
	}
	tests := []struct {
		name   string
		engine []byte
		before *usm.Users
		user   usm.User
		reused bool
	}{
		{"the same", testEngineID, old, user, true},
		{"another engine", other, old, user, false},
		{"another name", testEngineID, old, change(func(u *usm.User) { u.Name = "wess" }), false},
		{"another hash", testEngineID, old, change(func(u *usm.User) { u.Auth = usm.HMACSHA224 }), false},
		{"another cipher", testEngineID, old, change(func(u *usm.User) { u.Priv = usm.AES192 }), false},
		{"another password", testEngineID, old, change(func(u *usm.User) { u.AuthSecret.Password += "x" }), false},
		{"another privacy password", testEngineID, old, change(func(u *usm.User) { u.PrivSecret.Password += "x" }), false},
		{"a key for a password", testEngineID, old, localized(1), false},
		{"the same key", testEngineID, newUsers(t, localized(1)), localized(1), true},
		{"another key", testEngineID, newUsers(t, localized(1)), localized(2), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after, err := usm.NewUsers(tt.engine, []usm.User{tt.user}, tt.before)
			if err != nil {
				t.Fatal(err)
			}
			if got := usm.KeysOf(after, tt.user.Name) == usm.KeysOf(tt.before, tt.user.Name); got != tt.reused {
				t.Errorf("keys reused: %v", got)
			}
			again, err := usm.NewUsers(tt.engine, []usm.User{tt.user}, after)
			if err != nil {
				t.Fatal(err)
			}
			if usm.KeysOf(again, tt.user.Name) != usm.KeysOf(after, tt.user.Name) {
				t.Error("not taken over the next time")
			}
		})
	}
}

// TestSecretsHidden: no verb of fmt prints a secret, and Users contains no passwords.
func TestSecretsHidden(t *testing.T) {
	user := newUser("wes", usm.HMACSHA, usm.AES128)
	user.PrivSecret = usm.Secret{LocalizedKey: []byte("LOCALIZEDKEYOF20OCTE")}
	users := newUsers(t, user)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, what := range []any{user, &user, user.AuthSecret, []usm.User{user}} {
			text := fmt.Sprintf(verb, what)
			if strings.Contains(text, authPassword) || strings.Contains(text, "LOCALIZED") || !strings.Contains(text, "<secret>") {
				t.Errorf("%s of %T: %s", verb, what, text)
			}
		}
		if text, err := json.Marshal(user); err != nil || strings.Contains(string(text), authPassword) || strings.Contains(string(text), "Key") {
			t.Errorf("JSON: %s, %v", text, err)
		}
		if text := fmt.Sprintf(verb, users); strings.Contains(text, authPassword) {
			t.Errorf("%s of Users: %s", verb, text)
		}
	}
}
