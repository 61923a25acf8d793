package config_test

import (
	"os/user"
	"strconv"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/sessions"
)

func TestEndings(t *testing.T) {
	u, err := user.Lookup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	c := mustParse(t, `local:
  commands:
    - {name: end-tty, run: [/bin/end, "--user={user}", "{pid}", ""], user: daemon}
    - {name: other, run: [/bin/end], user: "`+u.Uid+`", timeout: 1m, not-found: 1}
  openvpn:
    - {name: office, address: run/office.sock}
    - {name: branch, address: "127.0.0.1:7505", password: secret, tell: restart, timeout: 1s}
radius:
  clients:
    - {name: vpn, address: 192.0.2.1, secret: s, disconnect: {profile: none, openvpn: office}}
    - {name: hosts, address: 192.0.2.2, secret: s, disconnect: {profile: none, command: other}}
    - {name: silent, address: 192.0.2.3, secret: s, disconnect: {profile: none}}
    - {name: nas, address: 192.0.2.4, secret: s}
`, "/d")
	first, second := c.Endings.Means.Commands["end-tty"], c.Endings.Means.Commands["other"]
	var args []string
	for _, a := range first.Args {
		args = append(args, a.String())
	}
	if got := strings.Join(args, "|"); got != "/bin/end|--user={user}|{pid}|" || first.Timeout != 10*time.Second || first.NotFound != 3 {
		t.Errorf("%q, %+v", got, first)
	}
	if strconv.FormatUint(uint64(first.User.UID), 10) != u.Uid || *second.User != *first.User || second.Timeout != time.Minute || second.NotFound != 1 {
		t.Errorf("%+v, %+v", first.User, second)
	}
	want := map[string]sessions.Ending{"vpn": {OpenVPN: "office"}, "hosts": {Command: "other"}}
	for name, how := range c.Endings.Clients {
		if *how != want[name] {
			t.Errorf("%s: %+v", name, how)
		}
	}
	if len(c.Endings.Clients) != len(want) || len(c.Endings.Means.OpenVPN) != 2 {
		t.Errorf("%+v", c.Endings)
	}
}

func TestEndingsRejected(t *testing.T) {
	const client = "radius: {clients: [{name: n, address: 192.0.2.1, secret: s, disconnect: {DISCONNECT}}]}\n" +
		"local:\n  commands: [{name: end, run: [/bin/end, '{user}'], user: daemon}, {name: kill, run: [/bin/kill, '{pid}'], user: daemon}]\n" +
		"  openvpn: [{name: office, address: office.sock}]\n"
	for text, want := range map[string]string{
		"profile: none, command: nope":                 "radius.clients[0].disconnect.command: local.commands has no entry nope",
		"profile: none, openvpn: end":                  "radius.clients[0].disconnect.openvpn: local.openvpn has no entry end",
		"command: end":                                 "radius.clients[0].disconnect.command: needs profile: none",
		"profile: none, command: end, openvpn: office": "radius.clients[0].disconnect.openvpn: a client has either command or openvpn",
		"profile: none, command: kill":                 "radius.clients[0].disconnect.command: command kill has {pid}",
	} {
		_, err := config.Parse("f", []byte(strings.Replace(client, "DISCONNECT", text, 1)), ".")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for entry, want := range map[string]string{
		"commands: [{name: a, run: [/x], user: daemon}, {name: a, run: [/x], user: daemon}]": "local.commands[1].name: a is already the name of",
		"commands: [{name: a, run: [x], user: daemon}]":                                      `local.commands[0].run[0]: "x" is not an absolute path`,
		"commands: [{name: a, run: ['/bin/{user}'], user: daemon}]":                          `local.commands[0].run[0]: "/bin/{user}" is not an absolute path`,
		"commands: [{name: a, run: [/x, '{password}'], user: daemon}]":                       `local.commands[0].run[1]: "{password}": no field is called "password", want one of user, id, source`,
		"commands: [{name: a, run: [/x, '{user'], user: daemon}]":                            `local.commands[0].run[1]: "{user": a brace that encloses no field`,
		"commands: [{name: a, run: [], user: daemon}]":                                       "local.commands[0].run: has 0 entries",
		"commands: [{name: a, run: [/x]}]":                                                   "local.commands[0]: user is missing",
		"commands: [{name: a, run: [/x], user: no-such-user}]":                               "local.commands[0].user: there is no user no-such-user on this host",
		"commands: [{name: a, run: [/x], user: daemon, not-found: 0}]":                       "local.commands[0].not-found: ",
		"commands: [{name: a, run: [/x], user: daemon, timeout: 1h}]":                        "local.commands[0].timeout: ",
		"openvpn: [{name: a, address: 'host:0'}]":                                            `local.openvpn[0].address: "host:0" is not host:port`,
		"openvpn: [{name: a, address: " + strings.Repeat("x", 120) + "}]":                    "local.openvpn[0].address: ",
		"openvpn: [{name: a, address: x, password: \"a\\nb\"}]":                              "local.openvpn[0].password: ",
		"openvpn: [{name: a, address: x}, {name: a, address: y}]":                            "local.openvpn[1].name: a is already the name of",
	} {
		_, err := config.Parse("f", []byte("local:\n  "+entry+"\n"), ".")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", entry, err, want)
		}
	}
}
