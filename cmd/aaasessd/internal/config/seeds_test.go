package config_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// The configurations of S1 and S2 with accounting lists, in our keys.
const (
	// "Configuring Named Method List": the servers and clients. S2 calls the list network2.
	seedNamed = `
radius:
  clients: [{name: nas, address: 172.16.25.15, secret: s}]
  servers: [{name: radius-server, address: 172.16.2.7, secret: myRaDiUSpassWoRd}]
tacacs:
  servers: [{name: tacacs-server, address: 172.31.255.0, key: goaway}]
accounting:
  network:
    %s: {record: start-stop, methods: [group radius, group tacacs+]}
  apply:
    - {nas-port: [1-16], framed-protocol: [PPP], network: %[1]s}
`

	// The groups of "Configuring AAA Broadcast Accounting" and of the example per DNIS.
	seedBroadcast = `
radius:
  clients: [{name: nas, address: 172.16.25.15, secret: s}]
  servers:
    - {name: isp-1, address: 10.0.0.1, secret: key1}
    - {name: isp-2, address: 10.0.0.2, secret: key1}
    - {name: customer, address: 172.0.0.1, secret: key2}
  groups:
    - {name: isp, servers: [isp-1, isp-2]}
    - {name: isp_customer, servers: [customer]}
accounting:
`
	seedBroadcastList = seedBroadcast + `
  network:
    default: {record: start-stop, broadcast: true, methods: [group isp, group isp_customer]}
`
	seedDNIS = seedBroadcast + `
  dnis-map:
    enable: true
    numbers:
      7777: {record: start-stop, broadcast: true, methods: [group isp, group isp_customer]}
`

	// "Configuring AAA Resource Accounting". It has two commands for the default list of calls.
	seedResource = `
radius:
  servers: [{name: r, address: 172.16.2.7, secret: s}]
accounting:
  exec: {default: {record: start-stop, methods: [group radius]}}
  network: {default: {record: start-stop, methods: [group radius]}}
  resource: {default: {record: [stop-failure, start-stop], methods: [group radius]}}
`
	// The commands of "Configuring AAA Resource Failure Stop Accounting", for a named list.
	seedFailure = `
radius:
  servers: [{name: r, address: 172.16.2.7, secret: s}]
accounting:
  resource: {wholesale: {record: stop-failure, methods: [group radius]}}
  apply: [{nas-port: [1-16], resource: wholesale}]
`

	// "aaa accounting network acct_tac1 stop-only group tacacs+ group radius".
	seedBackup = `
radius: {servers: [{name: r, address: 172.16.2.7, secret: s}]}
tacacs: {servers: [{name: tacacs-server, address: 172.31.255.0, key: s}]}
accounting:
  network:
    default: {record: stop-only, methods: [group radius]}
    acct_tac1: {record: stop-only, methods: [group tacacs+, group radius]}
  apply: [{nas-port-id: ["Async*"], network: acct_tac1}]
`

	// "AAA Session MIB: Example".
	seedSessionMIB = `
snmp: {session-mib-disconnect: true}
radius:
  servers: [{name: r, address: 172.16.2.7, secret: s}]
accounting:
  network: {default: {record: start-stop, methods: [group radius]}}
`

	// "aaa group server radius loginrad" of the section on method lists.
	seedLoginrad = `
radius:
  servers:
    - {name: a, address: 172.16.2.3, secret: s}
    - {name: b, address: 172.16.2.17, secret: s}
    - {name: c, address: 172.16.2.32, secret: s}
  groups: [{name: loginrad, servers: [a, b, c]}]
accounting:
  network: {default: {record: start-stop, methods: [group loginrad]}}
`
)

// seedCall is a session, and where its records go: the list, the record type, and a line for each
// queue, with the servers that are tried one after the other.
type seedCall struct {
	name     string
	kind     sessions.Kind
	port     uint32
	protocol uint32
	called   string
	want     []string // empty: it is not accounted
	portID   string   // NAS-Port-Id
}

