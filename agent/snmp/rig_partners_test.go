//go:build partners

package snmp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"aaasess/agent/agentx"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/internal/partner"
	"aaasess/mib"
)

// toolUser is a user of SNMPv3. Its protocols have the names that net-snmp's tools use.
type toolUser struct{ name, auth, priv string }

// allUsers returns one user for each combination of protocols that net-snmp's tools support.
func allUsers() []toolUser {
	users := []toolUser{{name: "none"}}
	for _, auth := range []string{"MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"} {
		users = append(users, toolUser{auth, auth, ""})
		for _, priv := range []string{"DES", "AES", "AES-192", "AES-256", "AES-192-C", "AES-256-C"} {
			users = append(users, toolUser{auth + "." + priv, auth, priv})
		}
	}
	return users
}

// strict is a user without access below authPriv.
var strict = toolUser{"strict", "SHA-256", "AES"}

func (u toolUser) level() string {
	switch {
	case u.priv != "":
		return "authPriv"
	case u.auth != "":
		return "authNoPriv"
	}
	return "noAuthNoPriv"
}

// args returns the arguments of a tool for this user, with the right passwords.
func (u toolUser) args() []string { return u.with(authPassword, privPassword) }

// with returns the same arguments with other passwords.
func (u toolUser) with(auth, priv string) []string {
	args := []string{"-v3", "-u", u.name, "-l", u.level()}
	if u.auth != "" {
		args = append(args, "-a", u.auth, "-A", auth)
	}
	if u.priv != "" {
		args = append(args, "-x", u.priv, "-X", priv)
	}
	return args
}

// configured returns the user as the responder is configured with it.
func (u toolUser) configured(t testing.TB) usm.User {
	t.Helper()
	c := usm.User{Name: u.name}
	var err, err2 error
	if u.auth != "" {
		c.AuthSecret.Password = authPassword
		c.Auth, err = usm.ParseAuthProtocol(u.auth)
	}
	if u.priv != "" {
		c.PrivSecret.Password = privPassword
		c.Priv, err2 = usm.ParsePrivProtocol(u.priv)
	}
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return c
}

// rule is one access entry of both the responder and snmpd. "" is an empty view.
type rule struct {
	group       string
	model       wire.SecurityModel
	level       wire.SecurityLevel
	read, write string
}

// rules are for communities named like the groups, and for users. The views are everything, the
// module of the tests, the module without its table, and only its text.
var rules = []rule{
	{"readers", wire.ModelV2c, wire.NoAuthNoPriv, "test", ""},
	{"writers", wire.ModelV2c, wire.NoAuthNoPriv, "test", "scalars"},
	{"limited", wire.ModelV2c, wire.NoAuthNoPriv, "scalars", "text"},
	{"users", wire.ModelUSM, wire.NoAuthNoPriv, "test", ""},
	{"users", wire.ModelUSM, wire.AuthNoPriv, "all", "test"},
	{"strict", wire.ModelUSM, wire.AuthPriv, "all", "test"},
}

// groupOf returns the group of a user.
func groupOf(u toolUser) string {
	if u == strict {
		return u.name
	}
	return "users"
}

