package radius

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/throttle"
)

// drainLimit is how long Run waits, after its context has ended, for pending answers.
const drainLimit = 2 * time.Second

// Config configures a Listener, an AuthListener or a ChangeListener.
type Config struct {
	// Addresses to listen on. An IPv6 address, including [::], receives no IPv4. Port 0 lets the
	// system choose a port. Answers leave from the address that the request was sent to, also if
	// the socket is bound to 0.0.0.0 or [::].
	Addresses []netip.AddrPort
	// Clients that may send requests; SetClients replaces them.
	Clients []Client
	// Log receives warnings and errors; nil discards them.
	Log *slog.Logger
}

// service is what differs between the ports that NASes and servers send to.
type service interface {
	// serve processes a request of a known client and with valid framing. p and its octets are only
	// valid until serve returns. scratch is working memory and is returned for the next call.
	serve(x exchange, p radius.Packet, scratch []byte, now time.Time) []byte
	// accepting returns why no request would be accepted now, or nil.
	accepting() error
}

// messages are the log lines of a listener about single requests.
type messages struct{ received, dropped string }

// endpoint is what all listeners share: sockets, clients, counters and log.
type endpoint struct {
	service  service
	messages messages
	requests []radius.Code // that it receives, beside Status-Server
	errCode  error         // a request has another code
	// status is the code of the answer to a Status-Server. It depends on the port (RFC 5997 section 3); 0
	// means that none is answered.
	status   radius.Code
	signs    bool // answers have a Message-Authenticator
	log      *slog.Logger
	clients  ClientTable[*client]
	counters counters
	logged   dropLog // drops from unknown clients
	traced   throttle.Packets
	buffers  sync.Pool // of *[]byte, for answers that are being encoded
	sockets  []*socket
	pending  atomic.Int64 // requests without an outcome yet
	opened   time.Time
	ready    chan struct{}
	relayAll func([]*AccessRequest) // of a BatchRelay, else nil
}

// open opens the sockets. They queue requests until Run reads them. An error names the address or
// client that caused it.
func (e *endpoint) open(cfg Config) error {
	e.errCode, e.opened = e.wrongCode(), time.Now()
	e.log, e.ready = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), make(chan struct{})
	if len(cfg.Addresses) == 0 {
		return errors.New("radius: no address to listen on")
	}
	if err := e.SetClients(cfg.Clients); err != nil {
		return err
	}
	for _, addr := range cfg.Addresses {
		s, err := e.openSocket(addr)
		if err != nil {
			return errors.Join(err, e.Close())
		}
		e.sockets = append(e.sockets, s)
	}
	return nil
}

// wrongCode is the error for a request of another code.
func (e *endpoint) wrongCode() error {
	if e.status == 0 {
		return &radius.MalformedError{Problem: fmt.Sprintf("neither a %v nor a %v", e.requests[0], e.requests[1])}
	}
	return &radius.MalformedError{Problem: fmt.Sprintf("neither an %v nor a Status-Server", e.requests[0])}
}

// SetClients replaces all clients. On error it changes nothing. A client keeps the counters of its
// prefix. Requests in flight are answered with the secret that they arrived with.
func (e *endpoint) SetClients(list []Client) error {
	return e.clients.Replace(list, newClient)
}

// ForgetAnswered frees the memory that recognises copies of answered requests, if there has been no
// request for so long that it would recognise none of them any longer. It returns how many requests
// were forgotten.
func (e *endpoint) ForgetAnswered(now time.Time) (forgotten int) {
	for _, s := range e.sockets {
		forgotten += s.seen.forget(now) + s.logins.forget(now)
	}
	return forgotten
}

// buffer returns a buffer for an answer. The caller gives it back to the pool.
func (e *endpoint) buffer() *[]byte {
	if b, ok := e.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, radius.MaxPacket+64) // Seal appends the secret for a moment
	return &b
}

// Addr returns the first address that it listens on, with the actual port.
func (e *endpoint) Addr() netip.AddrPort { return e.Addrs()[0] }

// Addrs returns all addresses, in the order of Config.Addresses.
func (e *endpoint) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, len(e.sockets))
	for i, s := range e.sockets {
		addrs[i] = s.addr
	}
	return addrs
}

