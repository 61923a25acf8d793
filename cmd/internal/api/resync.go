package api

import "time"

// The rates of a ResyncRequest, in records a second.
const (
	DefaultResyncRate = 1000
	MaxResyncRate     = 100_000
)

// The types of records of a ResyncRequest.
const (
	ResyncInterim = "interim"
	ResyncStart   = "start"
)

// The states of a Resync.
const (
	ResyncRunning  = "running"
	ResyncDone     = "done"
	ResyncCanceled = "canceled"
)

// ResyncRequest has the servers of a group told of all live sessions again, because they have lost
// their data (R65).
type ResyncRequest struct {
	// Type is interim or start: what each session is told with. "" means interim. Where the list of
	// a session sends no interims to the group, it is a start.
	Type string `json:"type,omitempty"`
	// Rate is how many records a second are made, 1 to MaxResyncRate; 0 means DefaultResyncRate.
	Rate int `json:"rate,omitempty"`
}

// Resync is the state of a resync, as far as it is durable.
type Resync struct {
	Group string    `json:"group"`
	State string    `json:"state"` // ResyncRunning, ResyncDone or ResyncCanceled
	Type  string    `json:"type"`  // interim or start
	Rate  int       `json:"rate"`  // records a second
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended,omitzero"` // absent while it runs
	// Waiting is why no records are made now. Absent: some are, or the resync has ended.
	Waiting  string `json:"waiting,omitempty"`
	Total    uint64 `json:"total"`    // live sessions when it began
	Sessions uint64 `json:"sessions"` // live sessions that it has come to
	Records  uint64 `json:"records"`  // records that it has made
	// LeftOut counts the sessions that got none.
	LeftOut ResyncLeftOut `json:"leftOut"`
}

// ResyncLeftOut counts sessions that a resync leaves out, by the reason.
type ResyncLeftOut struct {
	Elsewhere    uint64 `json:"elsewhere"`    // their records do not go to the group
	StopOnly     uint64 `json:"stopOnly"`     // their list sends the group only stops
	Fallback     uint64 `json:"fallback"`     // the group gets their records only if other methods do not answer
	NullUsername uint64 `json:"nullUsername"` // they have no User-Name, so no records are made of them
}
