package tacacs

import (
	"time"

	"aaasess/accounting"
	"aaasess/internal/tacacs"
)

// Arguments is how records become arguments.
type Arguments struct{}

// Request returns a record as a request.
func (a *Arguments) Request(rec *accounting.Record, _ time.Time) tacacs.AcctRequest {
	return tacacs.AcctRequest{Flags: tacacs.AcctFlagStart, Args: []string{"task_id=" + rec.SessionName()}}
}
