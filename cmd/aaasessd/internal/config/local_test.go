package config_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
	naslocal "aaasess/sessions/local"
)

func TestLocal(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	c := mustParse(t, `local:
  nas-identifier: vpn-1
  access:
    - {user: `+u.Username+`, may: [write, read]}
    - {group: `+g.Name+`, may: [disconnect]}
    - {group: 4294967295, may: [read]}
    - {user: "7", may: [write]}
`, "/d")
	want := &naslocal.Config{Socket: filepath.Join("/d", "var/local.sock"), NASIdentifier: "vpn-1", Access: []naslocal.Rule{
		{Owner: naslocal.Owner{ID: uint32(os.Getuid())}, May: naslocal.Read | naslocal.Write | naslocal.Command},
		{Owner: naslocal.Owner{Group: true, ID: uint32(os.Getgid())}, May: naslocal.Disconnect},
		{Owner: naslocal.Owner{Group: true, ID: 1<<32 - 1}, May: naslocal.Read},
		{Owner: naslocal.Owner{ID: 7}, May: naslocal.Write | naslocal.Command},
	}}
	if diff := cmp.Diff(want, c.LocalSocket, plain); diff != "" {
		t.Errorf("local (-want +got):\n%s", diff)
	}
}

func TestLocalRejected(t *testing.T) {
	for entry, want := range map[string]string{
		"{may: [read]}":                              "local.access[0]: must have a user or a group",
		"{user: root, group: 0, may: [read]}":        "local.access[0]: must have a user or a group",
		"{user: no-such-user-here, may: [read]}":     "local.access[0].user: there is no user no-such-user-here on this host",
		"{group: no-such-group-here, may: [read]}":   "local.access[0].group: there is no group no-such-group-here on this host",
		"{user: \"a b\", may: [read]}":               "local.access[0].user: \"a b\" is neither a name nor a number",
		"{user: root, may: []}":                      "local.access[0].may: ",
		"{user: root, may: [sing]}":                  "local.access[0].may[0]: ",
		"{user: root}":                               "local.access[0]: ",
		"{user: 4294967296, may: [read]}":            "local.access[0].user: there is no user 4294967296 on this host",
		"{user: root, may: [read]}]\n  socket: [\"x": "",
	} {
		_, err := config.Parse("f", []byte("local:\n  access: ["+entry+"]\n"), ".")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", entry, err, want)
		}
	}
}
