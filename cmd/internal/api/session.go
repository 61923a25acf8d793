package api

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ID is the number of a session, casnSessionId; 0 is none. It is shown as the Acct-Session-Id that the session has
// towards the AAA servers.
type ID uint32

// String is eight hex digits, as in the Acct-Session-Id.
func (id ID) String() string { return fmt.Sprintf("%08X", uint32(id)) }

// ParseID reads a session id: exactly eight hex digits, as lists show it, or 0x and one to eight.
// Fewer digits alone could be meant as a decimal number, and so are an error.
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

// Session is a live session as JSON. The names of the fields stay. Texts are "" and numbers 0 where
// the NAS said nothing.
type Session struct {
	ID             string    `json:"id"`                // Acct-Session-Id towards the AAA servers, eight hex digits
	Number         uint32    `json:"number"`            // casnSessionId: the same as a number
	Kind           string    `json:"kind"`              // network, exec or connection
	State          string    `json:"state"`             // active, terminating; ended only in the answer to a disconnect
	User           string    `json:"user"`              // User-Name
	Address        string    `json:"address"`           // Framed-IP-Address
	NAS            string    `json:"nas"`               // NAS-Identifier, else the address that the NAS calls its own
	NASAddress     string    `json:"nasAddress"`        // where its packets come from
	AcctSessionID  string    `json:"acctSessionId"`     // what the NAS calls the session
	CallingStation string    `json:"callingStation"`    // Calling-Station-Id
	CalledStation  string    `json:"calledStation"`     // Called-Station-Id
	NASPort        *uint32   `json:"nasPort,omitempty"` // NAS-Port; absent if the NAS sent none
	NASPortID      string    `json:"nasPortId"`         // NAS-Port-Id
	IfIndex        uint32    `json:"ifIndex"`           // casnVaiIfIndex
	Started        time.Time `json:"started"`           // RFC 3339, UTC, whole seconds
	Heard          time.Time `json:"heard"`             // when the newest event of it happened
	Idle           uint32    `json:"idle"`              // casnIdleTime, seconds
	SessionTime    uint32    `json:"sessionTime"`       // Acct-Session-Time as last heard, seconds
	InputOctets    uint64    `json:"inputOctets"`       // from the user, as last heard
	OutputOctets   uint64    `json:"outputOctets"`      // to the user
	InputPackets   uint64    `json:"inputPackets"`
	OutputPackets  uint64    `json:"outputPackets"`
	// Marked: the disconnect that this answers is what ends the session; false if it was being ended before.
	Marked bool `json:"marked,omitempty"`
	// Termination is there while the session is being ended, or has been in the answer to a disconnect.
	Termination *Termination `json:"termination,omitempty"`
}

// Termination is how far the ending of a session has come (R30).
type Termination struct {
	Attempts   int        `json:"attempts"`             // how often the NAS was asked
	Last       string     `json:"last,omitempty"`       // outcome of the newest attempt: "ACK", "NAK 406 (...)", "no answer"
	ErrorCause uint32     `json:"errorCause,omitempty"` // of a NAK (RFC 5176 section 3.5)
	Next       *time.Time `json:"next,omitempty"`       // when something is done again; absent while an attempt is under way
}

// SessionsHead is what stands before the sessions of a list.
type SessionsHead struct {
	Total   int `json:"total"`   // live sessions, whatever the filter
	Matched int `json:"matched"` // those that the filter means, whatever the limit
}

// DisconnectHead is what stands before the sessions of the answer to a disconnect.
type DisconnectHead struct {
	Matched int `json:"matched"` // sessions that are meant
	Marked  int `json:"marked"`  // those that this disconnect began to end
}
