package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"aaasess/cmd/internal/api"
	"aaasess/internal/tacacs"
	"aaasess/internal/tacacs/tacacstest"
	"aaasess/sessions/radius/radiustest"
)

// listenTACACS runs a TACACS+ server until the test ends. Then no client may have done anything that
// RFC 8907 does not allow.
func listenTACACS(t *testing.T) *tacacstest.Server {
	t.Helper()
	s := tacacstest.New("tacacs key")
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		for _, problem := range s.Problems() {
			t.Error(problem)
		}
	})
	return s
}

// tacacsText returns the section tacacs with a group of one server for each of these.
func tacacsText(groups map[string]*tacacstest.Server, keys ...string) string {
	text, made := "tacacs:\n  servers:\n", "  groups:\n"
	for name, s := range groups {
		port := netip.MustParseAddrPort(s.Addr()).Port()
		text += fmt.Sprintf("    - {name: %s, address: 127.0.0.1, port: %d, key: \"tacacs key\"}\n", name, port)
		made += fmt.Sprintf("    - {name: %s, servers: [%s], timeout: 200ms, hold-down: 0s%s}\n", name, name, strings.Join(keys, ""))
	}
	return text + made
}

// mixedConfig returns plainConfig with groups of both protocols, and with the text of
// accounting.network.
func mixedConfig(t *testing.T, network string, ofRADIUS map[string]*upstream, ofTACACS map[string]*tacacstest.Server) string {
	t.Helper()
	text := with(t, plainConfig, "{default: {record: start-stop, methods: [local]}}", network)
	if len(ofRADIUS) > 0 {
		text = listsConfig(t, network, ofRADIUS)
	}
	if len(ofTACACS) > 0 {
		text = with(t, text, "accounting:\n  network", tacacsText(ofTACACS)+"accounting:\n  network")
	}
	return text
}

// kindOf returns the type of a record and its task_id.
func kindOf(r *tacacs.AcctRequest) string {
	kind := map[tacacs.AcctFlags]string{
		tacacs.AcctFlagStart: "START", tacacs.AcctFlagStop: "STOP", tacacs.AcctFlagWatchdog: "WATCHDOG", tacacs.AcctFlagWatchdog | tacacs.AcctFlagStart: "UPDATE",
	}[r.Flags]
	for _, arg := range r.Args {
		if id, ok := strings.CutPrefix(arg, "task_id="); ok {
			return kind + " " + id
		}
	}
	return kind
}

// stored returns the records that a server has acknowledged, each once, in the order of their first
// arrivals.
func stored(s *tacacstest.Server) (out []string) {
	for _, a := range s.Acknowledged() {
		if kind := kindOf(&a.Request); !slices.Contains(out, kind) {
			out = append(out, kind)
		}
	}
	return out
}

func awaitStored(t *testing.T, s *tacacstest.Server, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settleLimit)
	defer cancel()
	if err := s.Await(ctx, func() bool { return slices.Equal(stored(s), want) }); err != nil {
		t.Fatalf("%v: the server has %q, want %q", err, stored(s), want)
	}
}

