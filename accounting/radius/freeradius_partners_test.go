//go:build partners

package radius

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/internal/partner"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
	"aaasess/sessions"
)

// expected is a record, and its attributes in the words of FreeRADIUS's dictionary.
type expected struct {
	rec    *accounting.Record
	attrs  []byte
	detail partner.DetailRecord
}

func (e *expected) octets(t radius.Type, value, name, text string) {
	e.attrs = radius.AppendAttribute(e.attrs, t, value)
	e.detail = append(e.detail, partner.DetailAttribute{Name: name, Value: text})
}

func (e *expected) text(t radius.Type, name, value string) {
	e.octets(t, value, name, value)
}

func (e *expected) number(t radius.Type, name string, n uint32) {
	e.named(t, name, n, fmt.Sprint(n))
}

func (e *expected) named(t radius.Type, name string, n uint32, value string) {
	e.octets(t, string(binary.BigEndian.AppendUint32(nil, n)), name, value)
}

// randomRecord returns a network record with all attributes that R46 names.
func randomRecord(r *rand.Rand, id sessions.ID) *expected {
	at := time.Now().Add(-time.Duration(r.IntN(100)) * time.Second)
	e := &expected{rec: &accounting.Record{Session: id, At: at, List: "network/default"}}
	octets := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	}
	status := r.IntN(3)
	e.rec.Type = []sessions.EventType{sessions.Start, sessions.Stop, sessions.Interim}[status]
	e.named(radius.AcctStatusType, "Acct-Status-Type", uint32(e.rec.Type), e.rec.Type.String())
	e.text(radius.AcctSessionID, "Acct-Session-Id", id.String())
	e.text(radius.AcctMultiSessionID, "Acct-Multi-Session-Id", fmt.Sprintf("%08x", r.Uint32()))
	e.text(radius.UserName, "User-Name", []string{"nemo", "zoë@example.org", `a "b" \ c`, strings.Repeat("u", 253)}[r.IntN(4)])
	ip := netip.AddrFrom4([4]byte([]byte(octets(4))))
	e.octets(radius.FramedIPAddress, string(ip.AsSlice()), "Framed-IP-Address", ip.String())
	e.octets(radius.NASIPAddress, "\xc0\x00\x02\x01", "NAS-IP-Address", "192.0.2.1")
	e.text(radius.NASIdentifier, "NAS-Identifier", "nas-1")
	e.number(radius.NASPort, "NAS-Port", 20000+r.Uint32N(1000))
	e.named(radius.NASPortType, "NAS-Port-Type", 15, "Ethernet")
	e.text(radius.NASPortID, "NAS-Port-Id", "eth0/1:2")
	e.named(radius.ServiceType, "Service-Type", 2, "Framed-User")
	e.named(radius.FramedProtocol, "Framed-Protocol", 1, "PPP")
	e.text(radius.CalledStationID, "Called-Station-Id", "555-0100")
	e.text(radius.CallingStationID, "Calling-Station-Id", "02-00-00-00-00-01")
	for range 2 {
		c := octets(1 + r.IntN(100))
		e.octets(radius.Class, c, "Class", fmt.Sprintf("0x%x", c))
	}
	av := fmt.Sprintf("connect-progress=LAN Ses servers.Up %d", r.Uint32())
	e.octets(radius.VendorSpecific, "\x00\x00\x00\x09\x01"+string(rune(len(av)+2))+av, "Cisco-AVPair", av)
	cui := octets(20)
	e.octets(89, cui, "Chargeable-User-Identity", fmt.Sprintf("0x%x", cui)) // RFC 4372
	e.ipv6(octets(8))
	e.number(radius.AcctInputOctets, "Acct-Input-Octets", r.Uint32())
	e.number(radius.AcctOutputOctets, "Acct-Output-Octets", r.Uint32())
	e.number(radius.AcctInputGigawords, "Acct-Input-Gigawords", r.Uint32N(100))
	e.number(radius.AcctOutputGigawords, "Acct-Output-Gigawords", r.Uint32())
	e.number(radius.AcctInputPackets, "Acct-Input-Packets", r.Uint32())
	e.number(radius.AcctOutputPackets, "Acct-Output-Packets", r.Uint32())
	e.number(radius.AcctSessionTime, "Acct-Session-Time", r.Uint32())
	e.named(radius.AcctTerminateCause, "Acct-Terminate-Cause", sessions.CauseAdminReset, "Admin-Reset")
	e.named(radius.EventTimestamp, "Event-Timestamp", uint32(at.Unix()), at.UTC().Format("Jan _2 2006 15:04:05 UTC"))
	e.rec.Attrs = radius.Attributes(e.attrs)
	return e
}

