package overlay

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/servers"
)

// overlaid is a file whose method lists name the groups of all servers.
const overlaid = `
radius:
  secret: of all
  timeout: 2s
  retransmit: 1
  backoff: {max-delay: 1m, retry: 4}
  servers:
    - {name: r1, address: 10.0.0.1, secret: s1}
    - {name: r2, address: 10.0.0.2, secret: s2, alias: [10.0.9.2]}
    - {name: r3, address: r3.example, secret: s3}
    - {name: mine, address: 10.0.0.4, secret: s4, private: true}
  groups: [{name: isp, servers: [r2, mine]}]
  dynamic-authorization: {servers: [{server: r1}, {server: r2}]}
tacacs:
  timeout: 3s
  servers: [{name: t1, address: 10.0.0.1, key: k1}]
authentication: {lists: {default: {methods: [group radius, group isp]}}}
accounting:
  network: {default: {record: start-stop, methods: [group isp, group radius]}}
  exec: {default: {record: start-stop, methods: [group tacacs+]}}
`

func parseFile(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("aaasess.yaml", []byte(text), ".")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// made returns a server that a manager creates with the default ports.
func create(p servers.Protocol, index uint32, at, key string) servers.Created {
	return servers.Created{Protocol: p, Index: index, Addr: addr(at), AuthPort: 1645, AcctPort: 1646, Key: key}
}

// membersOf returns the members of all groups, in a line for each group.
func membersOf(c *config.Config) (lines []string) {
	for i := range c.Groups {
		line := c.Groups[i].Group + " accounting:"
		for _, m := range c.Groups[i].Servers {
			line += fmt.Sprintf(" %s=%s:%d", m.Name, m.Host, m.Port)
		}
		lines = append(lines, line)
	}
	for i := range c.TACACSGroups {
		line := c.TACACSGroups[i].Group + " accounting:"
		for _, m := range c.TACACSGroups[i].Servers {
			line += fmt.Sprintf(" %s=%s:%d", m.Name, m.Host, m.Port)
		}
		lines = append(lines, line)
	}
	if c.Authentication != nil {
		for i := range c.Authentication.Groups {
			line := c.Authentication.Groups[i].Name + " authentication:"
			for _, m := range c.Authentication.Groups[i].Members {
				line += fmt.Sprintf(" %s=%s:%d", m.Name, m.Host, m.AuthPort)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// texts returns why entries were given up.
func texts(givenUp []*GivenUp) (all []string) {
	for _, g := range givenUp {
		all = append(all, g.Error())
	}
	return all
}

// TestMerge: what the groups of all servers have, and what is given up.
func TestMerge(t *testing.T) {
	const (
		isp, ispAuth = "isp accounting: r2=10.0.0.2:1813 mine=10.0.0.4:1813", "isp authentication: r2=10.0.0.2:1812 mine=10.0.0.4:1812"
		devices      = "tacacs+ accounting: t1=10.0.0.1:49"
		file         = "radius accounting: r1=10.0.0.1:1813 r2=10.0.0.2:1813 r3=r3.example:1813"
		fileAuth     = "radius authentication: r1=10.0.0.1:1812 r2=10.0.0.2:1812 r3=r3.example:1812"
	)
	unchanged := []string{isp, file, devices, fileAuth, ispAuth}
	manyServers := func(n int) (text string) {
		for i := range n {
			text += fmt.Sprintf("    - {name: x%d, address: x%d.example, secret: s}\n", i, i)
		}
		return text
	}
	radius, tacacs := servers.RADIUS, servers.TACACS
	created := func(all ...servers.Created) servers.Overlay { return servers.Overlay{Created: all} }
	destroyed := func(p servers.Protocol, names ...string) (o servers.Overlay) {
		for _, name := range names {
			o.Destroyed = append(o.Destroyed, servers.Key{Protocol: p, Name: name})
		}
		return o
	}
	with := func(a servers.Created, change func(*servers.Created)) servers.Created {
		change(&a)
		return a
	}
	for _, tt := range []struct {
		name    string
		replace []string // pairs of texts of the file
		overlay servers.Overlay
		want    []string
		givenUp []string
	}{
		{"nothing", nil, servers.Overlay{}, unchanged, nil},
		{"a server joins at the end", nil, created(create(radius, 5, "10.0.1.1", "")), []string{
			isp, file + " snmp-radius-5=10.0.1.1:1646", devices, fileAuth + " snmp-radius-5=10.0.1.1:1645", ispAuth,
		}, nil},
		{"a server for accounting only", nil, created(with(create(radius, 5, "10.0.1.1", ""), func(c *servers.Created) { c.AuthPort = 0 })), []string{
			isp, file + " snmp-radius-5=10.0.1.1:1646", devices, fileAuth, ispAuth,
		}, nil},
		{"a server for authentication only", nil, created(with(create(radius, 5, "10.0.1.1", ""), func(c *servers.Created) { c.AcctPort = 0 })), []string{
			isp, file, devices, fileAuth + " snmp-radius-5=10.0.1.1:1645", ispAuth,
		}, nil},
		{"a server of TACACS+, at an address of a RADIUS server", nil, created(create(tacacs, 5, "10.0.0.2", "k")), []string{
			isp, file, devices + " snmp-tacacs-5=10.0.0.2:1645", fileAuth, ispAuth,
		}, nil},
		{"two servers, in the order of the overlay", nil, created(create(radius, 9, "10.0.1.1", ""), create(radius, 2, "10.0.1.2", "")), []string{
			isp, file + " snmp-radius-9=10.0.1.1:1646 snmp-radius-2=10.0.1.2:1646", devices,
			fileAuth + " snmp-radius-9=10.0.1.1:1645 snmp-radius-2=10.0.1.2:1645", ispAuth,
		}, nil},
		{"a server of the file leaves", nil, destroyed(radius, "r3"), []string{
			isp, strings.TrimSuffix(file, " r3=r3.example:1813"), devices, strings.TrimSuffix(fileAuth, " r3=r3.example:1812"), ispAuth,
		}, nil},
		{"another takes the address of a server that left", nil, servers.Overlay{
			Created: []servers.Created{create(radius, 1, "10.0.0.1", "")}, Destroyed: destroyed(radius, "r1").Destroyed,
		}, []string{
			isp, "radius accounting: r2=10.0.0.2:1813 r3=r3.example:1813 snmp-radius-1=10.0.0.1:1646", devices,
			"radius authentication: r2=10.0.0.2:1812 r3=r3.example:1812 snmp-radius-1=10.0.0.1:1645", ispAuth,
		}, nil},
		{"no method list names the groups", []string{"methods: [group radius, group isp]", "methods: [group isp]", "group isp, group radius", "group isp", "[group tacacs+]", "[local]"}, servers.Overlay{
			Created: []servers.Created{create(radius, 1, "10.0.1.1", "")}, Destroyed: destroyed(tacacs, "t1").Destroyed,
		}, []string{isp, ispAuth}, nil},

		{"the name is in the file", []string{"name: r3", "name: snmp-radius-5", "name: r1", "name: r3", "{server: r1}", "{server: r3}"}, created(create(radius, 5, "10.0.1.1", "")), []string{
			isp, "radius accounting: r3=10.0.0.1:1813 r2=10.0.0.2:1813 snmp-radius-5=r3.example:1813", devices,
			"radius authentication: r3=10.0.0.1:1812 r2=10.0.0.2:1812 snmp-radius-5=r3.example:1812", ispAuth,
		}, []string{"radius server snmp-radius-5 that a manager has created: the file has a server of this name"}},
		{"the address is in the file", nil, created(create(radius, 5, "10.0.0.1", "")), unchanged, []string{
			"radius server snmp-radius-5 that a manager has created: server r1 of the file has its address, 10.0.0.1",
		}},
		{"the address of a private server", nil, created(create(radius, 5, "10.0.0.4", "")), unchanged, []string{
			"radius server snmp-radius-5 that a manager has created: server mine of the file has its address, 10.0.0.4",
		}},
		{"an alias", nil, created(create(radius, 5, "10.0.9.2", "")), unchanged, []string{
			"radius server snmp-radius-5 that a manager has created: its address, 10.0.9.2, is an alias of server r2 of the file",
		}},
		{"no key", []string{"  secret: of all\n", ""}, created(create(radius, 5, "10.0.1.1", ""), create(tacacs, 6, "10.0.1.1", "")), unchanged, []string{
			"radius server snmp-radius-5 that a manager has created: it has no key of its own, and the file has no radius.secret",
			"tacacs server snmp-tacacs-6 that a manager has created: it has no key of its own, and the file has no tacacs.secret",
		}},
		{
			"no place in the group",
			[]string{"    - {name: r1", manyServers(61) + "    - {name: r1", "network: {default: {record: start-stop, methods: [group isp, group radius]}}", "", "[group radius, group isp]", "[group isp]"},
			created(create(radius, 5, "10.0.1.1", "")),
			[]string{isp, devices, ispAuth},
			[]string{"radius server snmp-radius-5 that a manager has created: a group has at most 64 servers"},
		},
		{"one of two at the same address", nil, created(create(tacacs, 5, "10.0.1.1", "k"), create(tacacs, 6, "10.0.1.1", "k")), []string{
			isp, file, devices + " snmp-tacacs-5=10.0.1.1:1645", fileAuth, ispAuth,
		}, []string{"tacacs server snmp-tacacs-6 that a manager has created: server snmp-tacacs-5 has its address, 10.0.1.1"}},
		{"what no manager can make", nil, created(
			with(create(radius, 1, "10.0.1.1", ""), func(c *servers.Created) { c.AcctPort = c.AuthPort }), with(create(radius, 2, "10.0.1.1", ""), func(c *servers.Created) { c.AuthPort, c.AcctPort = 0, 0 }),
			with(create(tacacs, 3, "10.0.1.1", "k"), func(c *servers.Created) { c.AuthPort = 0 }), create(radius, 4, "224.0.0.1", ""), create(radius, 5, "0.0.0.0", ""), create(radius, 6, "255.255.255.255", ""), create(radius, 7, "::ffff:224.0.0.1", ""), create(radius, 8, "2001:db8::1", ""), create(radius, 0, "10.0.1.1", ""),
		), unchanged, []string{
			"radius server snmp-radius-1 that a manager has created: port 1645 is that for authentication and that for accounting",
			"radius server snmp-radius-2 that a manager has created: it has neither a port for authentication nor one for accounting",
			"tacacs server snmp-tacacs-3 that a manager has created: it has no port",
			"radius server snmp-radius-4 that a manager has created: 224.0.0.1 is not the address of a server",
			"radius server snmp-radius-5 that a manager has created: 0.0.0.0 is not the address of a server",
			"radius server snmp-radius-6 that a manager has created: 255.255.255.255 is not the address of a server",
			"radius server snmp-radius-7 that a manager has created: ::ffff:224.0.0.1 is not the address of a server",
			"radius server snmp-radius-8 that a manager has created: 2001:db8::1 is not an IPv4 address",
			"radius server snmp-radius-0 that a manager has created: its casIndex is 0",
		}},
		{"a destroyed server is not in the file", nil, destroyed(radius, "t1"), unchanged, []string{
			"radius server t1 that a manager has destroyed: the file does not have it any more",
		}},
		{"a group lists a destroyed server", nil, destroyed(radius, "r2"), unchanged, []string{
			"radius server r2 that a manager has destroyed: the file has it in group isp now",
		}},
		{"the last server of a group", nil, destroyed(tacacs, "t1"), unchanged, []string{
			"tacacs server t1 that a manager has destroyed: without it, group tacacs+ has no server, and a method list names the group",
		}},
		{"a server for authentication only takes the address of a server that left", nil, servers.Overlay{
			Created: []servers.Created{create(radius, 5, "10.0.1.1", ""), with(create(radius, 6, "10.0.0.1", ""), func(c *servers.Created) { c.AcctPort = 0 })}, Destroyed: destroyed(radius, "r1", "r3").Destroyed,
		}, []string{
			isp, "radius accounting: r2=10.0.0.2:1813 snmp-radius-5=10.0.1.1:1646", devices,
			"radius authentication: r2=10.0.0.2:1812 snmp-radius-5=10.0.1.1:1645 snmp-radius-6=10.0.0.1:1645", ispAuth,
		}, nil},
		{"for accounting the last server is back, at the address of another", []string{"isp, servers: [r2, mine]", "isp, servers: [mine]"}, servers.Overlay{
			Created: []servers.Created{with(create(radius, 6, "10.0.0.1", ""), func(c *servers.Created) { c.AcctPort = 0 })}, Destroyed: destroyed(radius, "r1", "r2", "r3").Destroyed,
		}, []string{
			"isp accounting: mine=10.0.0.4:1813", "radius accounting: r1=10.0.0.1:1813", devices,
			"radius authentication: r1=10.0.0.1:1812", "isp authentication: mine=10.0.0.4:1812",
		}, []string{
			"radius server r1 that a manager has destroyed: without it, group radius has no server, and a method list names the group",
			"radius server snmp-radius-6 that a manager has created: server r1 of the file has its address, 10.0.0.1",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := overlaid
			for i := 0; i < len(tt.replace); i += 2 {
				if !strings.Contains(text, tt.replace[i]) {
					t.Fatalf("the file has no %q", tt.replace[i])
				}
				text = strings.Replace(text, tt.replace[i], tt.replace[i+1], 1)
			}
			file := parseFile(t, text)
			before := membersOf(file)
			got, applied, givenUp := Merge(file, tt.overlay)
			if diff := cmp.Diff(tt.want, membersOf(got)); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.givenUp, texts(givenUp)); diff != "" {
				t.Errorf("given up (-want +got):\n%s", diff)
			}
			if n := len(applied.Created) + len(applied.Destroyed) + len(givenUp); n != len(tt.overlay.Created)+len(tt.overlay.Destroyed) {
				t.Errorf("%d entries are in use or given up", n)
			}
			if diff := cmp.Diff(before, membersOf(file)); diff != "" {
				t.Errorf("the configuration of the file has changed:\n%s", diff)
			}
		})
	}
}

// TestMergeSettings: a server that was created has the settings of its section and the defaults of a
// server; it is the last one.
func TestMergeSettings(t *testing.T) {
	c, _, givenUp := Merge(parseFile(t, overlaid), servers.Overlay{
		Created:   []servers.Created{create(servers.RADIUS, 5, "10.0.1.1", "own"), create(servers.RADIUS, 6, "10.0.1.2", ""), create(servers.TACACS, 7, "10.0.1.3", "key")},
		Destroyed: []servers.Key{{Protocol: servers.RADIUS, Name: "r1"}},
	})
	if len(givenUp) > 0 {
		t.Fatal(texts(givenUp))
	}
	file, all := c.Groups[0].Servers[0], c.Groups[1].Servers
	own, global := all[len(all)-2], all[len(all)-1]
	if own.Secret != "own" || global.Secret != "of all" || own.Signing != file.Signing || own.Schedule != file.Schedule {
		t.Errorf("accounting: %+v, %+v, want the settings of %+v", own, global, file)
	}
	logins := c.Authentication.Groups[0].Members
	if got := logins[len(logins)-1]; got.Schedule != logins[0].Schedule || got.Secret != "of all" {
		t.Errorf("authentication: %+v, want the settings of %+v", got, logins[0])
	}
	devices := c.TACACSGroups[0].Servers
	want := devices[0]
	want.Identity = devices[1].Identity
	if devices[1] != want || devices[1].Key != "key" {
		t.Errorf("TACACS+: %+v, want the settings of %+v", devices[1], devices[0])
	}
	if rights := c.DynAuth.Rights; len(rights["r1"].Groups) > 0 || !slices.Equal(rights["r2"].Groups, []string{"isp", "radius"}) {
		t.Errorf("rights %+v", rights)
	}
	var names []string
	for _, s := range c.Servers {
		names = append(names, fmt.Sprintf("%s/%d", s.Name, s.Index))
	}
	if want := []string{"r2/0", "r3/0", "mine/0", "t1/0", "snmp-radius-5/5", "snmp-radius-6/6", "snmp-tacacs-7/7"}; !slices.Equal(names, want) {
		t.Errorf("servers %q, want %q", names, want)
	}
	if at := c.Servers[len(c.Servers)-1]; at.AuthPort != 1645 || at.AcctPort != 1645 {
		t.Errorf("TACACS+ has one port: %+v", at)
	}
}
