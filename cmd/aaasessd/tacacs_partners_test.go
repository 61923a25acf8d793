//go:build partners

package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nwaples/tacplus"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/internal/partner"
	"aaasess/sessions"
)

// tacacsServer is a line of tacacs.servers.
func tacacsServer(name, addr, key string) string {
	at := netip.MustParseAddrPort(addr)
	return fmt.Sprintf("    - {name: %s, address: %s, port: %d, key: %q}\n", name, at.Addr(), at.Port(), key)
}

// tacacsConfig returns a configuration with TACACS+ servers and groups, and with accounting keys in
// place of those of plainConfig.
func tacacsConfig(t *testing.T, base, servers, groups, accounting string) string {
	t.Helper()
	section := "tacacs:\n  timeout: 500ms\n  hold-down: 1s\n  servers:\n" + servers + "  groups:\n" + groups
	return with(t, base, "accounting:\n  network", section+"accounting:\n  network", "  network: {default: {record: start-stop, methods: [local]}}\n", accounting)
}

// TestTACACSRecords: what tacquito logs of a network session and of a login that a NAS reports over
// RADIUS.
func TestTACACSRecords(t *testing.T) {
	p := partner.Tacquito(t, partner.TacquitoOptions{Users: []string{"alice", "bob"}})
	const lists = "  network: {default: {record: start-stop, methods: [group T]}}\n  exec: {default: {record: start-stop, methods: [group T]}}\n"
	l := launch(t, tacacsConfig(t, plainConfig, tacacsServer("t1", p.Addr, p.Key), "    - {name: T, servers: [t1]}\n", lists), environment{})
	ppp := func(p *layeh.Packet) error {
		return errors.Join(
			rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_FramedUser), rfc2865.FramedProtocol_Set(p, rfc2865.FramedProtocol_Value_PPP),
			rfc2869.NASPortID_SetString(p, "Async5"), rfc2865.CallingStationID_SetString(p, "562"), rfc2865.CalledStationID_SetString(p, "4327528"),
		)
	}
	address := func(p *layeh.Packet) error { return rfc2865.FramedIPAddress_Set(p, net.IPv4(10, 1, 1, 2)) }
	usage := func(p *layeh.Packet) error {
		return errors.Join(
			rfc2866.AcctSessionTime_Set(p, 51), rfc2866.AcctInputOctets_Set(p, 2844), rfc2866.AcctOutputOctets_Set(p, 1682),
			rfc2866.AcctInputPackets_Set(p, 36), rfc2866.AcctOutputPackets_Set(p, 24),
		)
	}
	login := func(p *layeh.Packet) error {
		return errors.Join(rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_NASPromptUser), rfc2869.NASPortID_SetString(p, "tty3"))
	}
	l.mustAccount(packet(acctStart, "S1", "alice", ppp), packet(acctInterim, "S1", "alice", ppp, address), packet(acctStart, "S2", "bob", login))
	l.mustAccount(packet(acctStop, "S1", "alice", ppp, address, usage), packet(acctStop, "S2", "bob", login, func(p *layeh.Packet) error { return rfc2866.AcctSessionTime_Set(p, 14) }))
	eventually(t, "all records are logged", func() bool { return p.Received() >= 5 })
	got := map[string][]partner.TacquitoRecord{}
	for _, r := range p.Records() {
		got[r.User] = append(got[r.User], r)
	}
	network := func(flags uint8, args ...string) partner.TacquitoRecord {
		return partner.TacquitoRecord{Flags: flags, PrivLvl: 1, Service: 3, User: "alice", Port: "Async5", RemAddr: "562/4327528", Args: append([]string{"task_id=1", "service=ppp"}, args...)}
	}
	exec := func(flags uint8, args ...string) partner.TacquitoRecord {
		return partner.TacquitoRecord{Flags: flags, PrivLvl: 1, Service: 1, User: "bob", Port: "tty3", Args: append([]string{"task_id=2", "service=shell"}, args...)}
	}
	want := map[string][]partner.TacquitoRecord{
		"alice": {
			network(2), network(8, "protocol=ip", "addr=10.1.1.2"),
			network(4, "protocol=ip", "addr=10.1.1.2", "bytes_in=2844", "bytes_out=1682", "paks_in=36", "paks_out=24", "elapsed_time=51"),
		},
		"bob": {exec(2), exec(4, "elapsed_time=14")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTACACSSystem: tacquito logs a START when the daemon starts, before any other record, and a STOP
// when it ends (R52).
func TestTACACSSystem(t *testing.T) {
	p := partner.Tacquito(t, partner.TacquitoOptions{Users: []string{"", "alice"}})
	const lists = "  network: {default: {record: start-stop, methods: [group T]}}\n  system: {default: {record: start-stop, methods: [group T]}}\n"
	l := launch(t, tacacsConfig(t, plainConfig, tacacsServer("t1", p.Addr, p.Key), "    - {name: T, servers: [t1]}\n", lists), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "both records are logged", func() bool { return p.Received() >= 2 })
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Records() {
		got = append(got, fmt.Sprintf("%d %q %s %s", r.Flags, r.User, r.Arg("service"), r.Arg("reason")))
	}
	if want := []string{`2 "" system reload`, `2 "alice" ppp `, `4 "" system reload`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// loadUsers are the users of the network sessions of a load: more than it has in the time of a
// test.
func loadUsers() (users []string) {
	for nas := range outageNASes {
		for line := range outageLines {
			for i := range 400 {
				if line%3 != 0 {
					users = append(users, fmt.Sprintf("%s-%d-%d-%04d", sessions.Network, nas, line, i))
				}
			}
		}
	}
	return users
}

// arrivedArguments returns a record with these fields as an observation.
func arrivedArguments(flags uint8, user, taskID, bytesIn string) (arrival, error) {
	o := crashtest.Observation{Kind: crashtest.Arrived, Record: crashtest.Record{Session: user}}
	switch {
	case flags&tacplus.AcctFlagStop != 0:
		o.Record.Type = sessions.Stop
	case flags&tacplus.AcctFlagWatchdog != 0:
		o.Record.Type = sessions.Interim
	default:
		o.Record.Type = sessions.Start
	}
	number, err := strconv.ParseUint(taskID, 10, 32)
	o.Number = uint32(number)
	if bytesIn != "" && err == nil {
		o.Record.Nth, err = strconv.Atoi(bytesIn)
		o.Record.Nth /= octetsOf
	}
	return arrival{Observation: o}, err
}

// arrivalsAtTacquito returns what it has logged.
func arrivalsAtTacquito(t *testing.T, p *partner.TacquitoProc) (all []arrival) {
	t.Helper()
	for _, r := range p.Records() {
		a, err := arrivedArguments(r.Flags, r.User, r.Arg("task_id"), r.Arg("bytes_in"))
		if err != nil {
			t.Errorf("%v: %+v", err, r)
		}
		all = append(all, a)
	}
	return all
}

// checkMissing checks that of the answered network records only superseded interims never arrived.
func (o *outageLoad) checkMissing(t *testing.T, arrived arrivalTimes, superseded uint64) {
	t.Helper()
	h := o.history
	h.mu.Lock()
	defer h.mu.Unlock()
	missing := uint64(0)
	for _, e := range h.entries {
		if _, came := arrived[e.Record]; !came && e.Kind == crashtest.Answered && strings.HasPrefix(e.Record.Session, sessions.Network.String()) {
			missing++
		}
	}
	if missing > superseded {
		t.Errorf("%d answered records never arrived, and %d were superseded", missing, superseded)
	}
}

// awaitMore waits until a count has grown by n.
func awaitMore(t *testing.T, what string, n int, count func() int) {
	t.Helper()
	got := count()
	want := got + n
	eventually(t, fmt.Sprintf("%d more %s", n, what), func() bool { got = count(); return got >= want }, &got)
}

// TestMixedBroadcastOutage: each record goes to a group of RADIUS servers and to one of TACACS+ servers
// (S1: "aaa accounting network default start-stop broadcast group SG1 group SG2"). One is killed and
// started again, then the other. Neither is affected by the loss of the other, and each gets all
// records.
func TestMixedBroadcastOutage(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 1})
	p := partner.Tacquito(t, partner.TacquitoOptions{Users: loadUsers()})
	base := outagesConfig(t, "  groups:\n    - {name: A, servers: [A1]}\n", r)
	l := launch(t, tacacsConfig(t, base, tacacsServer("t1", p.Addr, p.Key), "    - {name: T, servers: [t1]}\n",
		"  network: {default: {record: start-stop, broadcast: true, methods: [group A, group T]}}\n"), environment{})
	t.Cleanup(func() { r.kill(); p.Kill() }) // runs before launch checks what the daemon has left running
	b := &broadcastTest{inProcess: l, receivers: r, load: startLoad(t, l.d.listener.Addr())}
	undisturbed := func(group string, count func() int) {
		t.Helper()
		for range 3 {
			awaitMore(t, "records at "+group, 100, count)
			if q := b.queue("group/" + group); !q.DownSince.IsZero() || q.Records > outageNASes*outageLines {
				t.Errorf("the queue of %s is %+v", group, q)
			}
		}
	}
	atA := func() int { return r.received("A") }
	undisturbed("A", atA)
	undisturbed("T", p.Received)

	p.Kill()
	b.down("T")
	undisturbed("A", atA)
	p.Start()
	b.delivered("T")
	undisturbed("T", p.Received)

	r["A"][0].Kill()
	b.down("A")
	undisturbed("T", p.Received)
	r["A"][0].Start()
	b.delivered("A")
	undisturbed("A", atA)

	superseded := b.settle("T")
	numbers := map[string]uint32{}
	b.load.checkArrivals(t, "A", arrivalsAt(t, r["A"]), false, numbers)
	b.load.checkMissing(t, b.load.checkArrivals(t, "T", arrivalsAtTacquito(t, p), false, numbers), superseded)
}

// TestTacquitoKilled: the only server is killed and started again several times under load, also in
// the middle of its answers. Every answered record is in its log.
func TestTacquitoKilled(t *testing.T) {
	p := partner.Tacquito(t, partner.TacquitoOptions{Users: loadUsers()})
	l := launch(t, tacacsConfig(t, plainConfig, tacacsServer("t1", p.Addr, p.Key), "    - {name: T, servers: [t1], hold-down: 0s}\n",
		"  network: {default: {record: start-stop, methods: [group T]}}\n"), environment{})
	t.Cleanup(p.Kill)
	b := &broadcastTest{inProcess: l, load: startLoad(t, l.d.listener.Addr())}
	for i := range 4 {
		awaitMore(t, "records", 100+30*i, p.Received)
		p.Kill()
		if i%2 == 0 {
			b.down("T")
			awaitMore(t, "records wait", 50, func() int { return int(b.queue("group/T").Records) })
		}
		p.Start()
		b.delivered("T")
	}
	awaitMore(t, "records", 100, p.Received)
	superseded := b.settle("T")
	b.load.checkMissing(t, b.load.checkArrivals(t, "T", arrivalsAtTacquito(t, p), false, map[string]uint32{}), superseded)
}

// TestTacplusServers: a group of three servers of nwaples/tacplus. The first answers ERROR, the
// second claims single-connect and closes after each record, the third keeps its connections. The
// records go to the first of them that accepts them, whatever fails.
func TestTacplusServers(t *testing.T) {
	faulty := partner.Tacplus(t, partner.TacplusOptions{Key: "one", SingleConnect: true})
	closing := partner.Tacplus(t, partner.TacplusOptions{Key: "two"})
	keeping := partner.Tacplus(t, partner.TacplusOptions{Key: "three", SingleConnect: true})
	faulty.Answer(tacplus.AcctStatusError)
	servers := tacacsServer("t1", faulty.Addr, "one") + tacacsServer("t2", closing.Addr, "two") + tacacsServer("t3", keeping.Addr, "three")
	l := launch(t, tacacsConfig(t, plainConfig, servers, "    - {name: T, servers: [t1, t2, t3]}\n",
		"  network: {default: {record: start-stop, methods: [group T]}}\n"), environment{})
	t.Cleanup(func() { // before launch checks what the daemon has left running
		for _, s := range []*partner.TacplusServer{faulty, closing, keeping} {
			s.Kill()
		}
	})
	b := &broadcastTest{inProcess: l, load: startLoad(t, l.d.listener.Addr())}
	stored := func(s *partner.TacplusServer) func() int { return func() int { return len(s.Records()) } }

	awaitMore(t, "records at the server that closes", 300, stored(closing))
	if len(faulty.Records()) > 0 || faulty.Received() == 0 {
		t.Errorf("the server that answers ERROR has %d records of %d", len(faulty.Records()), faulty.Received())
	}
	closing.Kill()
	awaitMore(t, "records at the server that keeps connections", 300, stored(keeping))
	faulty.Answer(tacplus.AcctStatusFollow)
	awaitMore(t, "records at the server that keeps connections", 100, stored(keeping))
	faulty.Answer(tacplus.AcctStatusSuccess)
	awaitMore(t, "records at the server that accepts again", 300, stored(faulty))

	superseded := b.settle("T")
	var all []arrival
	for _, s := range []*partner.TacplusServer{closing, keeping, faulty} {
		all = append(all, arrivalsAtTacplus(t, s)...)
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	b.load.checkArrivals(t, "T", all, superseded == 0, map[string]uint32{})
}

// arrivalsAtTacplus returns what it has stored.
func arrivalsAtTacplus(t *testing.T, s *partner.TacplusServer) (all []arrival) {
	t.Helper()
	for _, r := range s.Records() {
		args := map[string]string{}
		for _, arg := range r.Arg {
			name, value, _ := strings.Cut(arg, "=")
			args[name] = value
		}
		a, err := arrivedArguments(r.Flags, r.User, args["task_id"], args["bytes_in"])
		if err != nil {
			t.Errorf("%v: %+v", err, r)
		}
		a.at = r.At
		all = append(all, a)
	}
	return all
}
