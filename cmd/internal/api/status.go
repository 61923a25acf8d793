package api

import (
	"encoding/json"
	"time"
)

// Status is the status of the daemon.
type Status struct {
	Version       string    `json:"version"`
	Started       time.Time `json:"started"`       // RFC 3339, UTC
	Entries       int       `json:"entries"`       // casnActiveTableEntries
	HighWaterMark uint32    `json:"highWaterMark"` // casnActiveTableHighWaterMark
	Total         uint64    `json:"total"`         // casnTotalSessions
	Disconnected  uint64    `json:"disconnected"`  // casnDisconnectedSessions
	// Sections are the status of the parts of the daemon, by name.
	Sections map[string]json.RawMessage `json:"sections"`
}

// Problem is the body of an answer whose status is not 200.
type Problem struct {
	Error string `json:"error"` // what is wrong, for the operator
}
