package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/servers"
)

// TestGlobalSecrets: a server without a secret of its own has that of its section, also for its
// requests to end sessions.
func TestGlobalSecrets(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "all.secret"), []byte("of all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := mustParse(t, `
radius:
  secret: {file: all.secret}
  servers: [{name: r1, address: 10.0.0.1}, {name: r2, address: 10.0.0.2, secret: own}]
  dynamic-authorization: {servers: [{server: r1}, {server: r2}]}
tacacs:
  secret: of all devices
  servers: [{name: t1, address: 10.0.0.3}, {name: t2, address: 10.0.0.4, key: own}]
accounting:
  exec: {default: {record: start-stop, methods: [group radius, group tacacs+]}}
`, dir)
	got := map[string]string{}
	for _, m := range c.Groups[0].Servers {
		got[m.Name] = string(m.Secret)
	}
	for _, m := range c.TACACSGroups[0].Servers {
		got[m.Name] = string(m.Key)
	}
	for _, s := range c.DynAuth.Listener.Clients {
		got["requests of "+s.Name] = string(s.Secret)
	}
	want := map[string]string{
		"r1": "of all", "r2": "own", "requests of r1": "of all", "requests of r2": "own", "t1": "of all devices", "t2": "own",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

// TestServers: all servers in order of priority, whether a method list names their groups or not.
func TestServers(t *testing.T) {
	c := mustParse(t, `
radius:
  servers:
    - {name: alone, address: r.example, secret: s, private: true}
    - {name: mine, address: 10.0.0.1, secret: s, private: true}
    - {name: b, address: 10.0.0.1, secret: s, acct-port: 1646, auth-port: 1645}
    - {name: a, address: 10.0.0.2, secret: s, port: 1816}
  groups: [{name: isp, servers: [mine, a]}]
tacacs:
  servers: [{name: a, address: "2001:db8::1", key: k, port: 4949}]
`, ".")
	want := []servers.Identity{
		{Protocol: servers.RADIUS, Name: "b", Host: "10.0.0.1", AuthPort: 1645, AcctPort: 1646},
		{Protocol: servers.RADIUS, Name: "a", Host: "10.0.0.2", AuthPort: 1812, AcctPort: 1816, Listed: true},
		{Protocol: servers.RADIUS, Name: "alone", Host: "r.example", AuthPort: 1812, AcctPort: 1813, Private: true},
		{Protocol: servers.RADIUS, Name: "mine", Host: "10.0.0.1", AuthPort: 1812, AcctPort: 1813, Private: true, Listed: true},
		{Protocol: servers.TACACS, Name: "a", Host: "2001:db8::1", AuthPort: 4949, AcctPort: 4949},
	}
	if diff := cmp.Diff(want, c.Servers); diff != "" {
		t.Errorf("servers (-want +got):\n%s", diff)
	}
}
