package usm_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/usm"
)

var (
	gosnmpAuth = map[usm.AuthProtocol]gosnmp.SnmpV3AuthProtocol{
		usm.NoAuth: gosnmp.NoAuth, usm.HMACMD5: gosnmp.MD5, usm.HMACSHA: gosnmp.SHA, usm.HMACSHA224: gosnmp.SHA224,
		usm.HMACSHA256: gosnmp.SHA256, usm.HMACSHA384: gosnmp.SHA384, usm.HMACSHA512: gosnmp.SHA512,
	}
	gosnmpPriv = map[usm.PrivProtocol]gosnmp.SnmpV3PrivProtocol{
		usm.NoPriv: gosnmp.NoPriv, usm.DES: gosnmp.DES, usm.AES128: gosnmp.AES, usm.AES192: gosnmp.AES192,
		usm.AES256: gosnmp.AES256, usm.AES192C: gosnmp.AES192C, usm.AES256C: gosnmp.AES256C,
	}
)

// gosnmpClient returns a client for the user, connected to a loopback port.
func gosnmpClient(t *testing.T, u usm.User, port int) *gosnmp.GoSNMP {
	t.Helper()
	c := &gosnmp.GoSNMP{
		Target: "127.0.0.1", Port: uint16(port), Version: gosnmp.Version3, Timeout: 5 * time.Second, Retries: 0,
		SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.SnmpV3MsgFlags(flagsOf(u.Level())) | gosnmp.Reportable,
		SecurityParameters: &gosnmp.UsmSecurityParameters{
			UserName: u.Name, AuthenticationProtocol: gosnmpAuth[u.Auth], PrivacyProtocol: gosnmpPriv[u.Priv],
			AuthenticationPassphrase: u.AuthSecret.Password, PrivacyPassphrase: u.PrivSecret.Password,
		},
	}
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Conn.Close() })
	return c
}

// TestGoSNMP: gosnmp understands our answers and reports, and we understand its requests, in every
// combination. Its first request discovers the engine's id.
func TestGoSNMP(t *testing.T) {
	users := combinations()
	model, _ := newUSM(t, users...)
	addr, refused := serve(t, model)
	for _, u := range users {
		t.Run(u.Name, func(t *testing.T) {
			client := gosnmpClient(t, u, addr.Port)
			for range 3 {
				got, err := client.Get([]string{sysUpTime.String(), sysUpTime.String() + ".1"})
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Variables) != 2 || got.Variables[0].Value != 42 {
					t.Errorf("%+v", got.Variables)
				}
			}
			for _, err := range refused() {
				if !errors.Is(err, usm.ErrUnknownEngineID) && !errors.Is(err, usm.ErrNotInTimeWindow) {
					t.Errorf("refused: %v", err)
				}
			}
		})
	}
}

// TestGoSNMPRestart: the engine restarts with incremented boots, and the client synchronizes again
// by the authenticated report.
func TestGoSNMPRestart(t *testing.T) {
	u := newUser("wes", usm.HMACSHA256, usm.AES256C)
	engine, c := newEngine(t, testBoots, testTime)
	model := usm.New(engine, newUsers(t, u))
	addr, refused := serve(t, model)
	client := gosnmpClient(t, u, addr.Port)
	for _, hours := range []time.Duration{0, 1, 0, -1} {
		c.advance(hours * time.Hour)
		refused()
		if _, err := client.Get([]string{sysUpTime.String()}); err != nil {
			t.Fatalf("after %d hours: %v", hours, err)
		}
		if late := slices.Contains(refused(), usm.ErrNotInTimeWindow); late != (hours != 0) {
			t.Errorf("after %d hours: a request outside of the window: %v", hours, late)
		}
	}
}

// TestGoSNMPRefused: each wrong secret is counted by the right counter. Once it knows the engine's
// id, gosnmp accepts only authenticated reports; reports about digests and users cannot be
// authenticated.
func TestGoSNMPRefused(t *testing.T) {
	right := newUser("wes", usm.HMACSHA, usm.AES128)
	tests := []struct {
		name   string
		change func(u *usm.User)
		want   error
		says   string
	}{
		{"user", func(u *usm.User) { u.Name = "nobody" }, usm.ErrUnknownUserName, "not authentic"},
		{"password", func(u *usm.User) { u.AuthSecret.Password = "somethingelse" }, usm.ErrWrongDigest, "not authentic"},
		{"hash", func(u *usm.User) { u.Auth = usm.HMACSHA512 }, usm.ErrWrongDigest, "not authentic"},
		{"privacy password", func(u *usm.User) { u.PrivSecret.Password = "somethingelse" }, usm.ErrDecryption, "decryption error"},
		{"cipher", func(u *usm.User) { u.Priv = usm.AES256C }, usm.ErrDecryption, "decryption error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			model, _ := newUSM(t, right)
			addr, refused := serve(t, model)
			u := right
			tt.change(&u)
			_, err := gosnmpClient(t, u, addr.Port).Get([]string{sysUpTime.String()})
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("gosnmp says %v, want %q", err, tt.says)
			}
			if !slices.Contains(refused(), tt.want) {
				t.Errorf("no %v", tt.want)
			}
		})
	}
}
