package radius

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/sessions"
)

// Port is where NASes send accounting (RFC 2866 section 3).
const Port = 1813

// drainLimit is how long a Listener that ends waits for the answers to what the sink has.
const drainLimit = 2 * time.Second

// Sink takes what NASes report; [sessions.Table] is the one.
type Sink interface {
	// Apply takes an event. An error means refused at once: done is not called then. Else done is called once, on whatever
	// goroutine, with nil when the event is durable, or the reason why it can never be. done does not block.
	Apply(ev sessions.Event, done func(error)) error
	// Accepting is nil if Apply would take an event now, else why not. It does not block.
	Accepting() error
}

// Config is how a Listener is set up.
type Config struct {
	// Addresses to listen on. An IPv6 address, also [::], takes no IPv4. Port 0 takes a free one.
	// Answers leave from the address that the request was sent to, also on 0.0.0.0 and [::].
	Addresses []netip.AddrPort
	// Clients that may send; see SetClients.
	Clients []Client
	// Log is where to log; nil for nowhere.
	Log *slog.Logger
}

// Listener takes accounting from NASes. Its methods may be called from any goroutine.
type Listener struct {
	sink     Sink
	log      *slog.Logger
	clients  currentClients
	counters counters
	logged   dropLog // of unknown clients
	sockets  []*socket
	pending  atomic.Int64 // exchanges that the sink has
}

// New opens the sockets of a Listener: from now on requests queue there until Run. An error names
// the address or client that is at fault.
func New(cfg Config, sink Sink) (*Listener, error) {
	l := &Listener{sink: sink, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))}
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

// SetClients replaces the clients, all or, with an error, none. Counters of a prefix that stays
// are kept. Requests that are in progress are answered with the secret that they came with.
func (l *Listener) SetClients(list []Client) error {
	return l.clients.replace(list)
}

// Addr is the first address that the Listener listens on, with the port that it got.
func (l *Listener) Addr() netip.AddrPort { return l.Addrs()[0] }

// Addrs is all addresses, in the order of Config.Addresses.
func (l *Listener) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, len(l.sockets))
	for i, s := range l.sockets {
		addrs[i] = s.addr
	}
	return addrs
}

// Stats is a copy of the statistics.
func (l *Listener) Stats() Stats {
	s := Stats{Counters: l.counters.snapshot()}
	for _, c := range l.clients.Load().list {
		s.Clients = append(s.Clients, ClientCounters{c.Name, c.Prefix.String(), c.stats.counters.snapshot()})
	}
	return s
}

// Close closes the sockets of a Listener that will not run.
func (l *Listener) Close() error {
	var errs []error
	for _, s := range l.sockets {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}

// Run takes requests until ctx ends, then waits up to two seconds for the answers to those that
// the sink has, and closes the sockets. The error is nil when ctx was the reason to end.
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

// drain waits until the sink has called back for all it has, or for drainLimit.
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

// drop counts a request that is not answered, or (leftOut) not taken whole, and logs why unless that was done a moment ago.
func (l *Listener) drop(c *client, what counter, from netip.AddrPort, now time.Time, why error) {
	l.count(c, what)
	logged, total, name := &l.logged, &l.counters[what], ""
	if c != nil {
		logged, total, name = &c.stats.logged, &c.stats.counters[what], c.Name
	}
	message := "accounting request dropped"
	if what == leftOut {
		message = "accounting request taken without an attribute"
	}
	switch d := logged.due(what, from.Addr(), why, now); {
	case d.alone:
		l.log.Warn(message, "client", name, "from", from, "err", why, "total", total.Load())
	case d.requests > 0:
		l.log.Warn(message+", of too many sources or for too many reasons to log each",
			"client", name, "from", from, "err", why, "requests", d.requests, "sources", d.sources, "total", total.Load())
	}
}

// temporary is how long a socket rests after an error of the kernel's.
const temporary = 100 * time.Millisecond

// read takes datagrams from the socket until ctx ends. Errors of the kernel's do not end it: an
// accounting server that is gone for want of memory at one moment would be gone for good.
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
			s.listener.log.Error("receiving failed", "address", s.addr, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(temporary):
			}
		}
	}
}
