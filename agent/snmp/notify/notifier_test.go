package notify

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

func TestNewErrors(t *testing.T) {
	engine := openEngine(t, engineFile(t), ourID, time.Now)
	tests := []struct {
		name string
		cfg  Config
		want string // in the error; empty means no error
	}{
		{"no targets", Config{Engine: engine}, ""},
		{"least size", Config{Engine: engine, MaxMessageSize: 484}, ""},
		{"greatest size", Config{Engine: engine, MaxMessageSize: 65507}, ""},
		{"no engine", Config{}, "no engine"},
		{"negative queue", Config{Engine: engine, Queue: -1}, "queue size is -1"},
		{"too small", Config{Engine: engine, MaxMessageSize: 483}, "message size is 483"},
		{"too large", Config{Engine: engine, MaxMessageSize: 65508}, "message size is 65508"},
		{"target", Config{Engine: engine, Targets: []Target{v2c("a", "127.0.0.1:1"), {Name: "b"}}}, `target 2 ("b")`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestNotifyErrors(t *testing.T) {
	n, err := New(Config{
		Engine: openEngine(t, engineFile(t), ourID, time.Now), MaxMessageSize: 484,
		Targets: []Target{v2c("small", "127.0.0.1:1"), v3("large", "127.0.0.1:1", user(usm.HMACSHA512, usm.AES128))},
	})
	if err != nil {
		t.Fatal(err)
	}
	octets := func(n int) mib.Varbind {
		vb := mib.Varbind{Name: mib.MustOID("1.3.6.1.2.1.1.5.0")}
		vb.Value.SetOctets(strings.Repeat("x", n))
		return vb
	}
	long := make(mib.OID, mib.MaxSubIDs+1)
	oid := mib.Varbind{Name: mib.OID{1, 3}}
	oid.Value.SetOID(mib.OID{1, 40})
	tests := []struct {
		name string
		trap mib.OID
		vb   mib.Varbind
		want []string // in the error; empty means no error
	}{
		{"fits", ColdStart, octets(10), nil},
		{"too large for one", ColdStart, octets(300), []string{`target "large": message is too large: `, "the limit is 484"}},
		{"too large for both", ColdStart, octets(500), []string{`target "large"`, `target "small"`}},
		{"no trap", nil, octets(1), []string{"variable 2", "not an OBJECT IDENTIFIER"}},
		{"no name", ColdStart, mib.Varbind{}, []string{"variable 3: name"}},
		{"first arc", ColdStart, mib.Varbind{Name: mib.OID{3, 1}}, []string{"variable 3: name .3.1"}},
		{"too long", ColdStart, mib.Varbind{Name: long}, []string{"variable 3: name"}},
		{"value is no OID", ColdStart, oid, []string{"variable 3: value .1.40"}},
		{"no value", ColdStart, mib.Varbind{Name: mib.OID{1, 3}}, []string{"variable 3: value type"}},
		{"exception", ColdStart, mib.Varbind{Name: mib.OID{1, 3}, Value: mib.Value{Type: mib.EndOfMibView}}, []string{"endOfMibView"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := n.Notify(tt.trap, tt.vb)
			if len(tt.want) == 0 && err != nil {
				t.Error(err)
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
		})
	}
	stats := n.Stats()
	if stats[0].Waiting != 2 || stats[0].Refused != 1 || stats[1].Waiting != 1 || stats[1].Refused != 2 {
		t.Errorf("stats %+v", stats)
	}
	if !errors.Is(stats[1].LastError, ErrTooLarge) {
		t.Errorf("last error %v", stats[1].LastError)
	}
}

// running returns a Notifier that runs until the test ends.
func running(t testing.TB, engine *usm.Engine, targets ...Target) *Notifier {
	t.Helper()
	n, err := New(Config{Engine: engine, Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, s := range n.Stats() {
				t.Logf("%+v", s)
			}
		}
	})
	return n
}

// await waits until holds returns true.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(2 * time.Millisecond); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// hello returns a variable for tests.
func hello() mib.Varbind {
	vb := mib.Varbind{Name: mib.MustOID("1.3.6.1.2.1.1.5.0")}
	vb.Value.SetOctets("hello")
	return vb
}

// TestLoopback sends all kinds of notifications over IPv4 and IPv6.
func TestLoopback(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			ours := openEngine(t, engineFile(t), ourID, time.Now)
			r := newFakeReceiver(t, openEngine(t, engineFile(t), theirID, time.Now), u)
			r.senders = []*usm.USM{newUSM(t, ours, u)}
			at := r.serve(t, address)
			n := running(t, ours, v2c("1", at), asInform(v2c("2", at)), v3("3", at, u), asInform(v3("4", at, u)))
			const times = 40
			for range times {
				if err := n.Notify(ColdStart, hello()); err != nil {
					t.Fatal(err)
				}
			}
			await(t, "all arrive and are acknowledged", func() bool {
				s := n.Stats()
				return len(r.arrivals()) == 4*times && s[1].Acknowledged == times && s[3].Acknowledged == times
			})
			kinds := map[wire.PDUType]int{}
			for _, a := range r.arrivals() {
				kinds[a.kind]++
			}
			if kinds[wire.SNMPv2Trap] != 2*times || kinds[wire.InformRequest] != 2*times {
				t.Errorf("kinds %v", kinds)
			}
			for _, s := range n.Stats() {
				if s.Sent != times || s.LastError != nil || s.UnderWay != 0 || s.Waiting != 0 {
					t.Errorf("stats %+v", s)
				}
			}
		})
	}
}

