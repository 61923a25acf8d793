package acctcontrol

import (
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// accepted says by which methods the records of a session with this route are accepted, and how many
// are not. waiting are all of its records that wait or are set aside (R45a "acknowledge broadcast").
// It returns nil if the session is not accounted.
func accepted(plan *policy.Plan, route string, waiting []api.ExplainedRecord) *api.Acceptance {
	r, err := accounting.ParseRoute(route)
	if err != nil {
		return nil
	}
	out := &api.Acceptance{By: []string{}, All: r.Broadcast}
	var queues []string // in which a record is not accepted; all, without broadcast
	by := plan.Accepting(r)
	for _, m := range by {
		queues = append(queues, m.Queue())
	}
	if by == nil {
		by = r.Methods
	}
	for _, m := range by {
		out.By = append(out.By, string(m))
	}
	// A broadcast has a copy of each record in several queues.
	type event struct {
		what string
		at   time.Time
	}
	seen := map[event]bool{}
	for i := range waiting {
		w := &waiting[i]
		queue := w.From
		if name, _ := api.ParseRecordName(w.Record); name.Queue != api.SetAsideRecords {
			queue = name.Queue
		}
		counts := !r.Broadcast || slices.Contains(queues, queue)
		if r.InterimsToFirst && w.Type == sessions.Interim.String() { // no other method gets it
			counts = queue == r.Methods[0].Queue()
		}
		if !counts || r.Broadcast && seen[event{w.Type, w.At}] {
			continue
		}
		seen[event{w.Type, w.At}] = true
		out.Missing++
	}
	return out
}
