package api

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ID is the number of a session, casnSessionId; 0 is no session. Its text is the Acct-Session-Id
// that the AAA servers receive, unless the configuration says otherwise ([Session].Upstream).
type ID uint32

// String returns eight hex digits.
func (id ID) String() string { return fmt.Sprintf("%08X", uint32(id)) }

// ParseID parses a session ID: exactly eight hex digits, as lists show it, or 0x and one to eight
// hex digits. Fewer digits without 0x are an error, because they could be a decimal number.
func ParseID(s string) (ID, error) {
	digits, prefixed := strings.CutPrefix(strings.ToLower(s), "0x")
	n, err := strconv.ParseUint(digits, 16, 32)
	switch {
	case err != nil || !prefixed && len(digits) != 8 || len(digits) > 8:
		return 0, fmt.Errorf("%w: %q is not a session ID: want eight hex digits, or 0x and one to eight", ErrQuery, s)
	case n == 0:
		return 0, fmt.Errorf("%w: no session has the ID 0", ErrQuery)
	}
	return ID(n), nil
}

// Session is the JSON form of a session. The names of the fields never change. A text is "" and a
// number is 0 if the NAS did not send it.
type Session struct {
	ID            string `json:"id"`            // Acct-Session-Id towards the AAA servers, eight hex digits; but see Upstream
	Number        uint32 `json:"number"`        // casnSessionId: the same as a number
	Kind          string `json:"kind"`          // network, exec or connection; resource for an event or explanation of a call, commands for a command
	State         string `json:"state"`         // active, terminating; ended only in the answer to a disconnect
	User          string `json:"user"`          // User-Name
	Address       string `json:"address"`       // Framed-IP-Address
	NAS           string `json:"nas"`           // its client's name in the configuration, else as nasIdentifier
	NASIdentifier string `json:"nasIdentifier"` // what the NAS calls itself: NAS-Identifier, else NAS-IP-Address or NAS-IPv6-Address
	NASAddress    string `json:"nasAddress"`    // source address of its packets
	// Upstream is the Acct-Session-Id towards the AAA servers if it is not ID (attribute-44); else absent.
	Upstream string `json:"upstream,omitempty"`
	// UserFrom is FromAccept if User is that of the user's Access-Accept; absent: it is that of the
	// NAS. NASUser is then the NAS's User-Name, if that is another one.
	UserFrom string `json:"userFrom,omitempty"`
	NASUser  string `json:"nasUser,omitempty"`
	// AddressFrom is FromAccept if Address is that of the user's Access-Accept; absent: it is that of
	// the NAS.
	AddressFrom string `json:"addressFrom,omitempty"`
	// IPv6 addresses and prefixes, in the order of the packets; absent if there are none.
	IPv6Addresses     []string  `json:"ipv6Addresses,omitempty"`     // Framed-IPv6-Address
	IPv6Prefixes      []string  `json:"ipv6Prefixes,omitempty"`      // Framed-IPv6-Prefix
	DelegatedPrefixes []string  `json:"delegatedPrefixes,omitempty"` // Delegated-IPv6-Prefix
	AcctSessionID     string    `json:"acctSessionId"`               // Acct-Session-Id at the NAS
	CallingStation    string    `json:"callingStation"`              // Calling-Station-Id
	CalledStation     string    `json:"calledStation"`               // Called-Station-Id
	NASPort           *uint32   `json:"nasPort,omitempty"`           // NAS-Port; absent if the NAS sent none
	NASPortID         string    `json:"nasPortId"`                   // NAS-Port-Id
	IfIndex           uint32    `json:"ifIndex"`                     // casnVaiIfIndex
	Started           time.Time `json:"started"`                     // RFC 3339, UTC, whole seconds
	Heard             time.Time `json:"heard"`                       // time of its newest event
	Idle              uint32    `json:"idle"`                        // casnIdleTime, seconds
	SessionTime       uint32    `json:"sessionTime"`                 // Acct-Session-Time as last reported, seconds
	InputOctets       uint64    `json:"inputOctets"`                 // from the user, as last reported
	OutputOctets      uint64    `json:"outputOctets"`                // to the user
	InputPackets      uint64    `json:"inputPackets"`
	OutputPackets     uint64    `json:"outputPackets"`
	// Marked is set in the answer to a disconnect if that request started to end the session. It is
	// false if the session was already being ended.
	Marked bool `json:"marked,omitempty"`
	// Termination is present while the session is being ended, and in the answer to a disconnect.
	Termination *Termination `json:"termination,omitempty"`
}

// FromAccept says that a value is from the Access-Accept of a session's user.
const FromAccept = "access-accept"

// SessionDetail is a session with all its attributes.
type SessionDetail struct {
	Session
	// Service is the name of a service of a subscriber (Cisco-Service-Info), and ParentSession what
	// its NAS calls the subscriber's own session; absent if the session is not a service.
	Service       string `json:"service,omitempty"`
	ParentSession string `json:"parentSession,omitempty"`
	// Attributes identify the session: what the NAS sent in accounting, without the counters and
	// the times, in the order of the packets.
	Attributes []Attribute `json:"attributes"`
	// Granted is what the user's Access-Accept has granted, as far as a session remembers it; absent if
	// authentication has said nothing of the session.
	Granted []Attribute `json:"granted,omitempty"`
	// UnableReason is why nothing can end the session; absent if it can be disconnected.
	UnableReason string `json:"unableReason,omitempty"`
}

// Termination is the progress of ending a session (R30).
type Termination struct {
	Attempts   int        `json:"attempts"`             // number of attempts
	Stuck      bool       `json:"stuck,omitempty"`      // many attempts have not ended it; the daemon goes on asking
	Last       string     `json:"last,omitempty"`       // outcome of the last attempt: "ACK", "NAK 406 (...)", "no answer"
	ErrorCause uint32     `json:"errorCause,omitempty"` // of a NAK (RFC 5176 section 3.5)
	Next       *time.Time `json:"next,omitempty"`       // time of the next step; absent during an attempt
}

// SessionsHead precedes the sessions of a list.
type SessionsHead struct {
	Total   int `json:"total"`   // live sessions, regardless of the filter
	Matched int `json:"matched"` // sessions that match the filter, regardless of the limit
}

// While a clear or a disconnect of many sessions is at work, and has not begun its answer, it sends
// informational responses with status 102 (RFC 2518 section 10.1), several a second at most, to a client
// that asks for them with any value of HeaderProgress: many HTTP libraries take the first response for the
// answer. They have these fields: how many sessions are done, and how many the request selects.
const (
	HeaderProgress = "Aaasess-Progress"
	HeaderDone     = "Aaasess-Done"
	HeaderTotal    = "Aaasess-Total"
)

// ClearHead precedes the sessions in the answer to a clear.
type ClearHead struct {
	Matched int `json:"matched"` // sessions that the request selects
	Cleared int `json:"cleared"` // those that were ended
}

// DisconnectHead precedes the sessions in the answer to a disconnect.
type DisconnectHead struct {
	Matched int `json:"matched"` // sessions that the request selects, without Unable
	Marked  int `json:"marked"`  // those that were not already being ended
	// Unable is how many other sessions the request selects that nothing can end. The request has
	// left them as they were.
	Unable       int    `json:"unable,omitempty"`
	UnableReason string `json:"unableReason,omitempty"` // why the first of them cannot be ended
}
