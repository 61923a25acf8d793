package sessions

import (
	"fmt"
	"net/netip"
	"time"

	"aaasess/internal/radius"
)

// ID is a session's number, casnSessionId (1..2^32-1). No two live sessions have the same, and
// none is used again until the numbers wrap, also across restarts.
type ID uint32

// String is the Acct-Session-Id that goes upstream: eight upper-case hex digits, never more
// (FreeRADIUS checkrad and Radiator compute one from the other, R8).
func (id ID) String() string { return fmt.Sprintf("%08X", uint32(id)) }

// Kind is the accounting type of a session (R40); the kinds here are rows of casnActiveTable.
type Kind uint8

// The kinds, with the names that method lists use.
const (
	Network    Kind = 1
	Exec       Kind = 2
	Connection Kind = 3
)

// String is the name of the accounting type as S1 has it.
func (k Kind) String() string {
	switch k {
	case Network:
		return "network"
	case Exec:
		return "exec"
	case Connection:
		return "connection"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// State is where a session is in its life.
type State uint8

// The states. A session that has ended stays known for a while, so that late copies of its
// packets are recognised; it is no row of the table.
const (
	Active      State = 1
	Terminating State = 2 // casnDisconnect is true(1); nothing cancels it
	Ended       State = 3
)

// String names the state.
func (s State) String() string {
	switch s {
	case Active:
		return "active"
	case Terminating:
		return "terminating"
	case Ended:
		return "ended"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Acct-Terminate-Cause values that we set ourselves (RFC 2866 section 5.10).
const (
	CauseLostCarrier uint32 = 2
	CauseAdminReset  uint32 = 6
	CauseNASReboot   uint32 = 11
)

// NAS is what a packet tells of the access server that sent it, or a session of the one that has it.
// Which packets are of one NAS is asked between a packet and a session (R25); there is no list of NASes.
type NAS struct {
	// Addr is the source address of its packets.
	Addr netip.Addr
	// Local is the address of this host that its packets are sent to; invalid if that is not known.
	Local netip.Addr
	// Identifier is its NAS-Identifier, "" if it has none.
	Identifier string
	// IPv4 and IPv6 are its NAS-IP-Address and NAS-IPv6-Address; invalid if it has none. 0.0.0.0 and :: are none.
	IPv4, IPv6 netip.Addr
}

// Name is what the NAS calls itself: its NAS-Identifier, else its NAS-IP-Address or NAS-IPv6-Address as text, else "".
func (n NAS) Name() string {
	switch {
	case n.Identifier != "":
		return n.Identifier
	case n.IPv4.IsValid():
		return n.IPv4.String()
	case n.IPv6.IsValid():
		return n.IPv6.String()
	}
	return ""
}

// String is for logs and people.
func (n NAS) String() string {
	name := n.Name()
	if name == "" || name == n.Addr.String() {
		return n.Addr.String()
	}
	return name + "@" + n.Addr.String()
}

// Session is one session at one moment. It does not change: an event makes a new one.
type Session struct {
	// What a walk of the table reads comes first, to touch little memory.
	ID    ID
	Kind  Kind
	State State
	// StartSeen: the NAS has reported the start; false while only later packets were heard.
	StartSeen bool
	// Stopped: the NAS has reported the stop. Of a session that has ended false means that we made its stop.
	Stopped bool
	// Restarted: the NAS's Accounting-On or -Off has ended it.
	Restarted   bool
	Counted     UsageFields // what of Usage the NAS has ever sent
	IPv4        uint32      // casnIpAddr: Framed-IP-Address, 0 if there is none
	IfIndex     uint32      // casnVaiIfIndex: ifIndex of the session's own interface, 0 if it has none here
	PortIfIndex uint32      // casnNasPort: ifIndex of the port that carries it, 0 if not known
	EventStamp  uint32      // newest Event-Timestamp heard, 0 if the NAS sends none
	StartStamp  uint32      // Event-Timestamp of the start, as far as can be told, else 0
	LastTraffic Stamp       // when user data was last known to flow, for casnIdleTime; of an ended session, when it ended
	User        string      // User-Name, part of Attrs

	NAS           *NAS              // with every identifier that its packets have had last
	Attrs         radius.Attributes // who and where: what a stop record of our own making would carry
	AcctSessionID string            // what the NAS calls it, part of Attrs

	Started Stamp
	Heard   Stamp // when the newest event of it happened
	// Acked is when the NAS agreed to end the session, or we ended it as the operator wished: the cause of its stop is ours
	// from then on (R5). Zero if that has not happened.
	Acked Stamp
	// Revived is when an interim last showed that it lives after we had thought it over, zero if none did.
	Revived Stamp
	Usage   Usage
	Route   *Route // decided at the first packet, never changed

	fingerprints fingerprints
	node         *nasNode   // of NAS; nil unless the session is in a table
	former       []*nasNode // the other NAS values that its packets have had
}

// IdleTime is casnIdleTime: how long before now user data last flowed, in whole seconds (R2).
func (s *Session) IdleTime(now Stamp) uint32 {
	return uint32(min(max(0, now.Sub(s.LastTraffic))/time.Second, 1<<32-1))
}
