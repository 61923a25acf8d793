package nas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
)

const testTimeout = 10 * time.Second

// output collects what a NAS prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// server receives accounting and answers it.
type server struct {
	conn net.PacketConn
	got  chan *layeh.Packet
}

func startServer(t *testing.T, answers bool) *server {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{conn: conn, got: make(chan *layeh.Packet, 100)}
	var serving sync.WaitGroup
	serving.Go(func() {
		b := make([]byte, layeh.MaxPacketLength)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			p, err := layeh.Parse(b[:n], []byte("secret"))
			if err != nil || !layeh.IsAuthenticRequest(b[:n], p.Secret) {
				t.Errorf("an invalid request: %x", b[:n])
				continue
			}
			s.got <- p
			if answer, err := p.Response(layeh.CodeAccountingResponse).Encode(); err == nil && answers {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		serving.Wait()
	})
	return s
}

// next returns the next request of this type and skips others.
func (s *server) next(t *testing.T, status rfc2866.AcctStatusType) *layeh.Packet {
	t.Helper()
	for late := time.After(testTimeout); ; {
		select {
		case p := <-s.got:
			if rfc2866.AcctStatusType_Get(p) == status {
				return p
			}
		case <-late:
			t.Fatalf("no %v arrived", status)
		}
	}
}

// run runs a NAS with some sessions until the test ends.
func run(t *testing.T, s *server, sessions int, interim time.Duration) (n *NAS, out *output, stop context.CancelFunc, ended chan error) {
	t.Helper()
	out = &output{}
	n, err := New(Config{
		Server: s.conn.LocalAddr().String(), Secret: "secret", Disconnect: "127.0.0.1:0",
		Sessions: sessions, Interim: interim, Out: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended = make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(stop)
	return n, out, stop, ended
}

func wait(t *testing.T, ended chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(testTimeout):
		t.Fatal("the NAS does not stop")
	}
}

// disconnect sends a Disconnect-Request.
func disconnect(t *testing.T, n *NAS, secret, id string, wait time.Duration) (*layeh.Packet, error) {
	t.Helper()
	p := layeh.New(layeh.CodeDisconnectRequest, []byte(secret))
	if err := rfc2866.AcctSessionID_SetString(p, id); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	return layeh.Exchange(ctx, p, n.dae.LocalAddr().String())
}

// TestReports: the NAS reports starts, interims with growing counters, and at the end the stops.
func TestReports(t *testing.T) {
	s := startServer(t, true)
	_, out, stop, ended := run(t, s, 2, 20*time.Millisecond)
	var ids, users []string
	for range 2 {
		p := s.next(t, rfc2866.AcctStatusType_Value_Start)
		ids = append(ids, rfc2866.AcctSessionID_GetString(p))
		users = append(users, rfc2865.UserName_GetString(p))
		if _, err := rfc2869.EventTimestamp_Lookup(p); err != nil {
			t.Errorf("Event-Timestamp: %v", err)
		}
		if _, err := rfc2866.AcctInputOctets_Lookup(p); err == nil {
			t.Error("a start has counters")
		}
		if ip := rfc2865.FramedIPAddress_Get(p).String(); !strings.HasPrefix(ip, "10.1.0.") {
			t.Errorf("Framed-IP-Address %s", ip)
		}
	}
	if ids[0] == ids[1] || !slices.Equal(users, []string{"user1", "user2"}) {
		t.Errorf("sessions %q of %q", ids, users)
	}
	octets := map[string]rfc2866.AcctInputOctets{}
	for range 6 {
		p := s.next(t, rfc2866.AcctStatusType_Value_InterimUpdate)
		id, n := rfc2866.AcctSessionID_GetString(p), rfc2866.AcctInputOctets_Get(p)
		if n <= octets[id] {
			t.Errorf("%d octets after %d", n, octets[id])
		}
		octets[id] = n
	}
	stop()
	var stopped []string
	for range 2 {
		p := s.next(t, rfc2866.AcctStatusType_Value_Stop)
		stopped = append(stopped, rfc2866.AcctSessionID_GetString(p))
		if cause := rfc2866.AcctTerminateCause_Get(p); cause != rfc2866.AcctTerminateCause_Value_UserRequest {
			t.Errorf("Acct-Terminate-Cause %v", cause)
		}
	}
	wait(t, ended)
	slices.Sort(stopped)
	if !slices.Equal(stopped, ids) {
		t.Errorf("stops of %q, want %q", stopped, ids)
	}
	if n := strings.Count(out.String(), "Stop "); n != 2 {
		t.Errorf("it prints %d stops:\n%s", n, out)
	}
}

// TestDisconnect: a Disconnect-Request ends the session that it names. The NAS ends with its last
// session, without waiting for the next interim.
func TestDisconnect(t *testing.T) {
	s := startServer(t, true)
	n, out, _, ended := run(t, s, 2, time.Hour)
	var ids []string
	for range 2 {
		ids = append(ids, rfc2866.AcctSessionID_GetString(s.next(t, rfc2866.AcctStatusType_Value_Start)))
	}
	if p, err := disconnect(t, n, "guessed", ids[0], 200*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a request with a wrong secret: %v, %v", p, err)
	}
	nak, err := disconnect(t, n, "secret", "unknown", testTimeout)
	if err != nil || nak.Code != layeh.CodeDisconnectNAK || rfc3576.ErrorCause_Get(nak) != rfc3576.ErrorCause_Value_SessionContextNotFound {
		t.Errorf("an unknown session: %v, %v", nak, err)
	}
	for _, id := range ids {
		ack, err := disconnect(t, n, "secret", id, testTimeout)
		if err != nil || ack.Code != layeh.CodeDisconnectACK {
			t.Fatalf("session %s: %v, %v", id, ack, err)
		}
		p := s.next(t, rfc2866.AcctStatusType_Value_Stop)
		if got := rfc2866.AcctSessionID_GetString(p); got != id || rfc2866.AcctTerminateCause_Get(p) != rfc2866.AcctTerminateCause_Value_AdminReset {
			t.Errorf("stop of %s, cause %v; want %s", got, rfc2866.AcctTerminateCause_Get(p), id)
		}
		if id == ids[0] {
			if nak, err := disconnect(t, n, "secret", id, testTimeout); err != nil || nak.Code != layeh.CodeDisconnectNAK {
				t.Errorf("a session that has ended: %v, %v", nak, err)
			}
		}
	}
	wait(t, ended)
	if got := strings.Count(out.String(), ": ACK"); got != 2 {
		t.Errorf("it prints %d ACKs:\n%s", got, out)
	}
}

// TestRetransmission: a request without an answer is sent again, with its Acct-Delay-Time.
func TestRetransmission(t *testing.T) {
	s := startServer(t, false)
	_, _, _, ended := run(t, s, 1, time.Hour)
	first := s.next(t, rfc2866.AcctStatusType_Value_Start)
	again := s.next(t, rfc2866.AcctStatusType_Value_Start)
	if a, b := rfc2866.AcctDelayTime_Get(first), rfc2866.AcctDelayTime_Get(again); a != 0 || b < 3 {
		t.Errorf("Acct-Delay-Time %d, then %d", a, b)
	}
	if !rfc2869.EventTimestamp_Get(first).Equal(rfc2869.EventTimestamp_Get(again)) {
		t.Error("Event-Timestamp changes")
	}
	select {
	case err := <-ended:
		t.Errorf("it ended: %v", err)
	default:
	}
}

func TestNewFails(t *testing.T) {
	s := startServer(t, true)
	for _, tt := range []struct {
		sessions int
		listen   string
		want     string
	}{
		{0, "127.0.0.1:0", "1 to 10000"},
		{10001, "127.0.0.1:0", "1 to 10000"},
		{1, s.conn.LocalAddr().String(), "nas: cannot listen on " + s.conn.LocalAddr().String() + ": address already in use"},
		{1, "nowhere", "nas: cannot listen on nowhere: address nowhere: missing port in address"},
	} {
		_, err := New(Config{Sessions: tt.sessions, Disconnect: tt.listen})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", fmt.Sprint(tt.sessions, " ", tt.listen), err)
		}
	}
}
