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
	// are more, the oldest are forgotten early. 0 means 100,000 and 128 MB. The memory of a burst is
	// used again, and given back when no login is left. If the next logins are of another kind, with
	// many NASes or long texts, both together need more than MaxOctets: 1.6 times in one measurement.
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

	made time.Time // what state.at counts from

	mu sync.Mutex // guards the rest; the table's lock may be held, but is never taken under it
	logins
	renewals  []renewal // oldest first
	begun     [64]beginning
	nextBegun int
	stats     Stats
}

// New returns a Store and gives it to a table, which must be loaded already.
func New(cfg Config, table *sessions.Table) *Store {
	s := &Store{table: table, ready: make(chan struct{}), wake: make(chan struct{}, 1), logins: newLogins()}
	s.calls.Store(table.Calls() > 0)
	s.SetConfig(cfg)
	s.made = s.config.Load().Now()
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

// loginOf returns the login that a request is a round or a copy of. If none is kept, r is 0 and l is new.
func (s *Store) loginOf(q *Request, w *who) (r ref, l login) {
	if r = s.same(w); r != 0 {
		return r, s.login(r)
	}
	return 0, newLogin(q, w)
}

// keep enters a login as the newest: in place of r, if that is not 0.
func (s *Store) keep(r ref, l *login) (h handle) {
	if s.n == 0 {
		s.wakeRun()
	}
	if r != 0 {
		h = s.replace(r, l, s.clock())
	} else {
		h = s.logins.keep(l, s.clock())
	}
	s.setIdle()
	return h
}

// drop forgets a login.
func (s *Store) drop(r ref) {
	s.logins.drop(r)
	s.setIdle()
}

// clock returns how long ago the Store was made.
func (s *Store) clock() time.Duration { return s.config.Load().Now().Sub(s.made) }

// forgetSurplus drops the oldest logins while there are too many. It returns their numbers.
func (s *Store) forgetSurplus() (numbers []sessions.ID) {
	cfg := s.config.Load()
	for s.n > cfg.Max || s.octets > cfg.MaxOctets {
		if id := s.kept.at(s.oldest).number; id != 0 {
			numbers = append(numbers, id)
		}
		s.drop(s.oldest)
		s.stats.Forgotten++
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