// ipv6 appends the attributes of RFC 3162, 4818 and 6911.
func (e *expected) ipv6(low string) {
	prefix := netip.MustParsePrefix("2001:db8:0:7::/64")
	e.octets(97, "\x00\x40"+string(prefix.Addr().AsSlice()), "Framed-IPv6-Prefix", prefix.String())
	addr := netip.AddrFrom16([16]byte([]byte("\x20\x01\x0d\xb8\x00\x00\x00\x07" + low)))
	e.octets(168, string(addr.AsSlice()), "Framed-IPv6-Address", addr.String())
	var groups []string
	for i := 0; i < 8; i += 2 {
		groups = append(groups, fmt.Sprintf("%x", binary.BigEndian.Uint16([]byte(low[i:]))))
	}
	e.octets(96, low, "Framed-Interface-Id", strings.Join(groups, ":"))
	e.octets(123, "\x00\x30\x20\x01\x0d\xb8\x00\x09", "Delegated-IPv6-Prefix", "2001:db8:9::/48")
}

func randomRecords(from, count int) (all []*expected) {
	r := rand.New(rand.NewPCG(1, uint64(from)))
	for i := range count {
		all = append(all, randomRecord(r, sessions.ID(from+i)))
	}
	return all
}

// deliver sends records as a queue does: at most window at once, and each again until it is
// answered. It returns how often there was no answer.
func deliver(t *testing.T, g *Group, window int, records []*expected) (unanswered int) {
	t.Helper()
	room := make(chan struct{}, window)
	var mu sync.Mutex
	var left sync.WaitGroup
	again := slices.Clone(records)
	next := func() *expected {
		mu.Lock()
		defer mu.Unlock()
		if len(again) == 0 {
			return nil
		}
		e := again[0]
		again = again[1:]
		return e
	}
	left.Add(len(records))
	finished := make(chan struct{})
	go func() { left.Wait(); close(finished) }()
	for limit := time.After(2 * time.Minute); ; {
		select {
		case <-finished:
			return unanswered
		case <-limit:
			t.Fatal("records are not delivered")
		case room <- struct{}{}:
		}
		e := next()
		if e == nil {
			<-room
			continue
		}
		g.Send(e.rec, retry.Progress{}, func(err error) {
			if err == nil {
				left.Done()
			} else {
				mu.Lock()
				unanswered++
				again = append(again, e)
				mu.Unlock()
			}
			<-room
		})
	}
}

// compare finds each record in the detail files, and compares attribute by attribute.
func compare(t *testing.T, records []*expected, detail ...partner.DetailRecord) {
	t.Helper()
	bySession := map[string][]partner.DetailRecord{}
	for _, d := range detail {
		id := d.Get("Acct-Session-Id")
		bySession[id] = append(bySession[id], d)
	}
	if len(bySession) != len(records) {
		t.Errorf("%d sessions arrived, want %d", len(bySession), len(records))
	}
	for _, e := range records {
		copies := bySession[e.rec.Session.String()]
		if len(copies) == 0 {
			t.Fatalf("session %v did not arrive", e.rec.Session)
		}
		for _, d := range copies {
			n := min(len(d), len(e.detail))
			if diff := cmp.Diff(e.detail, d[:n]); diff != "" {
				t.Fatalf("session %v: %s", e.rec.Session, diff)
			}
			var delay, stamp int64
			_, err1 := fmt.Sscan(d.Get("Acct-Delay-Time"), &delay)
			_, err2 := fmt.Sscan(d.Get("Timestamp"), &stamp)
			if err1 != nil || err2 != nil || len(d) != n+2 {
				t.Fatalf("session %v: behind what was sent: %v", e.rec.Session, d[n:])
			}
			// Timestamp is the time of arrival, which may be seconds after the sending.
			if happened := stamp - delay; happened < e.rec.At.Unix()-1 || happened > e.rec.At.Unix()+10 {
				t.Errorf("session %v: happened at %d by Acct-Delay-Time %d, really at %d", e.rec.Session, happened, delay, e.rec.At.Unix())
			}
		}
	}
}