// TestNobodyThere sends to a closed port, which is opened later.
func TestNobodyThere(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := conn.LocalAddr().String()
	conn.Close()
	target := asInform(v3("a", at, u))
	target.Timeout, target.Retries = 50*time.Millisecond, 255
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), target, v2c("b", at))
	if err := n.Notify(ColdStart); err != nil {
		t.Fatal(err)
	}
	await(t, "refused", func() bool {
		s := n.Stats()
		return s[0].LastError != nil && s[1].LastError != nil
	})
	for _, s := range n.Stats() {
		if !strings.Contains(s.LastError.Error(), "connection refused") {
			t.Errorf("stats %+v", s)
		}
	}
	newFakeReceiver(t, openEngine(t, engineFile(t), theirID, time.Now), u).serve(t, at)
	await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == 1 })
	if err := n.Notify(ColdStart); err != nil {
		t.Fatal(err)
	}
	await(t, "both sent", func() bool {
		s := n.Stats()
		return s[0].Acknowledged == 2 && s[1].Sent == 2
	})
}

// TestOtherAddress: a valid response arrives from another address than the receiver's.
func TestOtherAddress(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), asInform(v2c("a", conn.LocalAddr().String())))
	if err := n.Notify(ColdStart); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, maxDatagram)
	k, from, err := conn.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	r := newFakeReceiver(t, openEngine(t, engineFile(t), theirID, time.Now))
	right := r.handle(b[:k])
	other, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.WriteTo(right, from); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.WriteTo([]byte("junk"), from); err != nil { // after the response
		t.Fatal(err)
	}
	await(t, "the junk is ignored", func() bool { return n.Stats()[0].Ignored == 1 })
	if s := n.Stats()[0]; s.Acknowledged != 0 || s.UnderWay != 1 {
		t.Errorf("stats %+v", s)
	}
	if _, err := conn.WriteTo(right, from); err != nil {
		t.Fatal(err)
	}
	await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == 1 })
}

// TestLargestMessage sends a full datagram, and a system with a lower limit reports it.
func TestLargestMessage(t *testing.T) {
	r := newFakeReceiver(t, openEngine(t, engineFile(t), theirID, time.Now))
	at := r.serve(t, "127.0.0.1:0")
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), asInform(v2c("a", at)))
	vb := hello()
	vb.Value.SetOctets(strings.Repeat("x", 65000))
	if err := n.Notify(ColdStart, vb); err != nil {
		t.Fatal(err)
	}
	await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == 1 })
	vb.Value.SetOctets(strings.Repeat("x", 65500))
	if err := n.Notify(ColdStart, vb); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}
