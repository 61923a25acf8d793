package snmpmanager

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
	"pgregory.net/rapid"

	"aaasess/cmd/internal/snmpmanager/managertest"
)

var compareAddrs = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

// start starts an agent, and returns a manager for it and its target.
func start(t *testing.T, rows map[uint32]managertest.Row) (*managertest.Agent, *Manager, Target) {
	t.Helper()
	a, err := managertest.Start("public", rows)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	target, err := ParseTarget(a.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return a, &Manager{Credentials: Credentials{Community: "public"}, Timeout: 30 * time.Second}, target
}

// The sessions of most tests, and how the manager sees them.
func exampleRows() map[uint32]managertest.Row {
	return map[uint32]managertest.Row{
		13:             {User: "alice", Address: "10.0.0.98", Idle: 61, Port: ".1.3.6.1.2.1.2.2.1.1.7", IfIndex: 9},
		14:             {User: "\x1b[31m\xff", Idle: math.MaxUint32, Disconnect: true, Port: ".1.3.6.1.4.1.9"},
		math.MaxUint32: {},
	}
}

func exampleSessions(host string) []Session {
	return []Session{
		{Host: host, Number: 13, User: "alice", Address: netip.MustParseAddr("10.0.0.98"), Idle: 61, Port: "1.3.6.1.2.1.2.2.1.1.7", PortIfIndex: 7, IfIndex: 9},
		{Host: host, Number: 14, User: "\x1b[31m\xff", Idle: math.MaxUint32, Terminating: true, Port: "1.3.6.1.4.1.9"},
		{Host: host, Number: math.MaxUint32},
	}
}

func TestAsk(t *testing.T) {
	agent, m, target := start(t, exampleRows())
	all := exampleSessions(target.Name)
	for name, tt := range map[string]struct {
		filter Filter
		want   []Session
	}{
		"all":                  {Filter{}, all},
		"numbers":              {Filter{Numbers: []uint32{math.MaxUint32, 12, 13}}, []Session{all[2], all[0]}},
		"a user":               {Filter{User: IsUser("alice")}, all[:1]},
		"an escaped user":      {Filter{User: IsUser("\x1b[31m\xff")}, all[1:2]},
		"a number and a user":  {Filter{Numbers: []uint32{14}, User: IsUser("alice")}, nil},
		"an address":           {Filter{Address: netip.MustParsePrefix("10.0.0.98/32")}, all[:1]},
		"a prefix":             {Filter{Address: netip.MustParsePrefix("10.0.0.0/8")}, all[:1]},
		"another prefix":       {Filter{Address: netip.MustParsePrefix("0.0.0.0/5")}, nil},
		"active sessions":      {Filter{State: Active}, []Session{all[0], all[2]}},
		"terminating sessions": {Filter{State: Terminating}, all[1:2]},
	} {
		t.Run(name, func(t *testing.T) {
			got := m.Ask(t.Context(), target, &tt.filter)
			if diff := cmp.Diff(tt.want, got.Sessions, compareAddrs); diff != "" || got.Err != nil {
				t.Errorf("%v %s", got.Err, diff)
			}
			if got.Totals.Entries == nil || *got.Totals.Entries != 3 || *got.Totals.HighWater != 1000 || *got.Totals.Total != 2000 || *got.Totals.Disconnected != 0 {
				t.Errorf("%+v", got.Totals)
			}
		})
	}
	agent.Change(func(a *managertest.Agent) { a.NoScalars = true })
	if got := m.Ask(t.Context(), target, &Filter{}); got.Err != nil || len(got.Sessions) != 3 || got.Totals != (Totals{}) {
		t.Errorf("without scalars: %+v", got)
	}
	agent.Change(func(a *managertest.Agent) { a.SetRows(nil) })
	if got := m.Ask(t.Context(), target, &Filter{}); !errors.Is(got.Err, ErrNoTable) {
		t.Errorf("with neither scalars nor rows: %v", got.Err)
	}
	agent.Change(func(a *managertest.Agent) { a.NoScalars = false })
	if got := m.Ask(t.Context(), target, &Filter{}); got.Err != nil || len(got.Sessions) != 0 {
		t.Errorf("without rows: %+v", got)
	}
}

// TestShortReplies: whatever part of a reply an agent leaves out, all cells are read once.
func TestShortReplies(t *testing.T) {
	agent, m, target := start(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		rows := map[uint32]managertest.Row{}
		for _, n := range rapid.SliceOfN(rapid.Uint32Range(1, math.MaxUint32), 0, 60).Draw(t, "numbers") {
			rows[n] = managertest.Row{User: fmt.Sprint("user ", n), Idle: n, IfIndex: int(n >> 1)}
		}
		most := rapid.IntRange(1, 200).Draw(t, "variables of a reply")
		agent.Change(func(a *managertest.Agent) { a.MaxVars = most; a.SetRows(rows) })
		got := m.Ask(context.Background(), target, &Filter{})
		if got.Err != nil || len(got.Sessions) != len(rows) {
			t.Fatalf("%d sessions of %d: %v", len(got.Sessions), len(rows), got.Err)
		}
		last := uint32(0)
		for _, s := range got.Sessions {
			want := rows[s.Number]
			if s.Number <= last || s.User != want.User || s.Idle != want.Idle || s.IfIndex != uint32(want.IfIndex) {
				t.Fatalf("%+v after %d, want %+v", s, last, want)
			}
			last = s.Number
		}
	})
}

