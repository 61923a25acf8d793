package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// call describes a session by the values that decide its list.
type call struct {
	kind     Type
	from     string // source address of its packets
	port     uint32 // NAS-Port, 0 for none
	portID   string
	protocol uint32 // Framed-Protocol, 0 for none
	called   string // Called-Station-Id
	nameless bool   // it has no User-Name
	// It is the end of a session before its start.
	unstarted sessions.Unstarted
}

const (
	ppp, slip, arap = 1, 2, 3 // Framed-Protocol, RFC 2865 section 5.7
)

func (c call) session() *sessions.Session {
	var a []byte
	for _, n := range []struct {
		t radius.Type
		n uint32
	}{{radius.NASPort, c.port}, {radius.FramedProtocol, c.protocol}} {
		if n.n != 0 {
			a = radius.AppendUint32(a, n.t, n.n)
		}
	}
	if c.portID != "" {
		a = radius.AppendAttribute(a, radius.NASPortID, c.portID)
	}
	if c.called != "" {
		a = radius.AppendAttribute(a, radius.CalledStationID, c.called)
	}
	if !c.nameless {
		a = radius.AppendAttribute(a, radius.UserName, "username1")
	}
	s := &sessions.Session{Kind: c.sessionKind(), NAS: &sessions.NAS{}, Attrs: radius.Attributes(a), Unstarted: c.unstarted}
	if c.from != "" {
		s.NAS.Addr = netip.MustParseAddr(c.from)
	}
	return s
}

// sessionKind returns the kind of the session that the call is about.
func (c call) sessionKind() sessions.Kind {
	if c.kind.IsCommands() {
		return sessions.Exec
	}
	return sessions.Kind(c.kind)
}

