package link

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"aaasess/internal/throttle"
	"aaasess/sessions"
)

const (
	// fresh is how long counters are current: there is at most one dump in this time.
	fresh = time.Second
	// patience is how long somebody waits for current counters. Then those of the last dump must do.
	// A GET must be answered well within the master agent's second.
	patience = 300 * time.Millisecond
	// every is the time between two dumps if nobody asks. It limits the error of idle times, and how
	// long the end of an interface can stay unnoticed if its notification was lost.
	every = 10 * time.Second
	// share is the least ratio of the time between these dumps to the time that one takes.
	share = 100
	// grace is how long the program that reported a session has time to report its stop after the
	// interface has disappeared.
	grace = 5 * time.Second
	// maxIdle is how many sockets of Lookup are kept.
	maxIdle = 8
	// saveTimeout limits how long the last samples are saved when the daemon ends.
	saveTimeout = 5 * time.Second
)

// Config configures a [Reader].
type Config struct {
	// Host identifies the boot and the network namespace, as the function [Host] returns it.
	Host uint64
	// Dial opens a socket for messages about interfaces that receives notifications of these groups, a
	// bit each; nil means the kernel's.
	Dial   func(groups uint32) (*netlink.Conn, error)
	Logger *slog.Logger
}

// Reader keeps the counters of sessions with an interface of this host current, and ends those whose
// interface has disappeared. It is a task.
type Reader struct {
	cfg   Config
	table *sessions.Table
	ready chan struct{}
	ended chan struct{}
	need  chan struct{} // has a value if a session may have an interface
	asked chan struct{} // has a value if somebody waits in Refresh
	// Of the log: counters that cannot be read, notifications that were lost.
	line, lostLine throttle.Line
	idle           chan *netlink.Conn // sockets of Lookup that wait for the next one

	mu         sync.Mutex
	freshUntil time.Time
	dump       chan struct{} // closed when the dump that somebody has asked for has ended; else nil

	conn    *netlink.Conn      // owned by Run; nil: not open
	news    chan news          // from watch to Run
	samples []sessions.Sample  // owned by Run: the memory of the last dump
	endings *time.Timer        // owned by Run: when sessions of lost interfaces are to be ended
	ending  bool               // owned by Run: endings is set
	watcher context.CancelFunc // owned by Run: ends watch; nil: it has not begun
	waiting sync.WaitGroup     // for watch
}

// New returns a Reader for the sessions of a table, whose RefreshLinks calls it.
func New(cfg Config, t *sessions.Table) *Reader {
	if cfg.Dial == nil {
		cfg.Dial = dial
	}
	r := &Reader{
		cfg: cfg, table: t, ready: make(chan struct{}), ended: make(chan struct{}),
		need: make(chan struct{}, 1), asked: make(chan struct{}, 1), news: make(chan news),
		idle: make(chan *netlink.Conn, maxIdle),
	}
	t.SetRefresher(r.refresh)
	return r
}

// bufferSize is the size of the buffer for a message of the kernel, which fills at most 32 KiB in a dump.
const bufferSize = 1 << 15

func dial(groups uint32) (*netlink.Conn, error) {
	return netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: groups, MessageBufferSize: bufferSize})
}

// String names the task for a log.
func (r *Reader) String() string { return "network interfaces" }

// Ready is closed when Run has begun.
func (r *Reader) Ready() <-chan struct{} { return r.ready }

// needed tells Run that a session may have an interface soon.
func (r *Reader) needed() { wake(r.need) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// refresh returns when the counters are at most a second old, or when its patience has ended. All that
// call it meanwhile wait for the same dump.
func (r *Reader) refresh() {
	r.mu.Lock()
	if time.Now().Before(r.freshUntil) {
		r.mu.Unlock()
		return
	}
	if r.dump == nil {
		r.dump = make(chan struct{})
		wake(r.asked)
	}
	dump := r.dump
	r.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-dump:
	case <-timer.C:
	case <-r.ended:
	}
}

// Run keeps counters current until ctx is done. Then it makes the last ones durable. Call it once.
// Without sessions that have an interface it does nothing.
func (r *Reader) Run(ctx context.Context) error {
	defer r.close()
	r.endings = time.NewTimer(time.Hour)
	r.endings.Stop()
	if r.table.HasLinks() {
		r.needed()
	}
	close(r.ready)
	next := time.NewTimer(every)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			r.save()
			return nil
		case <-r.need:
			r.watch(ctx)
			next.Reset(r.readAll())
		case <-r.asked:
			next.Reset(r.readAll())
		case <-next.C:
			next.Reset(r.readAll())
		case n := <-r.news:
			r.hear(n)
		case <-r.endings.C:
			r.end(ctx)
		}
	}
}

func (r *Reader) close() {
	close(r.ended)
	if r.watcher != nil {
		r.watcher()
	}
	r.waiting.Wait()
	if r.conn != nil {
		_ = r.conn.Close()
	}
	for len(r.idle) > 0 {
		_ = (<-r.idle).Close()
	}
}

// readAll makes a dump, if there are sessions with an interface, and returns when the next one is due.
func (r *Reader) readAll() time.Duration {
	began := time.Now()
	if r.table.HasLinks() {
		if err := r.readCounters(); err != nil {
			r.fail("the counters of network interfaces cannot be read", err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.freshUntil = time.Now().Add(fresh)
	if r.dump != nil {
		close(r.dump)
		r.dump = nil
	}
	return max(every, share*time.Since(began))
}

// fail logs that something cannot be read, and closes the socket: the next dump opens it again.
func (r *Reader) fail(message string, err error) {
	if suppressed, ok := r.line.Allow(time.Now()); ok {
		r.cfg.Logger.Warn(message, "suppressed", suppressed, "err", err)
	}
	if r.conn != nil {
		_ = r.conn.Close()
		r.conn = nil
	}
}

func (r *Reader) readCounters() (err error) {
	if r.conn == nil {
		if r.conn, err = r.cfg.Dial(0); err != nil {
			return err
		}
	}
	number := r.table.BeginRefresh()
	samples := r.samples[:0]
	if _, err := r.conn.Send(statsRequest(0)); err != nil {
		return err
	}
	for m, err := range r.conn.ReceiveIter() {
		if err != nil {
			return err
		}
		s, err := parseStats(m.Data)
		if err != nil {
			return err
		}
		samples = append(samples, s)
	}
	r.samples = samples
	for _, ifIndex := range r.table.Refreshed(number, r.cfg.Host, samples) {
		if err := r.readMissing(number, ifIndex); err != nil {
			return err
		}
	}
	r.endSoon()
	return nil
}

// readMissing reads the counters of an interface that a dump lacked.
func (r *Reader) readMissing(number uint64, ifIndex uint32) error {
	replies, err := r.conn.Execute(statsRequest(ifIndex))
	if errors.Is(err, unix.ENODEV) {
		r.table.LinkLost(r.cfg.Host, ifIndex, nil)
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range replies {
		s, err := parseStats(m.Data)
		if err != nil {
			return err
		}
		r.table.Refreshed(number, r.cfg.Host, []sessions.Sample{s})
	}
	return nil
}