// TestTooBig: an agent that cannot shorten its replies is asked for fewer rows.
func TestTooBig(t *testing.T) {
	agent, m, target := start(t, exampleRows())
	agent.Change(func(a *managertest.Agent) {
		a.Spoil = func(reply *gosnmp.SnmpPacket) {
			if len(reply.Variables) > 4*len(columns) {
				reply.Error, reply.Variables = gosnmp.TooBig, nil
			}
		}
	})
	if got := m.Ask(t.Context(), target, &Filter{}); got.Err != nil || len(got.Sessions) != 3 {
		t.Errorf("%+v", got)
	}
}

// TestInvalidReplies: each breach of a rule is an error that says which, and never an endless walk.
func TestInvalidReplies(t *testing.T) {
	cell := func(col int, value gosnmp.SnmpPDU) func(*gosnmp.SnmpPacket) {
		return func(reply *gosnmp.SnmpPacket) {
			for i, v := range reply.Variables {
				if v.Name == fmt.Sprintf("%s.%d.13", entry, col) {
					value.Name = v.Name
					reply.Variables[i] = value
				}
			}
		}
	}
	bulk := func(change func(*gosnmp.SnmpPacket)) func(*gosnmp.SnmpPacket) {
		return func(reply *gosnmp.SnmpPacket) {
			if len(reply.Variables) > 10 {
				change(reply)
			}
		}
	}
	for name, tt := range map[string]struct {
		spoil func(*gosnmp.SnmpPacket)
		want  string
	}{
		"a user that is a number":       {cell(2, gosnmp.SnmpPDU{Type: gosnmp.Integer, Value: 1}), "invalid reply: casnUserId.13: wrong type Integer"},
		"a user of 256 octets":          {cell(2, gosnmp.SnmpPDU{Type: gosnmp.OctetString, Value: strings.Repeat("x", 256)}), "invalid reply: casnUserId.13: 256 octets, more than 255"},
		"an address that is a text":     {cell(3, gosnmp.SnmpPDU{Type: gosnmp.OctetString, Value: "10.0.0.1"}), "invalid reply: casnIpAddr.13: wrong type OctetString"},
		"a negative idle time":          {cell(4, gosnmp.SnmpPDU{Type: gosnmp.Integer, Value: -1}), "invalid reply: casnIdleTime.13: -1 is out of range"},
		"casnDisconnect 3":              {cell(5, gosnmp.SnmpPDU{Type: gosnmp.Integer, Value: 3}), "invalid reply: casnDisconnect.13: 3 is no TruthValue"},
		"a port that is a number":       {cell(7, gosnmp.SnmpPDU{Type: gosnmp.Integer, Value: 3}), "invalid reply: casnNasPort.13: wrong type Integer"},
		"an interface that is too high": {cell(8, gosnmp.SnmpPDU{Type: gosnmp.Gauge32, Value: uint32(1 << 31)}), "invalid reply: casnVaiIfIndex.13: 2147483648 is out of range"},
		"the same row for ever": {bulk(func(reply *gosnmp.SnmpPacket) {
			for i := 0; i < len(reply.Variables); i += len(columns) {
				reply.Variables[i] = gosnmp.SnmpPDU{Name: entry + ".2.13", Type: gosnmp.OctetString, Value: "x"}
			}
		}), "invalid reply: row 13 follows row 13"},
		"rows in reverse": {bulk(func(reply *gosnmp.SnmpPacket) {
			for i := range reply.Variables {
				reply.Variables[i].Name = fmt.Sprintf("%s.2.%d", entry, 100-i/len(columns))
				reply.Variables[i].Type, reply.Variables[i].Value = gosnmp.OctetString, "x"
			}
		}), "invalid reply: row 99 follows row 100"},
		"rows of two numbers":                 {cell(2, gosnmp.SnmpPDU{}), "-"},
		"an error-status that does not exist": {func(reply *gosnmp.SnmpPacket) { reply.Error = 200 }, "error-status 200"},
		"genErr":                              {func(reply *gosnmp.SnmpPacket) { reply.Error = gosnmp.GenErr }, "genErr"},
		"authorizationError":                  {func(reply *gosnmp.SnmpPacket) { reply.Error = gosnmp.AuthorizationError }, "authorizationError"},
		"no variables":                        {bulk(func(reply *gosnmp.SnmpPacket) { reply.Variables = nil }), "invalid reply: no variables"},
		"other names":                         {func(reply *gosnmp.SnmpPacket) { reply.Variables[0].Name = ".1.3.6" }, "invalid reply: .1.3.6 instead of .1.3.6.1.4.1.9.9.150.1.1.1.0"},
		"fewer variables":                     {func(reply *gosnmp.SnmpPacket) { reply.Variables = reply.Variables[:1] }, "invalid reply: 1 variables for 4 names"},
		"a request instead of a reply":        {func(reply *gosnmp.SnmpPacket) { reply.PDUType = gosnmp.GetRequest }, "invalid reply: PDU type 0xa0 instead of a Response"},
	} {
		if tt.want == "-" {
			tt.spoil = bulk(func(reply *gosnmp.SnmpPacket) { reply.Variables[0].Name = entry + ".2.13.1" })
			tt.want = "invalid reply: .1.3.6.1.4.1.9.9.150.1.1.3.1.2.13.1 is no row"
		}
		t.Run(name, func(t *testing.T) {
			agent, m, target := start(t, exampleRows())
			agent.Change(func(a *managertest.Agent) { a.Spoil = tt.spoil })
			got := m.Ask(t.Context(), target, &Filter{})
			if got.Err == nil || got.Err.Error() != tt.want {
				t.Errorf("got %v, want %s", got.Err, tt.want)
			}
		})
	}
}

