package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/mib/casn"
)

const password = "bench-password"

// startResponder serves two rows until the test ends, and returns a client that is not yet
// connected.
func startResponder(t *testing.T) *gosnmp.GoSNMP {
	t.Helper()
	r, err := newResponder(config{rows: 2, engine: filepath.Join(t.TempDir(), "engine"), password: password})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		r.Close()
	})
	return &gosnmp.GoSNMP{
		Target: "127.0.0.1", Port: r.Addrs()[0].Port(), Transport: "udp",
		Version: gosnmp.Version2c, Community: community, Timeout: 5 * time.Second, MaxOids: gosnmp.MaxOids,
	}
}

func asUser(c *gosnmp.GoSNMP) {
	c.Version, c.Community = gosnmp.Version3, ""
	c.SecurityModel, c.MsgFlags = gosnmp.UserSecurityModel, gosnmp.AuthPriv
	c.SecurityParameters = &gosnmp.UsmSecurityParameters{
		UserName:               user,
		AuthenticationProtocol: gosnmp.SHA, AuthenticationPassphrase: password,
		PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: password,
	}
}

func TestAccess(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*gosnmp.GoSNMP)
		want   string // casnUserId.2, or the error
	}{
		{"community", func(*gosnmp.GoSNMP) {}, "user0000000002@isp.test"},
		{"another community", func(c *gosnmp.GoSNMP) { c.Community, c.Timeout = "private", 200*time.Millisecond }, "request timeout (after 0 retries): max retries exceeded"},
		{"user", asUser, "user0000000002@isp.test"},
		{"user, without privacy", func(c *gosnmp.GoSNMP) { asUser(c); c.MsgFlags = gosnmp.AuthNoPriv }, "AuthorizationError"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := startResponder(t)
			tt.change(client)
			if err := client.Connect(); err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			answer, err := client.Get([]string{casn.Root.Append(1, 3, 1, 2, 2).String()})
			got := ""
			switch {
			case err != nil:
				got = err.Error()
			case answer.Error != gosnmp.NoError:
				got = answer.Error.String()
			default:
				octets, _ := answer.Variables[0].Value.([]byte)
				got = string(octets)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingCanBeSet(t *testing.T) {
	client := startResponder(t)
	asUser(client)
	if err := client.Connect(); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	answer, err := client.Set([]gosnmp.SnmpPDU{{
		Name: casn.Root.Append(1, 3, 1, 5, 1).String(), Type: gosnmp.Integer, Value: 1,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Error != gosnmp.AuthorizationError {
		t.Errorf("answered %v, want %v", answer.Error, gosnmp.AuthorizationError)
	}
}

func TestNoEngine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "missing", "engine")
	if _, err := newResponder(config{rows: 1, engine: file, password: password}); err == nil {
		t.Error("opened an engine in a folder that does not exist")
	}
}
