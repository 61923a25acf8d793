package sessions

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions/silence"
)

// ID is the number of a session, casnSessionId (1..2^32-1). Two live sessions never have the same
// ID. An ID is used again only after the numbers have wrapped, also across restarts.
type ID uint32

// String returns the Acct-Session-Id that goes upstream: eight upper-case hex digits, never more
// (FreeRADIUS checkrad and Radiator compute one from the other, R8).
func (id ID) String() string { return fmt.Sprintf("%08X", uint32(id)) }

// Kind is the accounting type of a session (R40). Network, Exec and Connection are rows of
// casnActiveTable.
type Kind uint8

// The kinds, with the names that method lists use.
const (
	Network    Kind = 1
	Exec       Kind = 2
	Connection Kind = 3
	Resource   Kind = 4 // a call (R51)
	VRRS       Kind = 5 // the time that the NAS is the master of a group of routers (vrrs.go)
	Command    Kind = 6 // a [OneOff], and no session (R53)
)

// String returns the name of the accounting type as S1 has it.
func (k Kind) String() string {
	switch k {
	case Network:
		return "network"
	case Exec:
		return "exec"
	case Connection:
		return "connection"
	case Resource:
		return "resource"
	case VRRS:
		return "vrrs"
	case Command:
		return "commands"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// UnmarshalText parses "network", "exec" or "connection".
func (k *Kind) UnmarshalText(text []byte) error {
	for one := Network; one <= Connection; one++ {
		if one.String() == string(text) {
			*k = one
			return nil
		}
	}
	return fmt.Errorf("sessions: kind %q is not one of network, exec, connection", text)
}

// State is the state of a session in its life cycle.
type State uint8

// The states. An ended session is remembered for a while, for its late packets; it is no row.
const (
	Active      State = 1
	Terminating State = 2 // casnDisconnect is true(1); only [Table.Undo] cancels it
	Ended       State = 3
	SetUp       State = 4 // a login that is a row for SNMP; see [Table.SetUp]
)

// String returns the name of the state.
func (s State) String() string {
	switch s {
	case Active:
		return "active"
	case Terminating:
		return "terminating"
	case Ended:
		return "ended"
	case SetUp:
		return "set up"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Acct-Terminate-Cause values that we set ourselves (RFC 2866 section 5.10).
const (
	CauseLostCarrier uint32 = 2
	CauseAdminReset  uint32 = 6
	CauseNASReboot   uint32 = 11
)

// NAS is what a packet or a session says of its access server. Whether both have the same NAS is
// decided by comparing them (R25). There is no list of NASes.
type NAS struct {
	// Addr is the source address of its packets.
	Addr netip.Addr
	// Local is the local address that its packets are sent to; invalid if it is not known.
	Local netip.Addr
	// Identifier is its NAS-Identifier, "" if it has none.
	Identifier string
	// IPv4 and IPv6 are its NAS-IP-Address and NAS-IPv6-Address; invalid if none, 0.0.0.0 or ::.
	IPv4, IPv6 netip.Addr
}

// Name returns what the NAS calls itself: its NAS-Identifier, else its NAS-IP-Address or
// NAS-IPv6-Address as text, else "".
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

// String returns the name and the source address, for logs and the command line.
func (n NAS) String() string {
	name := n.Name()
	if name == "" || name == n.Addr.String() {
		return n.Addr.String()
	}
	return name + "@" + n.Addr.String()
}

// Session is one session at one moment. In a table it never changes: an event makes a new one.
type Session struct {
	// A walk of the table reads the fields to Attrs, and Admission for the User-Name. They come first, in
	// 64 octets, so it touches little memory.
	ID    ID
	Kind  Kind
	State State
	// StartSeen says that the NAS has reported the start, and not only later packets.
	StartSeen bool
	// Stopped says that the NAS has reported the stop. If not, we made the stop of an ended
	// session.
	Stopped bool
	// NASRestarted says that an Accounting-On or -Off of the NAS has ended the session.
	NASRestarted bool
	// Reached says of a call that a user has been admitted in it.
	Reached bool
	// Unstarted is not zero if it never lived: see [OneOff].
	Unstarted      Unstarted
	Counted        UsageFields // the fields of Usage that the NAS has ever sent
	IPv4           uint32      // casnIpAddr: Framed-IP-Address, 0 if there is none
	EventTimestamp uint32      // newest Event-Timestamp heard, 0 if the NAS sends none
	StartTimestamp uint32      // Event-Timestamp of the start, or computed; 0 if not known
	LastTraffic    Stamp       // when user data last flowed as the NAS has told, or when it ended; see ActiveAt
	rare           *rare       // what most sessions do not have; its interfaces

	NAS   *NAS              // with the newest value of each identifier
	Attrs radius.Attributes // who and where; a stop that we make carries them

	Started   Stamp
	LastEvent Stamp // when the newest event happened, or the end
	// Silence says when the NAS was heard last, and how often it sends interims; see [Table.HeardTime].
	// A remembered session does not have it.
	Silence silence.Record
	Usage   Usage
	Route   *Route // decided at the first packet, never changed
	// Admission is what authentication has said of it; nil if nothing is known.
	Admission *Admission

	fingerprints fingerprints
	node         *nasNode // of NAS; nil if the session is in no table
}

// AcctSessionID returns what the NAS calls the session.
func (s *Session) AcctSessionID() string { return s.Attrs.Text(radius.AcctSessionID) }

// User returns the User-Name: that of the Access-Accept, or else what the NAS has reported; "" if there
// is none.
func (s *Session) User() string {
	return cmp.Or(s.Granted().Text(radius.UserName), s.Attrs.Text(radius.UserName))
}

// toldUntil returns the moment up to which the newest record tells of the session, whether the NAS or
// we made it. A stop that we make is never earlier. LastEvent knows nothing of our interims: it is
// compared with packets of the NAS.
func (s *Session) toldUntil() Stamp { return max(s.LastEvent, s.Told()) }

// IdleTime returns casnIdleTime: how long before now user data last flowed, in whole seconds (R2).
// Before, [Table.RefreshLinks] makes it current.
func (s *Session) IdleTime(now Stamp) uint32 {
	return uint32(min(max(0, now.Sub(s.ActiveAt()))/time.Second, 1<<32-1))
}