func newPlan(t testing.TB, p Policy) *Plan {
	t.Helper()
	plan, err := New(&p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// decided returns the decision in one line: "list record-type [broadcast] methods (reason)", or
// "not accounted".
func decided(t testing.TB, p *Plan, c call) string {
	t.Helper()
	text := p.Decide(c.kind, c.session()).Route
	if text == "" {
		return "not accounted"
	}
	r, err := accounting.ParseRoute(text)
	if err != nil {
		t.Fatal(err)
	}
	out := r.List + " " + r.Record.String()
	if r.Broadcast {
		out += " broadcast"
	}
	if r.SuppressNullUsername {
		out += " (if it has a User-Name)"
	}
	if r.InterimsToFirst {
		out += " (interims to the first)"
	}
	for _, m := range r.Methods {
		out += " " + string(m)
	}
	if r.Reason != "" {
		out += " (" + r.Reason + ")"
	}
	return out
}

func groups(names ...string) (all []accounting.MethodName) {
	for _, name := range names {
		all = append(all, accounting.Group(name))
	}
	return all
}

const (
	network    = Network
	exec       = Exec
	connection = Connection
)

func startStop(names ...string) Methods {
	return Methods{Record: accounting.StartStop, Methods: groups(names...)}
}

func stopOnly(names ...string) Methods {
	return Methods{Record: accounting.StopOnly, Methods: groups(names...)}
}

func broadcastTo(names ...string) Methods {
	m := startStop(names...)
	m.Broadcast = true
	return m
}

// namedLists is the example "Configuring Named Method List" of S1 and S2: the list red1 is applied
// to the lines 1 to 16. There TACACS+ is the second method.
var namedLists = Policy{
	Lists: []List{{network, "red1", startStop("radius", "second")}},
	Rules: []Rule{{Type: network, List: "red1", Ports: []PortRange{{1, 16}}}},
}

// Each case has the sentence of S1 and S2, or the title of the example, that it shows.
func TestDecide(t *testing.T) {
	lines := Policy{
		Lists: []List{
			{network, Default, startStop("loginrad")},
			{network, "red1", stopOnly("radius")},
			{network, "quiet", Methods{}},
			{network, "arap", startStop("arap")},
			{exec, "admins", startStop("tac")},
		},
		Rules: []Rule{
			{Type: network, List: "arap", Ports: []PortRange{{1, 20}}, Protocols: []uint32{arap}},
			{Type: network, List: "red1", Ports: []PortRange{{1, 16}, {40, 40}}},
			{Type: network, List: "quiet", Ports: []PortRange{{17, 20}}},
			{Type: network, List: "red1", PortIDs: []string{"Async*", "Gi0/0/?.100"}},
			{Type: network, List: Default, Clients: []string{"wholesale"}, Ports: []PortRange{{200, 299}}},
			{Type: network, List: "quiet", Clients: []string{"wholesale", "lab"}},
			{Type: exec, List: "admins", Clients: []string{"lab"}},
		},
		Clients: []Client{
			{"all", netip.MustParsePrefix("192.0.2.0/24")},
			{"wholesale", netip.MustParsePrefix("192.0.2.128/25")},
			{"lab", netip.MustParsePrefix("192.0.2.7/32")},
		},
	}
	dnis := Policy{
		Lists: []List{{network, Default, stopOnly("radius")}, {exec, Default, stopOnly("radius")}, {network, "red1", startStop("radius")}},
		Rules: []Rule{{Type: network, List: "red1", Ports: []PortRange{{1, 16}}}},
		DNIS:  []Number{{"7777", broadcastTo("isp", "isp_customer")}, {"8888", Methods{}}},
	}
	suppress := Policy{
		Lists: []List{{exec, Default, stopOnly("a")}, {network, "red1", startStop("b")}}, Rules: []Rule{{Type: network, List: "red1", Ports: []PortRange{{5, 5}}}},
		DNIS: []Number{{"7777", broadcastTo("c", "d")}}, SuppressNullUsername: true,
	}
	ssg := broadcastTo("isp", "isp_customer")
	ssg.InterimsToFirst = true
	tests := []struct {
		sentence string
		policy   Policy
		call     call
		want     string
	}{
		{"If no default method list is defined, then no accounting takes place", Policy{}, call{kind: network}, "not accounted"},
		{
			"To create a default list that is used when a named list is not specified, use the default keyword",
			Policy{Lists: []List{{network, Default, stopOnly("radius")}}},
			call{kind: network},
			"network/default stop-only group radius",
		},
		{
			"Accounting method lists are specific to the type of accounting being requested",
			Policy{Lists: []List{{network, Default, startStop("radius")}, {exec, Default, stopOnly("exec")}}},
			call{kind: exec},
			"exec/default stop-only group exec",
		},
		{"... and there is none for connections", Policy{Lists: []List{{network, Default, startStop("radius")}}}, call{kind: connection}, "not accounted"},
		{
			"If the RADIUS server fails to respond, accounting services are handled by a TACACS+ server", namedLists,
			call{kind: network, port: 16},
			"network/red1 start-stop group radius group second (NAS-Port 1-16)",
		},
		{
			"Accounting method lists must be applied to specific lines or interfaces before any of the defined methods are performed", namedLists,
			call{kind: network, port: 17},
			"not accounted",
		},
		{"... and a session without NAS-Port is on no line", namedLists, call{kind: network}, "not accounted"},
		{
			"The default method list is automatically applied to all interfaces except those that have a named method list explicitly defined", lines,
			call{kind: network, port: 21},
			"network/default start-stop group loginrad",
		},
		{
			"A defined method list overrides the default method list", lines,
			call{kind: network, port: 3},
			"network/red1 stop-only group radius (NAS-Port 1-16 or 40)",
		},
		{"... on another of its lines", lines, call{kind: network, port: 40}, "network/red1 stop-only group radius (NAS-Port 1-16 or 40)"},
		{"To stop all accounting activities on this line or interface, use the none keyword", lines, call{kind: network, port: 18}, "not accounted"},
		{
			"Applies the accounting method list to an interface or set of interfaces", lines,
			call{kind: network, port: 99, portID: "Async5"},
			"network/red1 stop-only group radius (NAS-Port-Id Async* or Gi0/0/?.100)",
		},
		{"... by another pattern", lines, call{kind: network, portID: "Gi0/0/3.100"}, "network/red1 stop-only group radius (NAS-Port-Id Async* or Gi0/0/?.100)"},
		{"... and not to others", lines, call{kind: network, portID: "Gi0/0/33.100"}, "network/default start-stop group loginrad"},
		{"accounting arap: a list of its own on the line", lines, call{kind: network, port: 3, protocol: arap}, "network/arap start-stop group arap (NAS-Port 1-20, Framed-Protocol ARAP)"},
		{
			"Accounting method lists for SLIP follow whatever is configured for PPP on the relevant interface", lines,
			call{kind: network, port: 3, protocol: slip},
			"network/red1 stop-only group radius (NAS-Port 1-16 or 40)",
		},
		{"PPP there", lines, call{kind: network, port: 3, protocol: ppp}, "network/red1 stop-only group radius (NAS-Port 1-16 or 40)"},
		{"lists by NAS", lines, call{kind: exec, from: "192.0.2.7", port: 3}, "exec/admins start-stop group tac (client lab)"},
		{"the NAS of the longest prefix", lines, call{kind: exec, from: "192.0.2.8"}, "not accounted"},
		{"the first entry decides", lines, call{kind: network, from: "192.0.2.200", port: 201}, "network/default start-stop group loginrad (client wholesale, NAS-Port 200-299)"},
		{"the second does not decide before it", lines, call{kind: network, from: "192.0.2.200", port: 301}, "not accounted"},
		{
			"Example: Configuring AAA Broadcast Accounting",
			Policy{Lists: []List{{network, Default, broadcastTo("isp", "isp_customer")}}},
			call{kind: network},
			"network/default start-stop broadcast group isp group isp_customer",
		},
		{
			"SSG Restriction: broadcasts only start-stop accounting records",
			Policy{Lists: []List{{network, Default, ssg}}},
			call{kind: network},
			"network/default start-stop broadcast (interims to the first) group isp group isp_customer",
		},
		{
			"To prevent accounting records from being generated for sessions that do not have usernames associated with them", suppress,
			call{kind: exec},
			"exec/default stop-only (if it has a User-Name) group a",
		},
		{"... on the lines of a named list", suppress, call{kind: network, port: 5}, "network/red1 start-stop (if it has a User-Name) group b (NAS-Port 5)"},
		{"... and with a number of the DNIS map", suppress, call{kind: network, called: "7777"}, "network/dnis:7777 start-stop broadcast (if it has a User-Name) group c group d"},
		{"... but a session without a list is not accounted anyway", suppress, call{kind: network}, "not accounted"},
		{"Example: Configuring per-DNIS AAA Broadcast Accounting", dnis, call{kind: network, called: "7777"}, "network/dnis:7777 start-stop broadcast group isp group isp_customer"},
		{"This command has precedence over the global aaa accounting command", dnis, call{kind: network, port: 3, called: "7777"}, "network/dnis:7777 start-stop broadcast group isp group isp_customer"},
		{"... also with none", dnis, call{kind: network, port: 3, called: "8888"}, "not accounted"},
		{"another number has the list of its line", dnis, call{kind: network, port: 3, called: "77777"}, "network/red1 start-stop group radius (NAS-Port 1-16)"},
		{"... or the default list", dnis, call{kind: network, called: "777"}, "network/default stop-only group radius"},
		{"aaa dnis map accounting network: the map is for network sessions", dnis, call{kind: exec, called: "7777"}, "exec/default stop-only group radius"},
		{"an unknown kind", dnis, call{kind: 99, called: "7777"}, "not accounted"},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			if got := decided(t, newPlan(t, tt.policy), tt.call); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// The features of a session are its first values, and a value of the wrong length is none.
func TestDecideFirstValue(t *testing.T) {
	plan := newPlan(t, namedLists)
	for name, tt := range map[string]struct {
		attrs []byte
		want  bool
	}{
		"two ports, the first counts": {radius.AppendUint32(radius.AppendUint32(nil, radius.NASPort, 3), radius.NASPort, 99), true},
		"the second does not":         {radius.AppendUint32(radius.AppendUint32(nil, radius.NASPort, 99), radius.NASPort, 3), false},
		"a port of two octets":        {radius.AppendAttribute(nil, radius.NASPort, "\x00\x03"), false},
		"no attributes":               {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sessions.Session{Kind: sessions.Network, Attrs: radius.Attributes(tt.attrs)} // and no NAS
			if got := plan.Route(sessions.Network, s) != ""; got != tt.want {
				t.Errorf("accounted: %t", got)
			}
		})
	}
}

func TestNewFaults(t *testing.T) {
	long := strings.Repeat("x", 101)
	list := func(m Methods) Policy { return Policy{Lists: []List{{network, Default, m}}} }
	tests := []struct {
		name   string
		policy Policy
		want   string // "" for none
	}{
		{"nothing", Policy{}, ""},
		{"none needs no method", list(Methods{}), ""},
		{"four in a broadcast", list(broadcastTo("a", "b", "c", "d")), ""},
		{"five in a broadcast", list(broadcastTo("a", "b", "c", "d", "e")), "network/default: a broadcast to 5 methods: records can be sent to at most 4 at the same time"},
		{"five one after the other", list(startStop("a", "b", "c", "d", "e")), ""},
		{"interims of no broadcast", list(Methods{Record: accounting.StartStop, InterimsToFirst: true, Methods: groups("a")}), "network/default: only a start-stop broadcast can leave interims to its first method"},
		{"interims of stops", list(Methods{Record: accounting.StopOnly, Broadcast: true, InterimsToFirst: true, Methods: groups("a")}), "network/default: only a start-stop broadcast can leave"},
		{"no method", list(stopOnly()), "network/default: a stop-only list needs a method"},
		{"record type", list(Methods{Record: 7, Methods: groups("a")}), "network/default: record type record-type(7) is not allowed for network"},
		{"a method twice", list(startStop("a", "a")), `network/default: method "group a" is listed twice`},
		{"a method that is none", list(Methods{Record: accounting.StopOnly, Methods: []accounting.MethodName{"radius"}}), `network/default: method "radius" is neither`},
		{"two default lists", Policy{Lists: []List{{exec, Default, Methods{}}, {network, Default, Methods{}}, {exec, Default, Methods{}}}}, "exec/default: the list is defined twice"},
		{"a start waits", list(Methods{Record: accounting.StartStop, DelayStart: MaxDelayStart, Methods: groups("a")}), ""},
		{"a start waits too long", list(Methods{Record: accounting.StartStop, DelayStart: MaxDelayStart + 1, Methods: groups("a")}), "network/default: the delay 10m0.000000001s of starts is not between 0s and 10m0s"},
		{"a start waits a negative time", list(Methods{Record: accounting.StartStop, DelayStart: -1, Methods: groups("a")}), "the delay -1ns of starts"},
		{"stops wait", list(Methods{Record: accounting.StopOnly, DelayStart: 1, Methods: groups("a")}), "only starts of a start-stop list whose interims go to all methods"},
		{"starts wait for interims of another method", list(Methods{Record: accounting.StartStop, DelayStart: 1, Broadcast: true, InterimsToFirst: true, Methods: groups("a", "b")}), "only starts of a start-stop list whose interims go to all methods"},
		{"exec starts wait", Policy{Lists: []List{{exec, Default, Methods{Record: accounting.StartStop, DelayStart: 1, Methods: groups("a")}}}}, "exec/default: only starts of network sessions"},
		{"no name", Policy{Lists: []List{{network, "", Methods{}}}}, "network/: the name of a list must have 1 to 100 octets"},
		{"long name", Policy{Lists: []List{{network, long, Methods{}}}}, "the name of a list must have 1 to 100 octets"},
		{"name of a number", Policy{Lists: []List{{network, "dnis:7", Methods{}}}}, `not begin with "dnis:"`},
		{"kind", Policy{Lists: []List{{99, Default, Methods{}}}}, "type(99)/default: unknown accounting type"},
		{"unknown list", Policy{Rules: []Rule{{Type: exec, List: "red", PortIDs: []string{"*"}}}}, "rule 1: there is no list exec/red"},
		{"list of another kind", Policy{Lists: []List{{network, "red", Methods{}}}, Rules: []Rule{{Type: exec, List: "red", PortIDs: []string{"*"}}}}, "rule 1: there is no list exec/red"},
		{"no condition", Policy{Lists: []List{{exec, "red", Methods{}}}, Rules: []Rule{{Type: exec, List: "red"}}}, "rule 1: it has no condition"},
		{"unknown client", Policy{Lists: []List{{exec, "red", Methods{}}}, Rules: []Rule{{Type: exec, List: "red", Clients: []string{"a"}}}}, "rule 1: no client is called a"},
		{"ports", Policy{Lists: []List{{exec, "red", Methods{}}}, Rules: []Rule{{Type: exec, List: "red", Ports: []PortRange{{2, 1}}}}}, "rule 1: NAS-Port 2-1: the first port is after the last"},
		{"empty pattern", Policy{Lists: []List{{exec, "red", Methods{}}}, Rules: []Rule{{Type: exec, List: "red", PortIDs: []string{""}}}}, "rule 1: an empty pattern for NAS-Port-Id matches nothing"},
		{"a number twice", Policy{DNIS: []Number{{"7777", Methods{}}, {"7777", Methods{}}}}, "DNIS number 7777: the number is in the map twice"},
		{"no number", Policy{DNIS: []Number{{"", Methods{}}}}, "DNIS number : a number must have 1 to 95 octets"},
		{"long number", Policy{DNIS: []Number{{long[:96], Methods{}}}}, "a number must have 1 to 95 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(&tt.policy)
			switch {
			case (err == nil) != (tt.want == ""):
				t.Errorf("got %v, want %q", err, tt.want)
			case err != nil && (!strings.HasPrefix(err.Error(), ErrPolicy.Error()+": ") || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	_, err := New(&Policy{Lists: []List{{connection, Default, stopOnly()}, {network, Default, broadcastTo("a", "b", "c", "d", "a")}}})
	want := `accounting: bad policy: connection/default: a stop-only list needs a method
accounting: bad policy: network/default: a broadcast to 5 methods: records can be sent to at most 4 at the same time
accounting: bad policy: network/default: method "group a" is listed twice`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
}

func TestMethodsByList(t *testing.T) {
	p := Policy{
		Lists: []List{{network, Default, startStop("a", "b")}, {exec, "quiet", Methods{}}},
		DNIS:  []Number{{"7777", broadcastTo("c", "d")}, {"8888", Methods{}}},
	}
	want := map[string][]accounting.MethodName{"network/default": groups("a", "b"), "network/dnis:7777": groups("c", "d")}
	if diff := cmp.Diff(want, p.MethodsByList()); diff != "" {
		t.Error(diff)
	}
}