// TestSeedConfigurations loads the configurations of the seeds, and decides for the sessions that
// their text describes.
func TestSeedConfigurations(t *testing.T) {
	const ppp = 1
	broadcast := func(list string) []string {
		return []string{list + " start-stop", "10.0.0.1, 10.0.0.2", "172.0.0.1"}
	}
	named := func(list string) []seedCall {
		both := []string{"network/" + list + " start-stop", "172.16.2.7; 172.31.255.0"}
		return []seedCall{
			{"the first line", sessions.Network, 1, ppp, "", both, ""},
			{"the last line", sessions.Network, 16, ppp, "", both, ""},
			{"another line", sessions.Network, 17, ppp, "", nil, ""},
			{"exec on such a line", sessions.Exec, 1, 0, "", nil, ""},
		}
	}
	tests := []struct {
		name, text string
		calls      []seedCall
	}{
		{"S1 named method list", fmt.Sprintf(seedNamed, "red1"), named("red1")},
		{"S2 named method list", fmt.Sprintf(seedNamed, "network2"), named("network2")},
		{"broadcast", seedBroadcastList, []seedCall{
			{"to the first server of each group", sessions.Network, 1, ppp, "", broadcast("network/default"), ""},
			{"exec has no list", sessions.Exec, 1, 0, "", nil, ""},
		}},
		{"per DNIS broadcast", seedDNIS, []seedCall{
			{"calls having DNIS number 7777", sessions.Network, 1, ppp, "7777", broadcast("network/dnis:7777"), ""},
			{"another number", sessions.Network, 1, ppp, "7778", nil, ""},
			{"no number", sessions.Network, 1, ppp, "", nil, ""},
			{"exec", sessions.Exec, 1, 0, "7777", nil, ""},
		}},
		{"resource", seedResource, []seedCall{
			{"network", sessions.Network, 1, ppp, "", []string{"network/default start-stop", "172.16.2.7"}, ""},
			{"exec", sessions.Exec, 1, 0, "", []string{"exec/default start-stop", "172.16.2.7"}, ""},
			{"connection", sessions.Connection, 1, 0, "", nil, ""},
			{"a start record at each call setup, followed with a stop record at the call disconnect", sessions.Resource, 1, 0, "", []string{"resource/default start-stop", "172.16.2.7"}, ""},
			{"the number called is not for resource accounting", sessions.Resource, 1, 0, "7777", []string{"resource/default start-stop", "172.16.2.7"}, ""},
		}},
		{"resource failure stop", seedFailure, []seedCall{
			{"a stop record for any calls that do not reach user authentication", sessions.Resource, 16, 0, "", []string{"resource/wholesale stop-failure", "172.16.2.7"}, ""},
			{"no default list", sessions.Resource, 17, 0, "", nil, ""},
			{"the user of the call", sessions.Network, 16, ppp, "", nil, ""},
		}},
		{"RADIUS as the backup method", seedBackup, []seedCall{
			{"in the event that TACACS+ returns an error", sessions.Network, 5, ppp, "", []string{"network/acct_tac1 stop-only", "172.31.255.0; 172.16.2.7"}, "Async5"},
			{"a default list that is used when a named list is not specified", sessions.Network, 5, ppp, "", []string{"network/default stop-only", "172.16.2.7"}, ""},
		}},
		{"AAA Session MIB", seedSessionMIB, []seedCall{
			{"network", sessions.Network, 1, ppp, "", []string{"network/default start-stop", "172.16.2.7"}, ""},
		}},
		{"group loginrad", seedLoginrad, []seedCall{
			{"network", sessions.Network, 1, ppp, "", []string{"network/default start-stop", "172.16.2.3, 172.16.2.17, 172.16.2.32"}, ""},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := mustParse(t, tt.text, ".")
			if len(c.Warnings()) > 0 {
				t.Errorf("warnings: %v", c.Warnings())
			}
			plan, err := policy.New(&c.Policy)
			if err != nil {
				t.Fatal(err)
			}
			servers := map[accounting.MethodName]string{}
			add := func(name accounting.MethodName, host string) {
				if servers[name] != "" {
					servers[name] += ", "
				}
				servers[name] += host
			}
			for i := range c.Groups {
				for _, s := range c.Groups[i].Servers {
					add(c.Groups[i].Name(), s.Host)
				}
			}
			for i := range c.TACACSGroups {
				for _, s := range c.TACACSGroups[i].Servers {
					add(c.TACACSGroups[i].Name(), s.Host)
				}
			}
			for _, call := range tt.calls {
				if diff := cmp.Diff(call.want, call.destinations(t, plan, servers)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", call.name, diff)
				}
			}
		})
	}
}

// destinations decides, and returns what seedCall.want has. Methods that are tried one after the
// other are separated by semicolons.
func (c seedCall) destinations(t *testing.T, plan *policy.Plan, servers map[accounting.MethodName]string) (out []string) {
	t.Helper()
	attrs := radius.AppendUint32(nil, radius.NASPort, c.port)
	if c.protocol != 0 {
		attrs = radius.AppendUint32(attrs, radius.FramedProtocol, c.protocol)
	}
	if c.portID != "" {
		attrs = radius.AppendAttribute(attrs, radius.NASPortID, c.portID)
	}
	if c.called != "" {
		attrs = radius.AppendAttribute(attrs, radius.CalledStationID, c.called)
	}
	text := plan.Route(c.kind, &sessions.Session{Kind: c.kind, Attrs: radius.Attributes(attrs)})
	if text == "" {
		return nil
	}
	r, err := accounting.ParseRoute(text)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(r.Methods, func(m accounting.MethodName) bool { return servers[m] == "" }) {
		t.Fatalf("a method of %q has no servers", r.Methods)
	}
	out = append(out, r.List+" "+r.Record.String())
	for i, m := range r.Methods {
		switch {
		case i == 0 || r.Broadcast:
			out = append(out, servers[m])
		default:
			out[len(out)-1] += "; " + servers[m]
		}
	}
	return out
}