func serverOf(p *partner.FreeRADIUSProc, name string) Server {
	return Server{Name: name, Addr: netip.MustParseAddrPort(p.Addr), Secret: radius.Secret(p.Secret)}
}

func TestFreeRADIUSAcceptsAll(t *testing.T) {
	p := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Secret: "not testing123"})
	g := startGroup(t, Config{Servers: every(time.Second, 0, serverOf(p, "a"))})
	records := randomRecords(1, 2000)
	deliver(t, g, 64, records)
	compare(t, records, p.Detail()...)
	st := g.Stats().Servers[0]
	t.Logf("%+v", st)
	if st.BadAuthenticators+st.MalformedResponses+st.UnknownTypes+st.PacketsDropped != 0 || st.PendingRequests != 0 {
		t.Errorf("statistics %+v", st)
	}
}

// With a full window at once, the server's socket buffer overflows. Retransmissions are necessary,
// and nothing is lost.
func TestFreeRADIUSFlooded(t *testing.T) {
	p := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{})
	g := startGroup(t, Config{Servers: every(200*time.Millisecond, 20, serverOf(p, "a"))})
	records := randomRecords(1, 2000)
	deliver(t, g, g.Window(), records)
	compare(t, records, p.Detail()...)
	t.Logf("%+v", g.Stats().Servers[0])
}

func TestFreeRADIUSPaused(t *testing.T) {
	p := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{})
	g := startGroup(t, Config{Servers: every(200*time.Millisecond, 2, serverOf(p, "a"))})
	records := randomRecords(1, 500)
	deliver(t, g, 50, records[:100])
	p.Pause()
	resumed := time.After(3 * time.Second)
	delivered := make(chan int, 1)
	go func() { delivered <- deliver(t, g, 100, records[100:]) }()
	<-resumed
	if st := g.Stats().Servers[0]; st.DownUntil.IsZero() {
		t.Error("a server that is paused is not held down")
	}
	p.Resume()
	if unanswered := <-delivered; unanswered == 0 {
		t.Error("no record went unanswered: the server was not paused")
	}
	compare(t, records, p.Detail()...)
	if st := g.Stats().Servers[0]; !st.DownUntil.IsZero() || st.BadAuthenticators != 0 {
		t.Errorf("statistics %+v", st)
	}
}

func TestFreeRADIUSFailover(t *testing.T) {
	a, b := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{}), partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Secret: "of b"})
	g := startGroup(t, Config{
		Servers: every(100*time.Millisecond, 0, serverOf(a, "a"), serverOf(b, "b")), HoldDown: 2 * time.Second,
	})
	records := randomRecords(1, 1000)
	deliver(t, g, 50, records[:500])
	if n := len(b.Detail()); n != 0 {
		t.Errorf("%d records went to b while a answered", n)
	}
	a.Kill()
	deliver(t, g, 50, records[500:])
	compare(t, records[500:], b.Detail()...)
	compare(t, records, append(a.Detail(), b.Detail()...)...)
	a.Start()
	until(t, "the hold-down is over", func() bool { return g.Stats().Servers[0].DownUntil.IsZero() })
	more := randomRecords(2001, 1)
	deliver(t, g, 1, more)
	if last := a.Detail(); last[len(last)-1].Get("Acct-Session-Id") != more[0].rec.Session.String() {
		t.Error("a is back, and not the first to be tried")
	}
}

func TestFreeRADIUSWrongSecret(t *testing.T) {
	p := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{})
	wrong := serverOf(p, "a")
	wrong.Secret = "testing124"
	g := startGroup(t, Config{Servers: every(50*time.Millisecond, 1, wrong)})
	send(t, g, randomRecords(1, 1)[0].rec).want(t, accounting.ErrNoResponse)
	if d := p.Detail(); len(d) != 0 {
		t.Errorf("delivered %v", d)
	}
	if st := g.Stats().Servers[0]; st.Requests != 1 || st.Retransmissions != 1 || st.Timeouts != 2 || st.Responses != 0 {
		t.Errorf("statistics %+v", st)
	}
}
