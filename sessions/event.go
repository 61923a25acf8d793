package sessions

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
)

// EventType is what happened to a session. The numbers are those of Acct-Status-Type (RFC 2866 section 5.1).
type EventType uint8

// The events of a session, and those of a NAS.
const (
	Start   EventType = 1
	Stop    EventType = 2
	Interim EventType = 3
	// On and Off are Accounting-On and Accounting-Off: what sessions the NAS had are over (R20).
	On  EventType = 7
	Off EventType = 8
	// Other is any other Acct-Status-Type that concerns a session: Tunnel-Start to Tunnel-Link-Reject (9 to 14, RFC 2867),
	// Failed (15, RFC 2866) and those that we do not know. The value is in the attributes. Such an event is recorded
	// and changes no session (R27).
	Other EventType = 255
)

// String is the name of the Acct-Status-Type.
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

// Event is what a NAS reports, of one of its sessions or of itself.
type Event struct {
	Type EventType
	NAS  NAS
	// SameClient reports whether a source address is of the client entry that the packet's is of; nil: only that very
	// address is. Sessions of other clients are nobody's business (R25).
	SameClient    func(netip.Addr) bool
	AcctSessionID string // the NAS's own, not empty unless the Type is On or Off
	Kind          Kind
	At            time.Time // when it happened: received less Acct-Delay-Time
	Delay         uint32    // Acct-Delay-Time in seconds
	HasDelay      bool      // the packet has Acct-Delay-Time
	EventStamp    uint32    // Event-Timestamp, 0 if there is none
	// Attrs are as sent, without Proxy-State, Message-Authenticator and Acct-Delay-Time.
	Attrs       radius.Attributes
	Usage       Usage
	Sent        UsageFields // what of Usage the packet had; the rest of it does not count
	IfIndex     uint32
	PortIfIndex uint32

	// Set by the table, on its clock.
	at, now     Stamp // At, and when it was heard
	fingerprint fingerprint
}

// Notice is an event of a session that is to be accounted.
type Notice struct {
	Type EventType
	// Session is as it is after the event. Of an [Other] that no live session has, it is made for this notice, with ID 0:
	// its Acct-Session-Id upstream is the NAS's own. Its Route is that of the remembered session that it may be of.
	Session *Session
	Attrs   radius.Attributes // what the NAS sent with it; empty for a stop of our own making
	At      time.Time         // when it happened
	// Lasted is how long the session had gone on at the end that we made; 0 unless it is a stop of our own making.
	Lasted time.Duration
	// Cause is the Acct-Terminate-Cause of a stop that we know better than the NAS, else 0: what
	// the NAS sent stands.
	Cause uint32
}

// Put is one key of the durable state; a nil Value removes it.
type Put struct{ Key, Value []byte }

// Change is what one event makes durable: state and notices, all or nothing.
type Change struct {
	State   []Put
	Notices []Notice
}

// Journal makes changes durable and turns notices into accounting records.
type Journal interface {
	// Route decides where the records of a session go that begins: see [Route]. "" is nowhere. It is called once for a
	// session, under the table's lock: it must not wait, nor call the table.
	Route(s *Session) string
	// Adopt decides the same, in order, for sessions of a store from before routes were kept. An error is that of Load.
	Adopt(old []*Session) ([]string, error)
	// Accepting is nil if a change can be taken now, else why not; it is asked before a decision,
	// but for one that takes another back.
	Accepting() error
	// Commit takes a change, whatever Accepting says, and returns without waiting. It calls done once the change and all before it are durable, or can never be; in
	// the order of the commits, on a goroutine of its own. done may be nil.
	Commit(c Change, done func(error))
	// AfterBatch sets what to call after each batch of commits, before their done.
	AfterBatch(fn func())
}
