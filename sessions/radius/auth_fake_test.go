package radius

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
)

// errNoServer is the reason with which tests drop requests.
var errNoServer = errors.New("no server answers")

// relayed is a Relay that hands its requests to the test.
type relayed chan *AccessRequest

func newRelayed() relayed { return make(relayed, 1024) }

func (r relayed) Relay(q *AccessRequest) { r <- q }

func (r relayed) Accepting() error { return nil }

// next returns the next request; the test fails if there is none.
func (r relayed) next(t *testing.T) *AccessRequest {
	t.Helper()
	select {
	case q := <-r:
		return q
	case <-time.After(10 * time.Second):
		t.Fatal("the relay was not called")
		return nil
	}
}

// unavailable is a Relay without servers.
type unavailable struct{}

func (unavailable) Relay(q *AccessRequest) { q.Drop(errNoServer) }

func (unavailable) Accepting() error { return errNoServer }

// runningAuth is an AuthListener that runs until its test ends.
type runningAuth struct {
	*AuthListener
	harness
}

func startAuth(t *testing.T, relay Relay, addr string, clients ...Client) *runningAuth {
	t.Helper()
	h, cfg := configFor(t, addr, clients)
	l, err := NewAuthListener(cfg, relay)
	if err != nil {
		t.Fatal(err)
	}
	h.run(l.Run)
	return &runningAuth{l, h}
}

// newIdleAuth returns an AuthListener that does not run, and a function that passes it a datagram.
func newIdleAuth(t *testing.T, relay Relay, clients ...Client) (*runningAuth, func(datagram []byte, now time.Time)) {
	t.Helper()
	h, cfg := configFor(t, "127.0.0.1:0", clients)
	l, err := NewAuthListener(cfg, relay)
	if err != nil {
		t.Fatal(err)
	}
	return &runningAuth{l, h}, h.idle(&l.endpoint)
}

// waiting returns the answers that wait for the first socket.
func (e *endpoint) waiting() []*exchange {
	q := &e.sockets[0].answers
	q.mu.Lock()
	n := len(q.queue)
	q.mu.Unlock()
	if n == 0 {
		return nil
	}
	return q.dequeueAll(nil)
}

// queued returns the octets of the answers that wait for the first socket.
func (e *endpoint) queued() (answers []string) {
	for _, x := range e.waiting() {
		answers = append(answers, string(x.appendResponse(nil)))
	}
	return answers
}

// withSigning returns the client that most tests use, with another Signing.
func withSigning(s radius.Signing) Client {
	c := local()
	c.Signing = s
	return c
}

// randomOf returns the authenticator of a request; n makes it another one.
func randomOf(identifier, n byte) radius.Authenticator {
	return radius.Authenticator{'a', ' ', 'r', 'a', 'n', 'd', 'o', 'm', 14: identifier, 15: n}
}

// access encodes an Access-Request with a right Message-Authenticator.
func access(identifier byte, attrs ...string) []byte {
	return accessOf(randomOf(identifier, 0), identifier, attrs...)
}

// accessOf is access with an authenticator.
func accessOf(random radius.Authenticator, identifier byte, attrs ...string) []byte {
	b := radius.AppendSignedHeader(nil, radius.CodeAccessRequest, identifier)
	for _, a := range attrs {
		b = append(b, a...)
	}
	radius.SealRequest(b, random, captured.Secret)
	return b
}

// unsignedAccess encodes an Access-Request without Message-Authenticator.
func unsignedAccess(identifier byte, attrs ...string) []byte {
	b := radius.AppendHeader(nil, radius.CodeAccessRequest, identifier)
	for _, a := range attrs {
		b = append(b, a...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	random := randomOf(identifier, 0)
	copy(b[4:], random[:])
	return b
}

// here is the address that most clients have.
var here = netip.MustParseAddr("127.0.0.1")
