package api

import (
	"encoding/json"
	"time"
)

// Status is the status of the daemon.
type Status struct {
	// Verdict is ok, or degraded if there are Reasons.
	Verdict string `json:"verdict"`
	// Reasons are what an operator should look at, each a short text.
	Reasons       []string  `json:"reasons"`
	Version       string    `json:"version"`
	Started       time.Time `json:"started"`       // RFC 3339, UTC
	Entries       int       `json:"entries"`       // casnActiveTableEntries
	Calls         int       `json:"calls"`         // live calls, which are no entries
	HighWaterMark uint32    `json:"highWaterMark"` // casnActiveTableHighWaterMark
	Total         uint64    `json:"total"`         // casnTotalSessions
	Disconnected  uint64    `json:"disconnected"`  // casnDisconnectedSessions
	// Sections are the status of the parts of the daemon, by name.
	Sections map[string]json.RawMessage `json:"sections"`
}

// The names of sections of a [Status] about sessions that aaasess has ended by itself: a [StaleStatus]
// and a [SupersededStatus].
const (
	StaleSection      = "stale"
	SupersededSection = "superseded"
)

// SNMPSection is the name of the section of a [Status] about the SNMP responder and the targets of its
// notifications.
const SNMPSection = "snmp"

// RadiusSection is the name of the section of a [Status] that is a [ListenerStatus].
const RadiusSection = "radius"

// StaleStatus counts sessions that their NASes have stopped reporting, since the daemon started.
type StaleStatus struct {
	Ended uint64 `json:"ended"`
}

// SupersededStatus counts the sessions that the start of another one has ended, since the daemon
// started, by the attribute whose value both have.
type SupersededStatus struct {
	NASPort          uint64 `json:"nasPort"`
	FramedIPAddress  uint64 `json:"framedIPAddress"`
	CallingStationID uint64 `json:"callingStationID"`
	AcctSessionID    uint64 `json:"acctSessionID"` // of a program on this host, for another user
}

// The verdicts of a [Status].
const (
	VerdictOK       = "ok"
	VerdictDegraded = "degraded"
)

// ServerStatus is the status of the servers of a group, in a section of a [Status].
type ServerStatus struct {
	// InvalidServerAddresses counts packets from other addresses than a server's, over all groups.
	InvalidServerAddresses uint64        `json:"invalidServerAddresses"`
	Servers                []GroupServer `json:"servers"`
}

// ListenerStatus is the status of the RADIUS accounting listener, in a section of a [Status].
type ListenerStatus struct {
	ListenerCounters
	Clients []ClientStatus `json:"clients"` // in the order of the configuration
}

// ClientStatus is the status of a client of the listener.
type ClientStatus struct {
	Name    string `json:"name"`
	Address string `json:"address"` // its prefix
	// LastAnswered is when the client got its last answer: to a valid request, or to a copy of one. Absent:
	// never since the daemon started.
	LastAnswered *time.Time `json:"lastAnswered,omitempty"`
	ListenerCounters
}

// ListenerCounters count since the daemon started.
type ListenerCounters struct {
	Requests          uint64 `json:"requests"`          // datagrams received
	Responses         uint64 `json:"responses"`         // answers sent, including repeated ones and those to Status-Servers
	Duplicates        uint64 `json:"duplicates"`        // identical datagrams
	Malformed         uint64 `json:"malformed"`         // requests that could not be parsed
	LeftOut           uint64 `json:"leftOut"`           // requests accepted without an attribute of a wrong length
	BadAuthenticators uint64 `json:"badAuthenticators"` // usually because of a wrong secret
	UnknownClients    uint64 `json:"unknownClients"`    // datagrams from an address of no client; 0 for a client
	StatusServers     uint64 `json:"statusServers"`     // valid Status-Servers
	Refused           uint64 `json:"refused"`           // requests that were not answered because nothing could be stored
	Dropped           uint64 `json:"dropped"`           // answers that could not be sent
}

// Problem is the body of an answer whose status is not 200.
type Problem struct {
	Error string `json:"error"` // what is wrong, for the operator
}
