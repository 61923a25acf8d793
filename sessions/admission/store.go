package admission

import (
	"cmp"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// The defaults of a [Config].
const (
	DefaultStartWait = 2 * time.Minute
	DefaultMax       = 100_000
	DefaultMaxOctets = 128 << 20
)

// Config has the settings of a [Store].
type Config struct {
	// StartWait is how long a login is kept after its newest request or answer, if no session begins;
	// 0 means two minutes.
	StartWait time.Duration
	// Max is how many logins are kept at most, and MaxOctets how many octets they may need. If there
	// are more, the oldest are forgotten early. 0 means 100,000 and 128 MB.
	Max, MaxOctets int
	// IncludeInAccessReq tells servers the Acct-Session-Id of the session already at its login (S0
	// "attribute 44 include-in-access-req").
	IncludeInAccessReq bool
	// ExtendWithAddr puts the IPv4 address of the NAS, as eight hex digits, in front of the
	// Acct-Session-Id that goes upstream (S0 "attribute 44 extend-with-addr"). Without such an address
	// nothing is put there.
	ExtendWithAddr bool
	// SyncWithClient uses the NAS's own Acct-Session-Id upstream (S0 "attribute 44
	// sync-with-client"). Before the NAS has sent one, servers are told none.
	SyncWithClient bool
	// PopulateAtSetup makes a row of each accepted login (IOS XE "aaa session-mib populate setup",
	// R13), with the number that its session will have.
	PopulateAtSetup bool
	// Now reads the host's clock; nil means time.Now. Only its monotonic reading counts.
	Now func() time.Time
}

// Request is an Access-Request.
type Request struct {
	NAS sessions.NAS
	// SameClient reports whether a source address belongs to the client entry of the request; see
	// [sessions.Event]. nil means that only the request's own address does.
	SameClient func(netip.Addr) bool
	Kind       sessions.Kind // Resource is the preauthentication of a call
	At         time.Time     // when it was received
	// Attrs are its attributes. Of these the [Store] keeps copies of those that tell who and where the
	// user is, and never a password, a key, EAP-Message or State.
	Attrs radius.Attributes
}

// event returns what the table compares with its sessions.
func (q *Request) event(w *who) sessions.Event {
	return sessions.Event{NAS: q.NAS, SameClient: q.SameClient, Kind: q.Kind, AcctSessionID: w.sid, Attrs: q.Attrs}
}

// Stats counts what a [Store] has done since it was made, and what it has now.
type Stats struct {
	Waiting    int    // logins that are kept now
	Octets     int    // about what they need
	Accepts    uint64 // Access-Accepts
	Joined     uint64 // sessions that were given what the Accept of their user granted
	Renewed    uint64 // Accepts that renewed what a live session was granted
	Rejected   uint64 // Rejects that the table was told of
	Expired    uint64 // Accepts that no session followed
	Ambiguous  uint64 // sessions that several logins fitted, so they got none
	Forgotten  uint64 // logins that were forgotten early, because there were too many
	Unnumbered uint64 // requests that were to have a number, while none was durable
}

// Store keeps logins. It is safe for concurrent use.
type Store struct {
	table  *sessions.Table
	config atomic.Pointer[Config]
	ready  chan struct{}
	wake   chan struct{}
	// idle says that Admit has nothing to do: no login is kept, and sessions are called by their
	// numbers.
	idle  atomic.Bool
	calls atomic.Bool // there may be preauthentications

	mu sync.Mutex // guards the rest; the table's lock may be held, but is never taken under it
	index
	n              int
	octets         int
	oldest, newest *login
	renewals       []renewal // oldest first
	begun          [64]beginning
	nextBegun      int
	stats          Stats
}

// New returns a Store and gives it to a table, which must be loaded already.
func New(cfg Config, table *sessions.Table) *Store {
	s := &Store{table: table, ready: make(chan struct{}), wake: make(chan struct{}, 1), index: newIndex()}
	s.calls.Store(table.Calls() > 0)
	s.SetConfig(cfg)
	table.SetAdmissions(s)
	return s
}

// SetConfig changes the settings. What logins and sessions have been given stays.
func (s *Store) SetConfig(cfg Config) {
	cfg.StartWait = cmp.Or(cfg.StartWait, DefaultStartWait)
	cfg.Max, cfg.MaxOctets = cmp.Or(cfg.Max, DefaultMax), cmp.Or(cfg.MaxOctets, DefaultMaxOctets)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s.config.Store(&cfg)
	s.table.SetReserving(cfg.IncludeInAccessReq || cfg.PopulateAtSetup)
	s.mu.Lock()
	s.setIdle()
	surplus := s.forgetSurplus()
	s.mu.Unlock()
	s.release(surplus)
	s.wakeRun()
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Waiting, out.Octets = s.n, s.octets
	return out
}

// setIdle sets idle. After the first Accept, sessions that begin without a login are noted.
func (s *Store) setIdle() {
	cfg := s.config.Load()
	s.idle.Store(s.n == 0 && !s.hasAccepted() && !cfg.ExtendWithAddr && !cfg.SyncWithClient)
}

func (s *Store) hasAccepted() bool { return s.stats.Accepts > 0 }

// keep enters a login as the newest.
func (s *Store) keep(l *login) {
	s.add(l)
	s.n++
	l.size = l.octets()
	s.octets += l.size
	s.append(l)
	s.setIdle()
}

// touch makes a login the newest.
func (s *Store) touch(l *login) {
	s.unlink(l)
	s.append(l)
}

func (s *Store) append(l *login) {
	l.at = s.config.Load().Now()
	if l.older = s.newest; l.older != nil {
		l.older.newer = l
	} else {
		s.oldest = l
		s.wakeRun()
	}
	s.newest = l
}

func (s *Store) unlink(l *login) {
	if l.older != nil {
		l.older.newer = l.newer
	} else {
		s.oldest = l.newer
	}
	if l.newer != nil {
		l.newer.older = l.older
	} else {
		s.newest = l.older
	}
	l.older, l.newer = nil, nil
}

// drop forgets a login.
func (s *Store) drop(l *login) {
	s.remove(l)
	s.unlink(l)
	s.n--
	s.octets -= l.size
	s.setIdle()
}

// forgetSurplus drops the oldest logins while there are too many. It returns their numbers.
func (s *Store) forgetSurplus() (numbers []sessions.ID) {
	cfg := s.config.Load()
	for s.n > cfg.Max || s.octets > cfg.MaxOctets {
		l := s.oldest
		s.drop(l)
		s.stats.Forgotten++
		numbers = append(numbers, l.number)
	}
	return numbers
}

// release gives numbers back to the table. The caller does not hold the lock.
func (s *Store) release(numbers []sessions.ID) {
	for _, id := range numbers {
		if id != 0 {
			s.table.Release(id)
		}
	}
}
