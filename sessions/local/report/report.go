package report

import (
	"encoding/json"
	"time"
)

// Verb is what a [Report] tells.
type Verb string

// The verbs.
const (
	Start   Verb = "start"
	Update  Verb = "update"
	Stop    Verb = "stop"
	Fail    Verb = "fail"
	Call    Verb = "call"
	Command Verb = "command"
)

// Verbs returns all verbs.
func Verbs() []Verb { return []Verb{Start, Update, Stop, Fail, Call, Command} }

// Path returns the path of the requests of a verb.
func (v Verb) Path() string { return "/v1/" + string(v) }

// The limits of the daemon.
const (
	MaxBody    = 64 << 10 // octets of a body, else 413
	MaxSource  = 32       // octets of a Source
	MaxSession = 200      // octets of a Session
	MaxKey     = 128      // octets of an idempotency key

	// MaxConnections is the limit of open connections, MaxUserConnections that of one user other than
	// root. Beyond it, those that are idle longest are closed.
	MaxConnections     = 512
	MaxUserConnections = 128
)

// The headers of requests and answers.
const (
	// KeyHeader names a report. Reports of one user and verb with the same key are one.
	KeyHeader = "Idempotency-Key"
	// RepeatedHeader is "true" in an answer that was given before, to a report with the same key.
	RepeatedHeader = "Idempotency-Replayed"
)

// Report is what a program on this host tells of a session. Every text is UTF-8. A field that is not
// known is left out: zero is a value.
type Report struct {
	Source  string     `json:"source"`         // the program that reports: a lower-case letter or digit, then up to 31 of these and hyphens
	Session string     `json:"session"`        // what the source calls the session, unique among its live sessions
	Kind    string     `json:"kind,omitempty"` // network, exec, connection or vrrs (start and stop only); absent: network
	At      *time.Time `json:"at,omitempty"`   // when it happened; absent: now

	User              string   `json:"user,omitempty"`              // User-Name
	Address           string   `json:"address,omitempty"`           // Framed-IP-Address
	IPv6Addresses     []string `json:"ipv6Addresses,omitempty"`     // Framed-IPv6-Address
	IPv6Prefixes      []string `json:"ipv6Prefixes,omitempty"`      // Framed-IPv6-Prefix
	DelegatedPrefixes []string `json:"delegatedPrefixes,omitempty"` // Delegated-IPv6-Prefix
	CallingStation    string   `json:"callingStation,omitempty"`    // Calling-Station-Id
	CalledStation     string   `json:"calledStation,omitempty"`     // Called-Station-Id
	NASPort           *uint32  `json:"nasPort,omitempty"`           // NAS-Port
	NASPortID         string   `json:"nasPortId,omitempty"`         // NAS-Port-Id
	Interface         string   `json:"interface,omitempty"`         // name of the session's own network interface (casnVaiIfIndex)
	PortInterface     string   `json:"portInterface,omitempty"`     // name of the interface that carries the session (casnNasPort)
	Service           string   `json:"service,omitempty"`           // name of the service of a subscriber
	ParentSession     string   `json:"parentSession,omitempty"`     // what the source calls the subscriber's own session; with Service

	SessionTime   *uint32 `json:"sessionTime,omitempty"`  // seconds; absent: since the start
	InputOctets   *uint64 `json:"inputOctets,omitempty"`  // from the user since the start
	OutputOctets  *uint64 `json:"outputOctets,omitempty"` // to the user
	InputPackets  *uint64 `json:"inputPackets,omitempty"`
	OutputPackets *uint64 `json:"outputPackets,omitempty"`

	TerminateCause string `json:"terminateCause,omitempty"` // stop, fail: Acct-Terminate-Cause by name or number
	Accepted       bool   `json:"accepted,omitempty"`       // fail: a server had accepted the user
	Stop           bool   `json:"stop,omitempty"`           // call: it is over; absent: it is set up
	Level          int    `json:"level,omitempty"`          // command: privilege level, 0 to 15
	Text           string `json:"text,omitempty"`           // command: as it was typed

	Attributes []Attribute `json:"attributes,omitempty"` // further RADIUS attributes, in order
	End        *End        `json:"end,omitempty"`        // how the session can be ended
}

// Attribute is a RADIUS attribute by the names of the dictionary.
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Answer is the answer to a report, when everything is durable.
type Answer struct {
	// Session is the session after the report, as GET /v1/sessions/{id} of the control socket shows it,
	// with the state "ended" after a stop. Absent for a command and a failed login.
	Session json.RawMessage `json:"session,omitempty"`
	// ID is the number of the record of a command or a failed login, eight hex digits. Absent if no
	// method list applies, and for sessions.
	ID string `json:"id,omitempty"`
	// Copy: the report is a copy of an earlier one. It has changed nothing.
	Copy bool `json:"copy,omitempty"`
}