// TestGarbledReplies: whatever octets arrive, the request ends with an error or a result, without a
// panic, and the error has no stack.
func TestGarbledReplies(t *testing.T) {
	agent, m, target := start(t, exampleRows())
	m.Timeout = 90 * time.Millisecond
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, 400).Draw(t, "position")
		to := rapid.Byte().Draw(t, "octet")
		cut := rapid.IntRange(0, 400).Draw(t, "cut")
		agent.Change(func(a *managertest.Agent) {
			a.Garble = func(b []byte) []byte {
				if at < len(b) {
					b[at] = to
				}
				if cut > 300 {
					b = b[:min(len(b), cut-300)]
				}
				return b
			}
		})
		got := m.Ask(context.Background(), target, &Filter{Numbers: []uint32{13}})
		if got.Err != nil && strings.ContainsAny(got.Err.Error(), "\n\x1b") {
			t.Errorf("%q", got.Err)
		}
	})
}

func TestDisconnect(t *testing.T) {
	agent, m, target := start(t, map[uint32]managertest.Row{1: {User: "alice"}, 2: {User: "bob"}, 3: {User: "carol"}})
	sessions := m.Ask(t.Context(), target, &Filter{}).Sessions
	agent.Change(func(a *managertest.Agent) {
		a.Refuse = map[uint32]gosnmp.SNMPError{2: gosnmp.InconsistentValue}
	})
	outcomes := func(sessions []Session) (out []string) {
		for r := range m.Disconnect(t.Context(), target, sessions) {
			out = append(out, fmt.Sprint(r.Number, " ", r.User, " ", r.Err))
		}
		return out
	}
	want := []string{"1 alice <nil>", "2 bob inconsistentValue", "3 carol <nil>", "4  noCreation"}
	if diff := cmp.Diff(want, outcomes(append(sessions, Session{Number: 4}))); diff != "" || !slices.Equal(agent.Sets(), []uint32{1, 3}) {
		t.Errorf("%v %s", agent.Sets(), diff)
	}
	agent.Change(func(a *managertest.Agent) { a.Silent = true })
	m.Timeout = 30 * time.Millisecond
	if diff := cmp.Diff([]string{"1 alice no answer", "2 bob not tried: the agent does not answer"}, outcomes(sessions[:2])); diff != "" {
		t.Error(diff)
	}
}

// TestSilentDelaysNobody: the answer of one agent comes while another one does not answer.
func TestSilentDelaysNobody(t *testing.T) {
	silent, m, silentTarget := start(t, nil)
	silent.Change(func(a *managertest.Agent) { a.Silent = true })
	_, _, target := start(t, exampleRows())
	m.Timeout = time.Hour
	for answer := range Each(t.Context(), []Target{silentTarget, target}, func(ctx context.Context, t Target) iter.Seq[Answer] {
		return One(m.Ask(ctx, t, &Filter{}))
	}) {
		if answer.Target != target || answer.Err != nil {
			t.Errorf("%+v", answer)
		}
		break // this cancels the other one
	}
}

func TestCanceled(t *testing.T) {
	agent, m, target := start(t, nil)
	agent.Change(func(a *managertest.Agent) { a.Silent = true })
	m.Timeout = time.Hour
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(stop) })
	if got := m.Ask(ctx, target, &Filter{}); !errors.Is(got.Err, stop) {
		t.Errorf("%v", got.Err)
	}
}

func TestNoAnswer(t *testing.T) {
	_, m, target := start(t, nil)
	m.Timeout, m.Credentials.Community = 30*time.Millisecond, "another"
	if got := m.Ask(t.Context(), target, &Filter{}); !errors.Is(got.Err, ErrNoAnswer) {
		t.Errorf("a wrong community: %v", got.Err)
	}
	agent, m, target := start(t, nil)
	agent.Close()
	t.Cleanup(func() {})
	if got := m.Ask(t.Context(), target, &Filter{}); !errors.Is(got.Err, ErrNoAnswer) || !strings.Contains(got.Err.Error(), "connection refused") {
		t.Errorf("a closed port: %v", got.Err)
	}
	if _, err := Open(t.Context(), target, Credentials{}, time.Second); !errors.Is(err, ErrCredentials) {
		t.Errorf("without credentials: %v", err)
	}
}
