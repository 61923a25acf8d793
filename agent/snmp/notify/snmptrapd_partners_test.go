//go:build partners

package notify

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/internal/partner"
)

// netSnmpUsers returns users with every combination of protocols of net-snmp 5.9.
func netSnmpUsers() []usm.User {
	var users []usm.User
	for _, a := range auths {
		for _, p := range privs {
			if a == usm.NoAuth && p != usm.NoPriv {
				continue
			}
			u := user(a, p)
			u.Name = strings.ReplaceAll(fmt.Sprintf("%s_%s", a, p), "-", "")
			users = append(users, u)
		}
	}
	return users
}

// trapdUser returns the lines of snmptrapd.conf for a user: for informs, or for traps of an engine.
func trapdUser(u usm.User, engineID []byte) []string {
	level := map[string]string{"noAuthNoPriv": "noauth", "authNoPriv": "auth", "authPriv": "priv"}[u.Level().String()]
	protocols := ""
	if u.Auth != usm.NoAuth {
		protocols += fmt.Sprintf(" %s %q", u.Auth, u.AuthSecret.Password)
	}
	if u.Priv != usm.NoPriv {
		name := map[usm.PrivProtocol]string{
			usm.DES: "DES", usm.AES128: "AES", usm.AES192: "AES-192", usm.AES256: "AES-256",
			usm.AES192C: "AES192C", usm.AES256C: "AES256C",
		}[u.Priv]
		protocols += fmt.Sprintf(" %s %q", name, u.PrivSecret.Password)
	}
	return []string{
		"createUser " + u.Name + protocols,
		fmt.Sprintf("createUser -e 0x%x %s%s", engineID, u.Name, protocols),
		"authUser log " + u.Name + " " + level,
	}
}

// TestSnmptrapd sends traps and informs with v2c and with all v3 protocols of snmptrapd.
func TestSnmptrapd(t *testing.T) {
	engine := openEngine(t, engineFile(t), ourID, time.Now)
	conf := []string{"authCommunity log public"}
	users := netSnmpUsers()
	for _, u := range users {
		conf = append(conf, trapdUser(u, ourID)...)
	}
	p := partner.Snmptrapd(t, partner.TrapdOptions{Config: conf})
	targets := []Target{v2c("v2c trap", p.Addr), asInform(v2c("v2c inform", p.Addr))}
	want := map[string]int{"TRAP2, SNMP v2c, community public": 2, "INFORM, SNMP v2c, community public": 2}
	for _, u := range users {
		targets = append(targets, v3(u.Name+" trap", p.Addr, u), asInform(v3(u.Name+" inform", p.Addr, u)))
		want["TRAP2, SNMP v3, user "+u.Name+", context "] = 2
		want["INFORM, SNMP v3, user "+u.Name+", context "] = 2
	}
	n := running(t, engine, targets...)
	for range 2 {
		if err := n.Notify(ColdStart, hello()); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int{}
	for _, line := range p.AwaitGot(2*len(targets), 20*time.Second) {
		security, varbinds, _ := strings.Cut(line, "|")
		got[security]++
		if !strings.Contains(varbinds, `|.1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.6.3.1.1.5.1|.1.3.6.1.2.1.1.5.0 = STRING: "hello"`) ||
			!strings.HasPrefix(varbinds, ".1.3.6.1.2.1.1.3.0 = Timeticks: (") {
			t.Errorf("%s: %s", security, varbinds)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	await(t, "all informs are acknowledged", func() bool {
		return !slices.ContainsFunc(n.Stats(), func(s TargetStats) bool {
			return strings.HasSuffix(s.Name, "inform") && s.Acknowledged != 2
		})
	})
}

// authPriv returns a user and the snmptrapd options for it.
func authPriv() (usm.User, partner.TrapdOptions) {
	u := user(usm.HMACSHA256, usm.AES128)
	return u, partner.TrapdOptions{Config: trapdUser(u, ourID)}
}

func TestSnmptrapdRestarts(t *testing.T) {
	u, opts := authPriv()
	p := partner.Snmptrapd(t, opts)
	target := asInform(v3("a", p.Addr, u))
	target.Timeout, target.Retries = time.Second, 20
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), target)
	notify := func() {
		t.Helper()
		for range 5 {
			if err := n.Notify(ColdStart, hello()); err != nil {
				t.Fatal(err)
			}
		}
	}
	settled := func(want int) {
		t.Helper()
		p.AwaitGot(want, 10*time.Second)
		await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == uint64(want) })
	}
	notify()
	settled(5)
	p.Restart()
	notify()
	settled(10)
	// Its boots have increased: messages sent before the report arrived are sent twice, at least
	// one inform.
	if got := n.Stats()[0]; got.Retransmitted < 1+1 || got.Retransmitted > 1+5 || got.TimedOut != 0 {
		t.Errorf("after its restart: %+v", got)
	}
	p.Stop()
	notify()
	await(t, "refused", func() bool { return n.Stats()[0].LastError != nil })
	p.Start()
	settled(15)
}

