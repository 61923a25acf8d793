//go:build partners

package snmp

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"aaasess/agent/snmp/wire"
)

// tap sits on the network between a tool and an agent. It forwards datagrams and records those to
// the agent.
type tap struct {
	conn  *net.UDPConn
	agent netip.AddrPort

	mu   sync.Mutex
	tool netip.AddrPort
	kept [][]byte
}

func newTap(t *testing.T, agent netip.AddrPort) *tap {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{conn: conn, agent: agent}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return p
}

// run returns when the socket is closed.
func (p *tap) run() {
	b := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.tool
		if from != p.agent {
			to, p.tool = p.agent, from
			p.kept = append(p.kept, slices.Clone(b[:n]))
		}
		p.mu.Unlock()
		_, _ = p.conn.WriteToUDPAddrPort(b[:n], to)
	}
}

// capturedSet returns the message by which snmpset, as noc, has set the number at an agent.
func capturedSet(t *testing.T, f *fixture, to string) []byte {
	t.Helper()
	p := newTap(t, f.Addrs()[0])
	if got := runTool(t, "snmpset", append(noc.args(), p.conn.LocalAddr().String(), oid(1, 0), "i", to)...); got.Code != 0 {
		t.Fatalf("%+v", got)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) != 2 { // the first one discovers the engine
		t.Fatalf("snmpset sent %d messages: %x", len(p.kept), p.kept)
	}
	return p.kept[1]
}

// reported returns the counter that an answer reports, "response" if it is encrypted, or "nothing".
func reported(t *testing.T, out []byte) string {
	t.Helper()
	if out == nil {
		return "nothing"
	}
	var m wire.Message
	var s wire.ScopedPDU
	var pdu wire.PDU
	if err := m.Parse(out); err != nil {
		t.Fatal(err)
	}
	if m.Flags&wire.FlagPriv != 0 {
		return "response"
	}
	if err := errors.Join(s.Parse(m.Data, false), pdu.Parse(s.PDU)); err != nil {
		t.Fatal(err)
	}
	if pdu.Type != wire.Report {
		return fmt.Sprint(pdu.Type, pdu.ErrorStatus)
	}
	return usmStats[pdu.Varbinds[0].Name.String()]
}

var usmStats = map[string]string{
	".1.3.6.1.6.3.15.1.1.1.0": "unsupportedSecLevels", ".1.3.6.1.6.3.15.1.1.2.0": "notInTimeWindows", ".1.3.6.1.6.3.15.1.1.3.0": "unknownUserNames",
	".1.3.6.1.6.3.15.1.1.4.0": "unknownEngineIDs", ".1.3.6.1.6.3.15.1.1.5.0": "wrongDigests", ".1.3.6.1.6.3.15.1.1.6.0": "decryptionErrors",
}

// send sends a message to an agent from another address than the tool's, and returns the answer.
func send(t *testing.T, addr string, message []byte) []byte {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 65536)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// TestReplay repeats a SET of snmpset at other times and to other engines. Only a repetition within
// the time window is carried out; RFC 3414 section 1.2 leaves that to snmpSetSerialNo.
func TestReplay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engine")
	f, h := newTimedRig(t, file, "")
	h.advance(1000 * time.Second)
	set := capturedSet(t, f, "42")
	replay := func(f *fixture, message []byte, want string, executed bool) {
		t.Helper()
		f.numbers.put(7)
		if got := reported(t, send(t, f.ipv4(), message)); got != want {
			t.Errorf("answered with %s, want %s", got, want)
		}
		if f.numbers.now() == 42 != executed {
			t.Errorf("the number is %d", f.numbers.now())
		}
	}
	replay(f, set, "response", true)
	h.advance(150 * time.Second)
	replay(f, set, "response", true)
	h.advance(time.Second)
	replay(f, set, "notInTimeWindows", false)

	// The engine after a restart, when its time is the same again.
	next, h := newTimedRig(t, file, "")
	h.advance(1000 * time.Second)
	replay(next, set, "notInTimeWindows", false)

	// Another engine with the same users, passwords, boots and time; then with its id in the
	// message.
	other, h := newTimedRig(t, filepath.Join(t.TempDir(), "other"), "")
	h.advance(1000 * time.Second)
	replay(other, set, "unknownEngineIDs", false)
	forged := bytes.Replace(set, f.cfg.Engine.ID(), other.cfg.Engine.ID(), 1)
	if bytes.Equal(forged, set) {
		t.Fatal("the message does not name the engine")
	}
	replay(other, forged, "wrongDigests", false)
	replay(other, capturedSet(t, other, "42"), "response", true)
}

// TestMutilated: a SET of snmpset is carried out only if it arrives unchanged: not with one bit
// flipped, truncated at any octet, or with trailing octets.
func TestMutilated(t *testing.T) {
	f, _ := newTimedRig(t, filepath.Join(t.TempDir(), "engine"), "")
	close(f.numbers.release) // a mutilated SET that is carried out by mistake must not block
	set := capturedSet(t, f, "42")
	local := netip.MustParseAddrPort("127.0.0.1:40000")
	executed := func(message []byte) bool {
		t.Helper()
		f.numbers.put(7)
		out := f.exchange(local, message)
		if got := reported(t, out); got == "response" != (f.numbers.now() == 42) {
			t.Errorf("%x: answered with %s, the number is %d", message, got, f.numbers.now())
		}
		return f.numbers.now() == 42
	}
	for octet := range set {
		for bit := range 8 {
			message := slices.Clone(set)
			message[octet] ^= 1 << bit
			if executed(message) {
				t.Errorf("carried out with bit %d of octet %d changed", bit, octet)
			}
		}
		if executed(set[:octet]) {
			t.Errorf("carried out, cut off after %d octets", octet)
		}
	}
	for n := 1; n <= 16; n++ {
		if executed(append(slices.Clone(set), make([]byte, n)...)) {
			t.Errorf("carried out with %d octets behind it", n)
		}
	}
	// The answer to its manager cannot be changed into a request either.
	if out := f.exchange(local, f.exchange(local, set)); out != nil {
		t.Errorf("its own answer is answered with %s", reported(t, out))
	}
	if !executed(set) {
		t.Error("not carried out as it was sent")
	}
}

// TestPrivacyAlone: the flag of privacy without that of authentication is snmpInvalidMsgs and gets
// no answer, at snmpd too (RFC 3412 section 7.2 step 5d).
func TestPrivacyAlone(t *testing.T) {
	f := newRig(t)
	s, _ := newTwin(t)
	const snmpInvalidMsgs = ".1.3.6.1.6.3.11.2.1.2.0"
	for name, addr := range map[string]string{"ours": f.ipv4(), "snmpd": s.Addr} {
		invalid := func() string {
			return runTool(t, "snmpget", append(noc.args(), "-Oqv", addr, snmpInvalidMsgs)...).Out
		}
		if got := invalid(); got != "0\n" {
			t.Fatalf("%s: %q at first", name, got)
		}
		for i, message := range [][]byte{privacyAlone(t, false), privacyAlone(t, true)} {
			conn, err := net.Dial("udp", addr)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(message); err != nil {
				t.Fatal(err)
			}
			if got, want := invalid(), fmt.Sprintf("%d\n", i+1); got != want {
				t.Errorf("%s: message %d: snmpInvalidMsgs is %q, want %q", name, i, got, want)
			}
			// The request behind it is answered, so an answer would be here by now.
			if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if n, err := conn.Read(make([]byte, 1500)); err == nil {
				t.Errorf("%s: message %d: answered with %d octets", name, i, n)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