// TestRelayToTACACS: a RADIUS NAS reports a session, and a TACACS+ server gets its start, its update
// and its stop. The commands for operators know the group.
func TestRelayToTACACS(t *testing.T) {
	s := listenTACACS(t)
	text := mixedConfig(t, "{default: {record: start-stop, methods: [group tacacs+]}}", nil, map[string]*tacacstest.Server{"devices": s})
	l := launch(t, with(t, text, "accounting:\n  network", "  ports: [{nas-port-type: [Async], text: tty%d}]\naccounting:\n  network"), environment{})
	line := func(p *layeh.Packet) error {
		return errors.Join(rfc2865.NASPort_Set(p, 3), rfc2865.NASPortType_Set(p, rfc2865.NASPortType_Value_Async), rfc2865.CallingStationID_SetString(p, "562"),
			rfc2865.CalledStationID_SetString(p, "4327528"), rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_FramedUser), rfc2865.FramedProtocol_Set(p, rfc2865.FramedProtocol_Value_PPP))
	}
	octets := func(p *layeh.Packet) error {
		return errors.Join(rfc2866.AcctInputOctets_Set(p, 3075), rfc2866.AcctOutputOctets_Set(p, 167), rfc2866.AcctSessionTime_Set(p, 62))
	}
	l.mustAccount(packet(acctStart, "S1", "username1", line), packet(acctInterim, "S1", "username1", line, octets), packet(acctStop, "S1", "username1", line, octets))
	awaitStored(t, s, "START 1", "WATCHDOG 1", "STOP 1")
	for _, a := range s.Acknowledged() {
		if r := a.Request; r.User != "username1" || r.Port != "tty3" || r.RemAddr != "562/4327528" || !slices.Contains(r.Args, "service=ppp") {
			t.Errorf("%+v", r)
		}
	}
	if stop := s.Acknowledged()[2].Request; !slices.Contains(stop.Args, "bytes_in=3075") || !slices.Contains(stop.Args, "bytes_out=167") || !slices.Contains(stop.Args, "elapsed_time=62") {
		t.Errorf("%q", stop.Args)
	}

	for _, name := range []string{"devices", "tacacs+"} { // one of them sends, both have the server
		var g api.ServerGroup
		eventually(t, "the answers are counted", func() bool { g = l.group(name); return g.Servers[0].Statistics.Successes == 3 }, &g)
		if server := g.Servers[0]; g.Protocol != api.TACACS || server.OperState != "up" || server.TACACS == nil ||
			!server.TACACS.Agreed || server.TACACS.Watchdog != "plain" || server.TACACS.Opened != 1 {
			t.Errorf("group %s is %+v", name, g)
		}
	}
	var q api.Queue
	eventually(t, "the queue is empty", func() bool {
		q = l.queue("group/tacacs+")
		return q.Configured && q.Delivered == 3 && q.OperState == "up"
	}, &q)
	status, err := l.client().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if servers := string(status.Sections["servers"]); !strings.Contains(servers, `"tacacs+":`) || !strings.Contains(servers, `"singleConnection":true`) {
		t.Errorf("the status has %s", servers)
	}
}

// TestNextMethodOfOtherProtocol: additional methods are used only if the previous method returns an
// error (R42), whatever the protocols.
func TestNextMethodOfOtherProtocol(t *testing.T) {
	t.Run("RADIUS does not answer", func(t *testing.T) {
		first, next := listen(t, "127.0.0.1:0"), listenTACACS(t)
		first.setSilent(true)
		l := launch(t, mixedConfig(t, "{default: {record: start-stop, methods: [group isp, group devices]}}",
			map[string]*upstream{"isp": first}, map[string]*tacacstest.Server{"devices": next}), environment{})
		l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStop, "S1", "alice"))
		awaitStored(t, next, "START 1", "STOP 1")
		var q api.Queue
		eventually(t, "they count as sent elsewhere", func() bool { q = l.queue("group/isp"); return q.Elsewhere == 2 && q.Records == 0 }, &q)
	})
	for name, fail := range map[string]func(*tacacstest.Server){
		"TACACS+ is down":            (*tacacstest.Server).Stop,
		"TACACS+ answers ERROR":      func(s *tacacstest.Server) { s.Set(tacacstest.Behavior{Status: tacacs.StatusError}) },
		"TACACS+ has another key":    func(s *tacacstest.Server) { s.Set(tacacstest.Behavior{Key: "another"}) },
		"TACACS+ accepts and stalls": func(s *tacacstest.Server) { s.Set(tacacstest.Behavior{Stall: true}) },
	} {
		t.Run(name, func(t *testing.T) {
			first, next := listenTACACS(t), listen(t, "127.0.0.1:0")
			fail(first)
			l := launch(t, mixedConfig(t, "{default: {record: start-stop, methods: [group devices, group isp]}}",
				map[string]*upstream{"isp": next}, map[string]*tacacstest.Server{"devices": first}), environment{})
			l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStop, "S1", "alice"))
			eventuallyOrder(t, "group isp", next, storeRecord(acctStart, 1), storeRecord(acctStop, 1))
			if kinds := stored(first); len(kinds) > 0 {
				t.Errorf("the first method accepted %q", kinds)
			}
		})
	}
}

