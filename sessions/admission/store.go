package admission

import (
	"context"
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Config has the settings of a [Store].
type Config struct {
	// StartWait is how long an authentication waits for the start of its session; 0 means two minutes.
	StartWait time.Duration
	// Max is how many logins are kept at most, and MaxOctets how many octets they may need. If there
	// are more, the oldest are forgotten early. 0 means 100,000 and 64 MB.
	Max, MaxOctets int
	// IncludeInAccessReq gives each login the number of its session (S0 "attribute 44
	// include-in-access-req").
	IncludeInAccessReq bool
	// ExtendWithAddr puts the address of the NAS in front of the Acct-Session-Id that goes upstream (S0
	// "attribute 44 extend-with-addr").
	ExtendWithAddr bool
	// SyncWithClient uses the NAS's own Acct-Session-Id upstream (S0 "attribute 44 sync-with-client").
	SyncWithClient bool
}

// Request is an Access-Request.
type Request struct {
	NAS sessions.NAS
	// SameClient reports whether a source address belongs to the client entry of the request; see
	// [sessions.Event]. nil means that only the request's own address does.
	SameClient func(netip.Addr) bool
	Kind       sessions.Kind // Resource is the preauthentication of a call
	At         time.Time     // when it was received
	// Attrs are its attributes without passwords, EAP-Message, State, Message-Authenticator and
	// Proxy-State. They may share memory with the packet: what is kept is copied.
	Attrs radius.Attributes
}

// Upstream is what a relayed Access-Request carries in place of the NAS's own attributes.
type Upstream struct {
	// SessionID is the Acct-Session-Id, "" if it stays as the NAS has sent it.
	SessionID string
	// Class are the Class attributes of the call's preauthentication, to be added (R56).
	Class []string
}

// Stats counts what a [Store] has done since it was made, and what it has now.
type Stats struct {
	Waiting   int    // logins that are kept now
	Octets    int    // what they need
	Joined    uint64 // sessions that began with the Accept of their user
	Renewed   uint64 // Accepts that renewed what a live session was granted
	Rejected  uint64 // Rejects that were given to the table for a stop record
	Expired   uint64 // Accepts that no start followed
	Ambiguous uint64 // starts that fitted several logins, so they got none
	Forgotten uint64 // logins that were forgotten early, because there were too many
}

// Store keeps logins. It is safe for concurrent use.
type Store struct {
	table *sessions.Table
	ready chan struct{}
}

// New returns a Store that tells a table, which must be loaded already.
func New(cfg Config, table *sessions.Table) *Store {
	s := &Store{table: table, ready: make(chan struct{})}
	s.SetConfig(cfg)
	return s
}

// SetConfig changes the settings. What logins have been given stays.
func (s *Store) SetConfig(Config) {}

// Stats returns the counters.
func (s *Store) Stats() Stats { return Stats{} }

// Ask is called for each Access-Request before it is relayed. All rounds of a login get the same.
func (s *Store) Ask(*Request) Upstream { return Upstream{} }

// Accept is called for an Access-Accept before the NAS gets it. done is called once: at once, or when
// what a live session has been granted is durable.
func (s *Store) Accept(_ *Request, _ radius.Attributes, done func()) { done() }

// Reject is called for an Access-Reject before the NAS gets it. done is called once: when the stop
// record (R49) is durable, or at once if none is wanted or the table accepts none.
func (s *Store) Reject(_ *Request, _ radius.Attributes, done func()) { done() }

// String names the store for a log.
func (s *Store) String() string { return "admissions" }

// Ready is closed when Run has begun.
func (s *Store) Ready() <-chan struct{} { return s.ready }

// Run forgets logins that have waited long enough, until ctx is done. Call it once.
func (s *Store) Run(ctx context.Context) error {
	close(s.ready)
	<-ctx.Done()
	return nil
}
