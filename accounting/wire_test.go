package accounting_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/store"
)

const (
	wireSecret = "of the examples"
	wireWait   = 20 * time.Second
	unrecorded = "unrecorded " // begins the NAS's names of sessions that have no example
)

var wireLoopback = netip.MustParseAddrPort("127.0.0.1:0")

// relay is what a record passes through from a NAS to a server, without the daemon around it.
type relay struct {
	*testing.T
	table    *sessions.Table
	router   *accounting.Router
	listener *nasradius.Listener
	received chan received
	sessions sessions.ID // that the table has begun
}

// received is a request that the server got.
type received struct {
	attrs radius.Attributes
	at    time.Time
}

// newRelay runs a relay until the test ends. spec has what the group adds to records.
func newRelay(t *testing.T, spec acctradius.Spec) *relay {
	t.Helper()
	r := &relay{T: t, received: make(chan received, 100)}
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open("state", store.Config{Disk: store.NewDisk(), MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	route := accounting.Route{List: "all/default", Record: accounting.StartStop, Methods: []accounting.MethodName{"group isp"}}
	router := accounting.NewRouter(st, log)
	router.SetPolicy(func(_ sessions.Kind, s *sessions.Session) string {
		if strings.HasPrefix(s.AcctSessionID(), unrecorded) {
			return ""
		}
		return route.Text()
	})
	r.router, r.table = router, sessions.New(sessions.Config{}, router)
	loopback := nasradius.Client{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: wireSecret}
	r.listener, err = nasradius.New(nasradius.Config{Addresses: []netip.AddrPort{wireLoopback}, Clients: []nasradius.Client{loopback}}, r.table)
	if err != nil {
		t.Fatal(err)
	}
	server := r.serve()
	spec.Group, spec.Window, spec.Client = "isp", 64, client.New(client.Config{})
	spec.Servers = []client.Member{{
		Identity: client.Identity{Name: "s", Host: server.Addr().String(), Port: server.Port(), Secret: wireSecret},
		Schedule: retry.Schedule{Timeout: wireWait},
	}}
	opened, err := spec.Open(func() {}, log)
	if err != nil {
		t.Fatal(err)
	}
	deliver := delivery.New(delivery.Config{}, st, log)
	deliver.SetMethod(spec.Name(), opened.Method, spec.Delivery())
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{r.table.Run, r.listener.Run, opened.Run, deliver.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		end()
		running.Wait()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// serve runs a server of another implementation, until the test ends. It answers everything.
func (r *relay) serve() netip.AddrPort {
	r.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(wireLoopback))
	if err != nil {
		r.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for b := make([]byte, radius.MaxPacket); ; {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return // closed
			}
			at := time.Now()
			p, err := layeh.Parse(b[:n], []byte(wireSecret))
			if err != nil || !layeh.IsAuthenticRequest(b[:n], p.Secret) {
				r.Errorf("%x is no request: %v", b[:n], err)
				return
			}
			r.received <- received{radius.Attributes(b[radius.HeaderLen:n]), at}
			if answer, err := p.Response(layeh.CodeAccountingResponse).Encode(); err == nil {
				_, _ = conn.WriteToUDPAddrPort(answer, from)
			}
		}
	})
	r.Cleanup(func() {
		_ = conn.Close()
		serving.Wait()
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// beginUntil begins sessions without records, until the next session gets this number.
func (r *relay) beginUntil(id sessions.ID) {
	r.Helper()
	for ; r.sessions+1 < id; r.sessions++ {
		name := unrecorded + strconv.Itoa(int(r.sessions))
		ev := sessions.Event{
			Type: sessions.Start, Kind: sessions.Network, At: time.Now(), NAS: sessions.NAS{Addr: netip.MustParseAddr("127.0.0.1")},
			AcctSessionID: name, Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, name)),
		}
		if err := r.table.Apply(ev, nil); err != nil {
			r.Fatal(err)
		}
	}
	r.sessions++
}

// report sends an Accounting-Request as the NAS, and waits for the answer.
func (r *relay) report(identifier byte, attrs []byte) {
	r.Helper()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(r.listener.Addr()))
	if err != nil {
		r.Fatal(err)
	}
	defer conn.Close()
	b := append(radius.AppendHeader(nil, radius.CodeAccountingRequest, identifier), attrs...)
	request := radius.Seal(b, 0, radius.Authenticator{}, wireSecret)
	if _, err := conn.Write(b); err != nil {
		r.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(wireWait))
	answer := make([]byte, radius.MaxPacket)
	n, err := conn.Read(answer)
	if err != nil {
		r.Fatal(err)
	}
	p, err := radius.Parse(answer[:n])
	if err != nil || p.Code() != radius.CodeAccountingResponse || p.Identifier() != identifier {
		r.Fatalf("the answer is %x: %v", answer[:n], err)
	}
	if ok, _ := p.Authentic(request, wireSecret, nil); !ok {
		r.Fatalf("the answer %x is not authentic", answer[:n])
	}
}

// next returns the next request that the server gets.
func (r *relay) next() received {
	r.Helper()
	select {
	case got := <-r.received:
		return got
	case <-time.After(wireWait):
		r.Fatal("the server gets nothing")
		return received{}
	}
}

// addedByServer are the attributes that the server of S1 and S2 added to what it printed. A NAS does
// not send them; docs/records.md says how that is known.
func addedByServer(line string) bool {
	return strings.HasPrefix(line, "User-Id = ") || strings.HasPrefix(line, "NAS-Identifier = ")
}

// TestExamplesOnTheWire sends, as a NAS, what each RADIUS example of S1 and S2 reports, at the same
// place of the same sequence of sessions. The record that reaches the server has the printed
// attributes in the printed order, and one more: Event-Timestamp, before Acct-Delay-Time (R46).
func TestExamplesOnTheWire(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dictionary")
	if err := os.WriteFile(file, []byte("ATTRIBUTE User-Id 222 string\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := radius.Standard().With(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		adds  acctradius.Spec
		lacks func(line string) bool // the printed lines that the records do not have
	}{
		{"as printed", acctradius.Spec{UserID: radius.ID{Type: 222}, AddNASIdentifier: true}, func(string) bool { return false }},
		{"as the NAS sent them", acctradius.Spec{}, addedByServer},
	} {
		t.Run(tt.name, func(t *testing.T) { testExamples(newRelay(t, tt.adds), names, tt.lacks) })
	}
}

func testExamples(r *relay, names *radius.Dictionary, lacks func(string) bool) {
	for i, e := range accounting.PrintedByTime(r.T) {
		if e.IsStart() {
			r.beginUntil(e.ID(r))
		}
		sent := time.Now()
		r.report(byte(i), packetOf(r.T, e, names))
		got := r.next()
		var want, have []string
		for _, line := range e.Lines() {
			if line == "Acct-Delay-Time = 0" {
				want = append(want, "Event-Timestamp = now")
			}
			if !lacks(line) {
				want = append(want, line)
			}
		}
		for p := range names.Print(got.attrs) {
			have = append(have, p.Name+" = "+now(p.Name, got, sent, p.Text))
		}
		if diff := cmp.Diff(want, have); diff != "" {
			r.Errorf("%s: printed (-) and on the wire (+):\n%s", e.Name, diff)
		}
	}
}

// packetOf returns the attributes that the NAS of an example sends. It has its own name for the
// session.
func packetOf(t *testing.T, e accounting.Printed, names *radius.Dictionary) []byte {
	t.Helper()
	lines := slices.DeleteFunc(e.Lines(), addedByServer)
	for i, line := range lines {
		if id, ok := strings.CutPrefix(line, "Acct-Session-Id = "); ok {
			lines[i] = "Acct-Session-Id = nas/" + id
		}
	}
	return parsed(t, lines, names)
}

// parsed returns attributes that are given as "NAME = VALUE".
func parsed(t *testing.T, lines []string, names *radius.Dictionary) (b []byte) {
	t.Helper()
	for _, line := range lines {
		name, value, _ := strings.Cut(line, " = ")
		typ, octets, err := names.Parse(name, value)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		b = radius.AppendAttribute(b, typ, octets)
	}
	return b
}

// now returns what the examples have for the values that depend on the clock, if the value is right
// for a record that was sent and received at these times.
func now(name string, got received, sent time.Time, text string) string {
	switch name {
	case "Acct-Delay-Time":
		if n, ok := got.attrs.Uint32(radius.AcctDelayTime); ok && time.Duration(n)*time.Second <= got.at.Sub(sent) {
			return "0"
		}
		return fmt.Sprintf("%s, %v after it was sent", text, got.at.Sub(sent))
	case "Event-Timestamp":
		if n, ok := got.attrs.Uint32(radius.EventTimestamp); ok && int64(n) >= sent.Unix() && int64(n) <= got.at.Unix() {
			return "now"
		}
	}
	return text
}