// Close closes the sockets if Run is never called.
func (e *endpoint) Close() error {
	var errs []error
	for _, s := range e.sockets {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}

// Ready is closed when Run receives requests.
func (e *endpoint) Ready() <-chan struct{} { return e.ready }

// Run receives requests until ctx ends. Then it waits up to two seconds for the outcomes of requests
// in flight and closes the sockets. It returns nil if it ended because ctx did. Call it once.
func (e *endpoint) Run(ctx context.Context) error {
	var readers, writers sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, s := range e.sockets {
		context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
		writers.Go(s.write)
		readers.Go(func() {
			if err := s.read(ctx); err != nil {
				cancel(err)
			}
		})
	}
	close(e.ready)
	readers.Wait()
	e.drain()
	for _, s := range e.sockets {
		s.answers.close()
	}
	writers.Wait()
	err := context.Cause(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return errors.Join(err, e.Close())
}

// drain waits until every request has its outcome, at most drainLimit.
func (e *endpoint) drain() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(drainLimit); e.pending.Load() > 0 && time.Now().Before(end); {
		<-tick.C
	}
}

// eachClient calls f for each client in the configured order.
func (e *endpoint) eachClient(f func(c *client, counted *counters)) {
	for _, c := range e.clients.All() {
		f(c, &c.stats.counters)
	}
}

func (e *endpoint) count(c *client, what counter) {
	e.counters[what].Add(1)
	if c != nil {
		c.stats.counters[what].Add(1)
	}
}

// drop counts and logs a request that is not answered or, with the counter leftOut, one that is
// accepted without an attribute. It logs at most one line a minute for each source and reason.
func (e *endpoint) drop(c *client, what counter, from netip.AddrPort, now time.Time, why error) {
	e.count(c, what)
	logged, total, name := &e.logged, &e.counters[what], ""
	if c != nil {
		logged, total, name = &c.stats.logged, &c.stats.counters[what], c.Name
	}
	message := e.messages.dropped
	if what == leftOut {
		message = "accounting request accepted without an invalid attribute"
	}
	switch d := logged.due(what, from.Addr(), why, now); {
	case d.alone:
		e.log.Warn(message, "client", name, "from", from, "err", why, "total", total.Load())
	case d.requests > 0:
		e.log.Warn(message+", of too many sources or for too many reasons to log each",
			"client", name, "from", from, "err", why, "requests", d.requests, "sources", d.sources, "total", total.Load())
	}
}

// handle processes one datagram: it drops it or passes it to the service. scratch is working memory
// and is returned for the next call.
func (e *endpoint) handle(b []byte, a arrival, scratch []byte, now time.Time) []byte {
	c := e.clients.Find(a.from.Addr())
	e.count(c, requests)
	x := exchange{arrival: a, endpoint: e, client: c, received: now.Sub(e.opened)}
	if c == nil {
		x.drop(unknownClients, now, errUnknownClient)
		return scratch
	}
	p, err := radius.Parse(b)
	if err != nil {
		x.drop(malformed, now, err)
		return scratch
	}
	x.key, x.request = keyOf(p, a.from), p.Code()
	switch {
	case slices.Contains(e.requests, x.request):
		return e.service.serve(x, p, scratch, now)
	case x.request == radius.CodeStatusServer && e.status != 0:
		return e.answerStatus(x, p, scratch, now)
	}
	x.drop(malformed, now, e.errCode)
	return scratch
}

// errorPause is the pause between two reads after a kernel error.
const errorPause = 100 * time.Millisecond

// read receives datagrams from the socket until ctx ends. A kernel error does not end it: a short
// shortage of memory must not stop the service for good.
func (s *socket) read(ctx context.Context) error {
	r := newReceiver(s)
	for {
		b, from, local, err := r.receive()
		switch {
		case err == nil:
			r.scratch = s.endpoint.handle(b, s.arrival(from, local), r.scratch, time.Now())
			if len(s.together) > 0 && s.in.Buffered() == 0 {
				s.endpoint.relayAll(s.together)
				clear(s.together)
				s.together = s.together[:0]
			}
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded):
			return err
		default:
			s.endpoint.log.Error("receiving requests failed", "address", s.addr, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(errorPause):
			}
		}
	}
}