// rulesPolicy returns the policy of the rules. Communities accept SNMPv2c, and these security models
// besides.
func rulesPolicy(t testing.TB, more ...wire.SecurityModel) *vacm.Policy {
	t.Helper()
	all, test, scalars, text := views(t)
	byName := map[string]*vacm.View{"all": all, "test": test, "scalars": scalars, "text": text}
	from := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	var access []vacm.AccessEntry
	var members []vacm.Member
	var communities []vacm.Community
	for _, r := range rules {
		models := []wire.SecurityModel{r.model}
		if r.model == wire.ModelV2c {
			models = append(models, more...)
			communities = append(communities, vacm.Community{Name: r.group, SecurityName: r.group, From: from, Models: models})
		}
		for _, m := range models {
			access = append(access, vacm.AccessEntry{Group: r.group, Model: m, Level: r.level, Read: byName[r.read], Write: byName[r.write]})
			if r.model == wire.ModelV2c {
				members = append(members, vacm.Member{Model: m, SecurityName: r.group, Group: r.group})
			}
		}
	}
	for _, u := range append(allUsers(), strict) {
		members = append(members, vacm.Member{Model: wire.ModelUSM, SecurityName: u.name, Group: groupOf(u)})
	}
	p, err := vacm.New([]*vacm.View{all, test, scalars, text}, access, members, communities)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newRig returns the fixture with all users and the rules above, served on loopback over IPv4 and
// IPv6.
func newRig(t *testing.T, change ...func(*Config)) *fixture {
	t.Helper()
	f := newFixture(t, append(change, func(c *Config) {
		if len(c.Listen) == 0 {
			c.Listen = []netip.AddrPort{parseAddr(t, "127.0.0.1:0"), parseAddr(t, "[::1]:0")}
		}
	})...)
	f.numbers.rows = 30
	var users []usm.User
	for _, u := range append(allUsers(), strict) {
		users = append(users, u.configured(t))
	}
	set, err := usm.NewUsers(f.cfg.Engine.ID(), users, f.cfg.USM.Users())
	if err != nil {
		t.Fatal(err)
	}
	f.cfg.USM.SetUsers(set)
	f.SetPolicy(rulesPolicy(t))
	f.run()
	return f
}

// ipv4 and ipv6 return the responder's addresses in the syntax of net-snmp's tools.
func (f *fixture) ipv4() string { return f.Addrs()[0].String() }
func (f *fixture) ipv6() string { return "udp6:" + f.Addrs()[1].String() }

// now and put access the number from a test that sends one request at a time.
func (n *numbers) now() int32  { return n.number.Load() }
func (n *numbers) put(v int32) { n.number.Store(v) }

// newTwin starts an snmpd that serves the same module with the same users and rules, through
// AgentX. more are further lines of its configuration.
func newTwin(t *testing.T, more ...string) (*partner.SnmpdProc, *numbers) {
	t.Helper()
	conf := []string{
		"exactEngineID 0x80007ed90501020304050607",
		"view all included .1.3.6.1",
		"view test included " + testRoot.String(),
		"view scalars included " + testRoot.String(),
		"view scalars excluded " + testRoot.Append(2).String(),
		"view text included " + testText.String(),
	}
	for _, u := range append(allUsers(), strict) {
		words := []string{"createUser", u.name}
		if u.auth != "" {
			words = append(words, u.auth, strconv.Quote(authPassword))
		}
		if u.priv != "" {
			words = append(words, u.priv, strconv.Quote(privPassword))
		}
		conf = append(conf, strings.Join(words, " "), "group "+groupOf(u)+" usm "+u.name)
	}
	for _, r := range rules {
		model := "usm"
		if r.model == wire.ModelV2c {
			model = "v2c"
			conf = append(conf, fmt.Sprintf("com2sec %[1]s 127.0.0.1 %[1]s", r.group), fmt.Sprintf("group %[1]s v2c %[1]s", r.group))
		}
		level := map[wire.SecurityLevel]string{wire.NoAuthNoPriv: "noauth", wire.AuthNoPriv: "auth", wire.AuthPriv: "priv"}[r.level]
		conf = append(conf, fmt.Sprintf("access %s \"\" %s %s exact %s %s none", r.group, model, level, r.read, cmp.Or(r.write, "none")))
	}
	s := partner.Snmpd(t, partner.SnmpdOptions{Config: append(conf, more...)})
	n := newNumbers(30)
	tree, err := mib.New(n.module())
	if err != nil {
		t.Fatal(err)
	}
	sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}, tree)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-sub.Ready():
	case <-time.After(5 * time.Second):
		t.Fatalf("not registered: %v", sub.Stats().LastError)
	}
	return s, n
}

// toolOutput is the output of a tool and its exit code.
type toolOutput struct {
	Out, Err string
	Code     int
}

// toolLimit is how long a tool may run.
const toolLimit = 30 * time.Second

// runTool runs one of net-snmp's tools. It waits ten seconds for an answer, unless args have another
// -t.
func runTool(t testing.TB, tool string, args ...string) toolOutput {
	t.Helper()
	out, err := partner.Try(t, toolLimit, tool, append([]string{"-On", "-r0", "-t10"}, args...)...)
	s := toolOutput{Out: out}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		s.Code = exit.ExitCode()
		_, s.Err, _ = strings.Cut(err.Error(), exit.Error()+": ")
	} else if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines returns the lines that a tool printed.
func (s toolOutput) lines() []string { return strings.Split(strings.TrimSpace(s.Out), "\n") }

// oid returns the text of a name below the module of the tests.
func oid(sub ...uint32) string { return testRoot.Append(sub...).String() }

// tableLines returns a walk of the table as net-snmp's tools print it.
func (f *fixture) tableLines() []string {
	var lines []string
	for column := uint32(1); column <= 3; column++ {
		for row := uint32(1); row <= f.numbers.rows; row++ {
			value := []string{"STRING: \"a row of the table\"", fmt.Sprintf("Counter64: %d", uint64(row)<<40), "OID: " + oid(row)}[column-1]
			lines = append(lines, oid(2, 1, column, row)+" = "+value)
		}
	}
	return lines
}

// moduleLines returns a walk of the whole module as net-snmp's tools print it.
func (f *fixture) moduleLines() []string {
	lines := append([]string{fmt.Sprintf("%s = INTEGER: %d", oid(1, 0), f.numbers.now())}, f.tableLines()...)
	return append(lines, fmt.Sprintf("%s = STRING: %q", oid(3, 0), f.numbers.text))
}
