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
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/throttle"
	"aaasess/sessions"
)

// Port is the UDP port that NASes send accounting to (RFC 2866 section 3).
const Port = 1813

// drainLimit is how long Run waits, after its context has ended, for pending answers of the sink.
const drainLimit = 2 * time.Second

// Sink receives the events that NASes report. [termination.Terminator] implements it, and passes
// events on to the table.
type Sink interface {
	// Apply submits an event. If it returns an error, the event is refused and done is not called.
	// Otherwise done is called exactly once, on any goroutine: with nil when the event is durable,
	// or with the reason why it can never be durable. done does not block.
	Apply(ev sessions.Event, done func(error)) error
	// Accepting returns nil if Apply would accept an event now, else the reason why not. It does
	// not block.
	Accepting() error
}

// Config configures a Listener.
type Config struct {
	// Addresses to listen on. An IPv6 address, including [::], receives no IPv4. Port 0 lets the
	// system choose a port. Answers leave from the address that the request was sent to, also if
	// the socket is bound to 0.0.0.0 or [::].
	Addresses []netip.AddrPort
	// Clients that may send accounting; SetClients replaces them.
	Clients []Client
	// Log receives warnings and errors; nil discards them.
	Log *slog.Logger
}

// Listener receives accounting from NASes. Its methods may be called from any goroutine.
type Listener struct {
	sink     Sink
	log      *slog.Logger
	clients  currentClients
	counters counters
	logged   dropLog // drops from unknown clients
	traced   throttle.Packets
	sockets  []*socket
	pending  atomic.Int64 // exchanges without the sink's callback yet
	ready    chan struct{}
}

// New opens the sockets of a Listener. The sockets queue requests until Run reads them. An error
// names the address or client that caused it.
func New(cfg Config, sink Sink) (*Listener, error) {
	l := &Listener{sink: sink, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), ready: make(chan struct{})}
	if len(cfg.Addresses) == 0 {
		return nil, errors.New("radius: no address to listen on")
	}
	if err := l.SetClients(cfg.Clients); err != nil {
		return nil, err
	}
	for _, addr := range cfg.Addresses {
		s, err := l.open(addr)
		if err != nil {
			l.Close()
			return nil, err
		}
		l.sockets = append(l.sockets, s)
	}
	return l, nil
}

// SetClients replaces all clients. On error it changes nothing. A client keeps the counters of its
// prefix. Requests in flight are answered with the secret that they arrived with.
func (l *Listener) SetClients(list []Client) error {
	return l.clients.replace(list)
}

// ForgetAnswered frees the memory that recognises copies of answered requests, if there has been no
// request for half a minute: it would recognise none of them any longer. It returns how many
// requests were forgotten.
func (l *Listener) ForgetAnswered(now time.Time) (forgotten int) {
	for _, s := range l.sockets {
		forgotten += s.seen.forget(now)
	}
	return forgotten
}

// Addr returns the first address that the Listener listens on, with the actual port.
func (l *Listener) Addr() netip.AddrPort { return l.Addrs()[0] }

// Addrs returns all addresses, in the order of Config.Addresses.
func (l *Listener) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, len(l.sockets))
	for i, s := range l.sockets {
		addrs[i] = s.addr
	}
	return addrs
}

// Stats returns a copy of the statistics.
func (l *Listener) Stats() Stats {
	s := Stats{Counters: l.counters.snapshot()}
	for _, c := range l.clients.Load().list {
		s.Clients = append(s.Clients, ClientCounters{c.Name, c.Prefix.String(), c.stats.counters.snapshot()})
	}
	return s
}

// Close closes the sockets of a Listener whose Run is never called.
func (l *Listener) Close() error {
	var errs []error
	for _, s := range l.sockets {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}

// String names the Listener for a log.
func (l *Listener) String() string { return fmt.Sprint("radius accounting listener ", l.Addrs()) }

// Ready is closed when Run receives requests.
func (l *Listener) Ready() <-chan struct{} { return l.ready }

// Run receives requests until ctx ends. Then it waits up to two seconds for the sink's pending
// callbacks and closes the sockets. It returns nil if it ended because ctx did. Call it once.
func (l *Listener) Run(ctx context.Context) error {
	var readers, writers sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, s := range l.sockets {
		context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
		writers.Go(s.write)
		readers.Go(func() {
			if err := s.read(ctx); err != nil {
				cancel(err)
			}
		})
	}
	close(l.ready)
	readers.Wait()
	l.drain()
	for _, s := range l.sockets {
		s.answers.close()
	}
	writers.Wait()
	err := context.Cause(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return errors.Join(err, l.Close())
}

// drain waits until the sink has called back for every exchange, at most drainLimit.
func (l *Listener) drain() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(drainLimit); l.pending.Load() > 0 && time.Now().Before(end); {
		<-tick.C
	}
}

func (l *Listener) count(c *client, what counter) {
	l.counters[what].Add(1)
	if c != nil {
		c.stats.counters[what].Add(1)
	}
}

// drop counts and logs a request that is not answered or, with the counter leftOut, one that is
// accepted without an attribute. It logs at most one line a minute for each source and reason.
func (l *Listener) drop(c *client, what counter, from netip.AddrPort, now time.Time, why error) {
	l.count(c, what)
	logged, total, name := &l.logged, &l.counters[what], ""
	if c != nil {
		logged, total, name = &c.stats.logged, &c.stats.counters[what], c.Name
	}
	message := "accounting request dropped"
	if what == leftOut {
		message = "accounting request accepted without an invalid attribute"
	}
	switch d := logged.due(what, from.Addr(), why, now); {
	case d.alone:
		l.log.Warn(message, "client", name, "from", from, "err", why, "total", total.Load())
	case d.requests > 0:
		l.log.Warn(message+", of too many sources or for too many reasons to log each",
			"client", name, "from", from, "err", why, "requests", d.requests, "sources", d.sources, "total", total.Load())
	}
}

// errorPause is the pause between two reads after a kernel error.
const errorPause = 100 * time.Millisecond

// read receives datagrams from the socket until ctx ends. A kernel error does not end it: a short
// shortage of memory must not stop accounting for good.
func (s *socket) read(ctx context.Context) error {
	r := newReceiver(s)
	for {
		n, from, local, err := r.receive()
		switch {
		case err == nil:
			r.scratch = s.listener.handle(r.buf[:n], s.arrival(from, local), r.scratch, time.Now())
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded):
			return err
		default:
			s.listener.log.Error("receiving accounting requests failed", "address", s.addr, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(errorPause):
			}
		}
	}
}
