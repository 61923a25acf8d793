package radius

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/radius/radiustest"

	"aaasess/internal/radius/captured"
)

var _ Sink = (*sessions.Table)(nil)

var errBusy = errors.New("store is full")

// refuser is a Sink that refuses every event.
type refuser struct{}

func (refuser) Apply(sessions.Event, func(error)) error { return errBusy }

func (refuser) Accepting() error { return errBusy }

// applyRefuser is a Sink that refuses every event although Accepting returns nil.
type applyRefuser struct{ refuser }

func (applyRefuser) Accepting() error { return nil }

// report is one call of Apply.
type report struct {
	event sessions.Event
	done  func(error)
}

// recorder is a Sink that hands its calls to the test; the test calls done.
type recorder chan report

func newRecorder() recorder { return make(recorder, 1024) }

func (r recorder) Apply(ev sessions.Event, done func(error)) error {
	r <- report{event: ev, done: done}
	return nil
}

func (r recorder) Accepting() error { return nil }

// next returns the next call; the test fails if there is none.
func (r recorder) next(t *testing.T) report {
	t.Helper()
	select {
	case call := <-r:
		return call
	case <-time.After(10 * time.Second):
		t.Fatal("the sink was not called")
		return report{}
	}
}

// harness is what the tests of both listeners have.
type harness struct {
	t    testing.TB
	log  *radiustest.Log
	stop func() // ends Run and waits for it; may be called twice
}

// configFor returns the harness and configuration of a listener with one address.
func configFor(t testing.TB, addr string, clients []Client) (harness, Config) {
	log := &radiustest.Log{}
	return harness{t: t, log: log}, Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort(addr)},
		Clients:   clients,
		Log:       slog.New(slog.NewTextHandler(log, nil)),
	}
}

// run calls Run of a listener until stop is called or the test ends.
func (h *harness) run(run func(context.Context) error) {
	h.stop = radiustest.Run(h.t, run)
}

// runningListener is a Listener that runs until its test ends.
type runningListener struct {
	*Listener
	harness
}

func startListener(t *testing.T, sink Sink, addr string, clients ...Client) *runningListener {
	t.Helper()
	h, cfg := configFor(t, addr, clients)
	l, err := New(cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	h.run(l.Run)
	return &runningListener{l, h}
}

// local returns the client that most tests use.
func local() Client {
	return Client{Name: "local", Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: captured.Secret}
}

// nas is a UDP socket connected to a Listener.
type nas struct {
	t    testing.TB
	conn *net.UDPConn
}

func (h *harness) dial(to netip.AddrPort) nas {
	h.t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	return nas{h.t, conn}
}

func (n nas) send(datagrams ...[]byte) {
	n.t.Helper()
	for _, b := range datagrams {
		if _, err := n.conn.Write(b); err != nil {
			n.t.Fatal(err)
		}
	}
}

// receive returns the next answer and checks that it is an Accounting-Response to the request.
func (n nas) receive(request []byte) radius.Packet {
	n.t.Helper()
	return n.receiveCode(request, radius.CodeAccountingResponse)
}

// receiveCode returns the next answer and checks that it belongs to the request.
func (n nas) receiveCode(request []byte, code radius.Code) radius.Packet {
	n.t.Helper()
	if err := n.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		n.t.Fatal(err)
	}
	b := make([]byte, radius.MaxPacket)
	size, err := n.conn.Read(b)
	if err != nil {
		n.t.Fatalf("no answer: %v", err)
	}
	p, err := radius.Parse(b[:size])
	if err != nil {
		n.t.Fatal(err)
	}
	if p.Code() != code || p.Identifier() != request[1] {
		n.t.Fatalf("%v, identifier %d; want %v, %d", p.Code(), p.Identifier(), code, request[1])
	}
	if ok, _ := p.Authentic(radius.Authenticator(request[4:radius.HeaderLen]), captured.Secret, nil); !ok {
		n.t.Fatal("the answer is not authentic")
	}
	return p
}

// request encodes an authentic Accounting-Request.
func request(identifier byte, attrs ...string) []byte {
	b := radius.AppendHeader(nil, radius.CodeAccountingRequest, identifier)
	for _, a := range attrs {
		b = append(b, a...)
	}
	radius.Seal(b, 0, radius.Authenticator{}, captured.Secret)
	return b
}

// start encodes an authentic start of the session id.
func start(identifier byte, id string) []byte {
	return request(identifier, num(radius.AcctStatusType, 1), attr(radius.AcctSessionID, id))
}

// statusRequest encodes an authentic Status-Server. The Listener answers it without calling Apply.
// Once its answer is there, the Listener has handled everything sent before it from the same
// socket.
func statusRequest(identifier byte, attrs ...string) []byte {
	b := radius.AppendMessageAuthenticator(radius.AppendHeader(nil, radius.CodeStatusServer, identifier))
	for _, a := range attrs {
		b = append(b, a...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[4:], "a random number.")
	sum := hmac.New(md5.New, []byte(captured.Secret))
	sum.Write(b)
	sum.Sum(b[:radius.HeaderLen+2])
	return b
}
