package report

import (
	"encoding/json"
	"time"
)

// The paths of the reading side. The first three answer as those of the control socket do.
const (
	PathSessions         = "/v1/sessions"          // GET: list; GET PathSessions/{id}: one
	PathDisconnect       = "/v1/disconnect"        // POST
	PathEvents           = "/v1/events"            // GET: a stream of events (text/event-stream)
	PathDisconnectResult = "/v1/disconnect-result" // POST, a [DisconnectResult]
)

// Gap is the data of an event "gap": events are missing here.
type Gap struct {
	Missing uint64 `json:"missing,omitempty"` // absent: not known, the daemon has restarted
}

// Disconnect is the data of an event "disconnect": the program of a source is to end a session. It
// answers with a [DisconnectResult].
type Disconnect struct {
	ID      string          `json:"id"` // of the request
	Source  string          `json:"source"`
	Name    string          `json:"name"`    // what the source calls the session
	Until   time.Time       `json:"until"`   // the answer is awaited until then
	Session json.RawMessage `json:"session"` // as GET /v1/sessions/{id} shows it
}

// DisconnectResult is the body of a POST to [PathDisconnectResult].
type DisconnectResult struct {
	ID     string `json:"id"`
	Source string `json:"source"`
	// Result is ack (the session ends), nak (it does not) or gone (there is no such session).
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"` // of nak and gone, for people
}