// TestSnmptrapdReplaced: another snmptrapd with its own engine uses the port.
func TestSnmptrapdReplaced(t *testing.T) {
	u, opts := authPriv()
	first, second := partner.Snmptrapd(t, opts), partner.Snmptrapd(t, opts)
	var to atomic.Pointer[string]
	to.Store(&first.Addr)
	target := asInform(v3("a", relay(t, func([]byte) string { return *to.Load() }), u))
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), target)
	for i, p := range []*partner.TrapdProc{first, second, first} {
		to.Store(&p.Addr)
		if err := n.Notify(ColdStart, hello()); err != nil {
			t.Fatal(err)
		}
		await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == uint64(i+1) })
	}
	if got := n.Stats()[0]; got.TimedOut != 0 || len(first.Got()) != 2 || len(second.Got()) != 1 {
		t.Errorf("stats %+v, %d and %d arrived", got, len(first.Got()), len(second.Got()))
	}
}

// TestSnmptrapdAway: a receiver does not run, or has another password.
func TestSnmptrapdAway(t *testing.T) {
	u, opts := authPriv()
	p := partner.Snmptrapd(t, opts)
	away, wrong, wrongPriv := asInform(v3("away", "", u)), asInform(v3("wrong", p.Addr, u)), asInform(v3("wrong privacy", p.Addr, u))
	away.Address = fmt.Sprintf("127.0.0.1:%d", partner.FreeUDPPort(t))
	wrong.User.AuthSecret = password("another password")
	wrongPriv.User.PrivSecret = password("another password")
	targets := []Target{away, wrong, wrongPriv}
	for i := range targets {
		targets[i].Timeout, targets[i].Retries = 100*time.Millisecond, 2
	}
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), targets...)
	if err := n.Notify(ColdStart, hello()); err != nil {
		t.Fatal(err)
	}
	await(t, "all time out", func() bool {
		return !slices.ContainsFunc(n.Stats(), func(s TargetStats) bool { return s.TimedOut != 1 })
	})
	said := []string{"", "usmStatsWrongDigests", ""} // net-snmp drops messages that it cannot decrypt
	for i, s := range n.Stats() {
		if s.Acknowledged != 0 || !errors.Is(s.LastError, ErrNoResponse) || !strings.Contains(s.LastError.Error(), said[i]) {
			t.Errorf("stats %+v", s)
		}
	}
	if got := p.Got(); len(got) != 0 {
		t.Errorf("let in: %q", got)
	}
}

// TestSnmptrapdLossy: two of three datagrams are lost.
func TestSnmptrapdLossy(t *testing.T) {
	u, opts := authPriv()
	p := partner.Snmptrapd(t, opts)
	count := 0
	at := relay(t, func([]byte) string {
		if count++; count%3 != 0 {
			return ""
		}
		return p.Addr
	})
	target := asInform(v3("a", at, u))
	target.Timeout, target.Retries = 50*time.Millisecond, 200
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), target)
	for range 20 {
		if err := n.Notify(ColdStart, hello()); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == 20 })
	if got := n.Stats()[0]; got.Retransmitted < 10 || len(p.Got()) < 20 {
		t.Errorf("stats %+v, %d arrived", got, len(p.Got()))
	}
}

// relay forwards datagrams to the address that to returns, or drops them if it is empty, and
// forwards the answers back. It ends with the test.
func relay(t *testing.T, to func(b []byte) string) (address string) {
	t.Helper()
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	back, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var client atomic.Pointer[net.Addr]
	pass := func(from net.PacketConn, done chan<- struct{}, on func(b []byte, from net.Addr)) {
		defer close(done)
		b := make([]byte, maxDatagram)
		for {
			n, addr, err := from.ReadFrom(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				on(b[:n], addr)
			}
		}
	}
	done1, done2 := make(chan struct{}), make(chan struct{})
	go pass(front, done1, func(b []byte, from net.Addr) {
		client.Store(&from)
		if where := to(b); where != "" {
			addr, err := net.ResolveUDPAddr("udp", where)
			if err != nil {
				t.Error(err)
				return
			}
			back.WriteTo(b, addr)
		}
	})
	go pass(back, done2, func(b []byte, _ net.Addr) { front.WriteTo(b, *client.Load()) })
	t.Cleanup(func() {
		front.Close()
		back.Close()
		<-done1
		<-done2
	})
	return front.LocalAddr().String()
}
