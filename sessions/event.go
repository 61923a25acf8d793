package sessions

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions/silence"
)

// EventType says what happened. The numbers are those of Acct-Status-Type (RFC 2866 section 5.1).
type EventType uint8

// The events of a session and of a NAS.
const (
	Start   EventType = 1
	Stop    EventType = 2
	Interim EventType = 3
	// On and Off are Accounting-On and Accounting-Off: the NAS has lost its sessions (R20).
	On  EventType = 7
	Off EventType = 8
	// Other is any other Acct-Status-Type of a session: Tunnel-Start to Tunnel-Link-Reject (9 to
	// 14, RFC 2867), Failed (15, RFC 2866) and unknown ones. The value is in Attrs. Such an event
	// is recorded and changes no session (R27).
	Other EventType = 255
)

// String returns the name of the Acct-Status-Type.
func (t EventType) String() string {
	switch t {
	case Start:
		return "Start"
	case Stop:
		return "Stop"
	case Interim:
		return "Interim-Update"
	case On:
		return "Accounting-On"
	case Off:
		return "Accounting-Off"
	case Other:
		return "Other"
	}
	return "unknown"
}

// Event is what a NAS reports about one of its sessions or about itself.
type Event struct {
	Type EventType
	NAS  NAS
	// SameClient reports whether a source address belongs to the client entry of the packet. If
	// nil, only the packet's own address does. Sessions of other clients are not considered (R25).
	SameClient func(netip.Addr) bool
	// Unique are attributes of which no two live sessions of the same kind have the same value at this
	// NAS. A start ends the sessions that have one of its values. Only those of [Table.SetUnique] count.
	Unique         []radius.Type
	AcctSessionID  string // the NAS's id of the session; empty only for On and Off
	Kind           Kind
	At             time.Time // when it happened: time of receipt minus Acct-Delay-Time
	Delay          uint32    // Acct-Delay-Time in seconds
	HasDelay       bool      // the packet has Acct-Delay-Time
	EventTimestamp uint32    // Event-Timestamp, 0 if there is none
	// Attrs are as sent, without Proxy-State, Message-Authenticator and Acct-Delay-Time.
	Attrs       radius.Attributes
	Usage       Usage
	Sent        UsageFields // the fields of Usage that the packet has; the others are ignored
	IfIndex     uint32
	PortIfIndex uint32
	// Link says that IfIndex is an interface of this host that is the session's own; else nil.
	Link *Link
	// End says how the session can be ended from now on; nil if the event does not say it.
	End *Ending
	// Permit, if not nil, is called under the table's lock with the session that the event belongs to,
	// nil if there is none, and with each session that ends because the event begins another. An error
	// refuses the event: it changes nothing, and Apply returns the error. Permit must not call the table.
	Permit func(*Session) error
	// Outcome, if not nil, is set when the event is decided, so before Apply's done is called.
	Outcome *Outcome

	// The table sets these, on its clock.
	at, now     Stamp // At, and when the event was heard
	heard       silence.Time
	fingerprint fingerprint
	superseded  []Supersession // by this start
}

// Outcome is what an event has done.
type Outcome struct {
	// Session is the session after the event. If the event is late, or a copy, it may have ended before:
	// then it has what is remembered of it.
	Session *Session
	Copy    bool // the event is a copy: it has changed nothing
}

// Notice is an event of a session that is to be accounted.
type Notice struct {
	Type EventType
	// Session is the session after the event. If no live session has the name of an [Other], it is
	// made for this notice, with ID 0: then the NAS's own Acct-Session-Id goes upstream. Its Route
	// is that of the remembered session that fits best, if any.
	Session *Session
	Attrs   radius.Attributes // what the NAS sent with it; empty if we made the stop or interim
	At      time.Time         // when it happened
	// Lasted is how long the session has lasted if we made the stop or interim, or if it is of this host
	// and the event does not tell; else 0.
	Lasted time.Duration
	// Cause is the Acct-Terminate-Cause of a stop if we know it better than the NAS, else 0.
	Cause uint32
	// AfterEnd: the session had ended before, so its Attrs may lack some that it had, even
	// User-Name. That is also so if the session was [Session.Revived].
	AfterEnd    bool
	SecondStart bool // an interim that the NAS has sent as another start of the session
	BringsUser  bool // the event gave a live session its User-Name: it had none, or an empty one
	// Only is the method that gets the record; "" means those of the session's route. A notice with
	// Only repeats what is known of a live session; see [Resync].
	Only string
}

// Put sets one key of the durable state. A nil Value removes the key.
type Put struct {
	Key, Value []byte
	// Latest says that nearly every change sets the key. If several changes become durable together, a
	// Journal may write only the last value. Every Put of such a key sets Latest.
	Latest bool
}

// Change is what one event makes durable: state and notices, all or nothing.
type Change struct {
	State   []Put
	Notices []Notice
	// Patient lets the Journal wait some milliseconds for another change, to make both durable
	// together: the others are not to wait for this one. Whoever waits for this one has the time.
	Patient bool

	octets []byte // keys and values of State; see Table.newChange
}

// Journal makes changes durable and turns notices into accounting records.
type Journal interface {
	// Route decides where the records of a new session go; see [Route]. "" means nowhere. It is
	// called once for a session, under the table's lock, so it must not wait or call the table.
	Route(s *Session) string
	// Adopt decides, in order, the routes of sessions from before routes. Load returns its error.
	Adopt(old []*Session) ([]string, error)
	// Accepting returns nil if a change can be committed now, else the reason. The table asks
	// before each change that it may refuse.
	Accepting() error
	// Commit queues a change, whatever Accepting says, and returns without waiting. It calls done
	// when the change and all before it are durable, or can never be. These calls come in the order
	// of the commits, from a goroutine of the Journal. done may be nil. When Commit returns, the table
	// uses the slices of the Change again, and the octets of its State.
	Commit(c Change, done func(error))
	// AfterBatch sets a function that is called after each batch of commits, before their done.
	// Neither it nor a done blocks: the journal writes nothing meanwhile.
	AfterBatch(fn func())
}