// TestRecordsAreKept: whatever the only server answers, a record waits until it is accepted. Operators
// see that it waits, and where.
func TestRecordsAreKept(t *testing.T) {
	for name, b := range map[string]tacacstest.Behavior{
		"ERROR":               {Status: tacacs.StatusError},
		"FOLLOW":              {Status: tacacs.StatusFollow},
		"nothing":             {Silent: true},
		"garbage":             {Garbage: []byte("HTTP/1.1 400 Bad Request")},
		"a part of an answer": {Cut: 7},
		"another session":     {OtherSession: true},
		"with another key":    {Key: "another"},
		"without a key":       {Unencrypted: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := listenTACACS(t)
			s.Set(b)
			l := launch(t, mixedConfig(t, "{default: {record: start-stop, methods: [group devices]}}", nil, map[string]*tacacstest.Server{"devices": s}), environment{})
			l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStop, "S1", "alice"))
			var q api.Queue
			eventually(t, "an attempt has failed", func() bool { q = l.queue("group/devices"); return q.NoResponse > 0 }, &q)
			if q.Records != 2 || q.Delivered != 0 || q.SetAside != 0 {
				t.Errorf("the queue is %+v", q)
			}
			e, err := l.client().Explain(t.Context(), "00000001")
			if err != nil || len(e.Records) != 2 || e.Records[0].Type != "Start" || e.Records[1].Type != "Stop" {
				t.Errorf("explained: %+v, %v", e, err)
			}
			s.Set(tacacstest.Behavior{})
			awaitStored(t, s, "START 1", "STOP 1")
			eventually(t, "nothing waits", func() bool { q = l.queue("group/devices"); return q.Records == 0 && q.Delivered == 2 }, &q)
		})
	}
}

// TestMixedBroadcast: a broadcast to both protocols. The server of one is down, which delays the other
// in nothing; it gets all records later.
func TestMixedBroadcast(t *testing.T) {
	r, s := listen(t, "127.0.0.1:0"), listenTACACS(t)
	s.Stop()
	l := launch(t, mixedConfig(t, "{default: {record: start-stop, broadcast: true, methods: [group isp, group devices]}}",
		map[string]*upstream{"isp": r}, map[string]*tacacstest.Server{"devices": s}), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"), packet(acctStop, "S1", "alice"))
	eventuallyOrder(t, "group isp", r, storeRecord(acctStart, 1), storeRecord(acctStart, 2), storeRecord(acctStop, 1))
	if n := l.queue("group/devices").Records; n != 3 {
		t.Errorf("%d records wait", n)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	var got []string
	eventually(t, "the server has all", func() bool {
		got = stored(s)
		return len(got) == 3 && slices.Index(got, "START 1") < slices.Index(got, "STOP 1") && slices.Contains(got, "START 2")
	}, &got)
	eventually(t, "the queue is empty", func() bool { return l.queue("group/devices").Records == 0 })
}

// TestReloadOfTACACS: a reload adds a group of TACACS+ servers, changes it, and removes it. Nothing is
// lost, and a reload with a fault changes nothing.
func TestReloadOfTACACS(t *testing.T) {
	r, s := listen(t, "127.0.0.1:0"), listenTACACS(t)
	before := mixedConfig(t, "{default: {record: start-stop, methods: [group isp]}}", map[string]*upstream{"isp": r}, nil)
	after := mixedConfig(t, "{default: {record: start-stop, methods: [group devices]}}", map[string]*upstream{"isp": r}, map[string]*tacacstest.Server{"devices": s})
	l := launch(t, before, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.reload(with(t, after, "servers: [devices]", "servers: [devices, isp]"), "configuration not loaded")
	l.reload(after, "configuration loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"), packet(acctStop, "S1", "alice")) // S1 keeps its route
	awaitStored(t, s, "START 2")
	eventuallyOrder(t, "group isp", r, storeRecord(acctStart, 1), storeRecord(acctStop, 1))

	l.reload(with(t, after, "hold-down: 0s}\naccounting", "hold-down: 0s, attributes: true, window: 7}\naccounting"), "configuration loaded")
	if g := l.group("devices"); g.Window != 7 || g.Servers[0].Statistics.Successes != 1 { // it runs on
		t.Errorf("after a change the group is %+v", g)
	}
	l.reload(before, "configuration loaded")
	l.mustAccount(packet(acctStart, "S3", "carol"), packet(acctStop, "S2", "bob")) // the last one that names it
	awaitStored(t, s, "START 2", "STOP 2")
	eventually(t, "it is removed", func() bool { return l.isRemoved(`"group devices"`) })
	eventually(t, "its connections are closed", func() bool { return s.Open() == 0 })
}

// TestSystemToTACACS: a system list for both protocols sends an Accounting-On and a system record, and
// the ends of both. The TACACS+ server has them first and last. An operator can have them sent too.
func TestSystemToTACACS(t *testing.T) {
	r, s := listen(t, "127.0.0.1:0"), listenTACACS(t)
	text := mixedConfig(t, "{default: {record: start-stop, methods: [group devices]}}", map[string]*upstream{"isp": r}, map[string]*tacacstest.Server{"devices": s})
	l := launch(t, with(t, text, "  local: {file", "  system: {default: {record: start-stop, broadcast: true, methods: [group isp, group devices]}}\n  local: {file"), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "the record is stored", func() bool { return slices.Contains(stored(s), "START 1") })
	if on := l.group("devices").AcctOnOff; !on.Enabled || on.State != api.StateOn || on.Server != "devices" {
		t.Errorf("acct-on-off is %+v", on)
	}
	for _, tt := range []struct {
		action api.Action
		flags  tacacs.AcctFlags
	}{{api.AcctOff, tacacs.AcctFlagStop}, {api.AcctOn, tacacs.AcctFlagStart}} {
		if _, err := l.client().Perform(t.Context(), api.PerformRequest{Group: "devices", Action: tt.action}); err != nil {
			t.Fatal(err)
		}
		eventually(t, string(tt.action)+" is stored", func() bool {
			return slices.ContainsFunc(s.Acknowledged(), func(a tacacstest.Arrival) bool {
				return a.Request.Flags == tt.flags && slices.Contains(a.Request.Args, "service=system") && slices.Contains(a.Request.Args, "reason=reconfigure")
			})
		})
	}
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	all := s.Acknowledged()
	first, last := all[0].Request, all[len(all)-1].Request
	if first.Flags != tacacs.AcctFlagStart || !slices.Contains(first.Args, "service=system") || !slices.Contains(first.Args, "reason=reload") {
		t.Errorf("the first record is %+v", first)
	}
	if last.Flags != tacacs.AcctFlagStop || !slices.Contains(last.Args, "service=system") {
		t.Errorf("the last record is %+v", last)
	}
	if all := r.order(); !slices.Equal(all, []string{"Accounting-On", "Accounting-Off"}) {
		t.Errorf("group isp got %q", all)
	}
}

// TestTACACSAfterKill: records wait for a TACACS+ server that is down when the daemon is killed. The
// next daemon delivers them, in order.
func TestTACACSAfterKill(t *testing.T) {
	s := listenTACACS(t)
	s.Stop()
	text := mixedConfig(t, "{default: {record: start-stop, methods: [group devices]}}", nil, map[string]*tacacstest.Server{"devices": s})
	l := launch(t, text, environment{})
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	var out lines
	cmd := process(t, l.dir, &out, "--config", l.file)
	eventually(t, "it is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
	_, addr, _ := strings.Cut(out.String(), "accounting=[")
	addr, _, _ = strings.Cut(addr, "]")
	for _, p := range []*layeh.Packet{packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"), packet(acctStop, "S1", "alice")} {
		if _, err := radiustest.Account(t.Context(), netip.AddrPort{}, netip.MustParseAddrPort(addr), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
	l.mustAccount(packet(acctStop, "S2", "bob"))
	var got []string
	eventually(t, "the server has all", func() bool { got = stored(s); return len(got) == 4 }, &got)
	for _, session := range []string{"1", "2"} {
		if slices.Index(got, "START "+session) > slices.Index(got, "STOP "+session) {
			t.Errorf("session %s arrived as %q", session, got)
		}
	}
}

// TestResyncOfTACACS: the servers of a group are told of a live session again, with the mark of the
// group. "aaasess explain" says where the records are.
func TestResyncOfTACACS(t *testing.T) {
	s := listenTACACS(t)
	text := mixedConfig(t, "{default: {record: start-stop, methods: [group devices]}}", nil, map[string]*tacacstest.Server{"devices": s})
	l := launch(t, with(t, text, "hold-down: 0s}", "hold-down: 0s, resync-mark: told-again}"), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	awaitStored(t, s, "START 1")
	if _, err := l.client().BeginResync(t.Context(), "devices", api.ResyncRequest{}); err != nil {
		t.Fatal(err)
	}
	if r := l.awaitResync("devices"); r.State != "done" || r.Records != 1 {
		t.Errorf("the resync is %+v", r)
	}
	awaitStored(t, s, "START 1", "WATCHDOG 1")
	if args := s.Acknowledged()[1].Request.Args; !slices.Contains(args, "told-again*resync") {
		t.Errorf("%q", args)
	}
	if e := l.explain("00000001"); e == nil || !strings.Contains(fmt.Sprintf("%+v", *e), "group devices") {
		t.Errorf("%+v", e)
	}
}
