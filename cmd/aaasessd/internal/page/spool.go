package page

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"
)

// maxSetAside is how many set-aside records one page shows.
const maxSetAside = 50

// spoolData is what the view of the spool shows.
type spoolData struct {
	Now    time.Time
	Spool  spoolFigures
	Queues []queueRow
	// SetAside are set-aside records, in the order of their numbers.
	SetAside []api.SetAside
	After    uint64 // the records have higher numbers
	Next     string // address of the next page; "": this is the last one
}

// queueRow is a queue in a list.
type queueRow struct {
	api.Queue
	// State is lost if some records have no method; else blocked as [Source.Blocked] says, waiting if its
	// method waits for the answer to an Accounting-On, down, up or unknown.
	State string
	// Notes are what else an operator should know.
	Notes []string
}

// stateLost is that of a queue with records that no method delivers.
const stateLost = "lost"

func queueRows(queues []api.Queue, blocked Blocked) []queueRow {
	out := make([]queueRow, 0, len(queues))
	for _, q := range queues {
		row := queueRow{q, q.OperState, queueNotes(&q)}
		switch {
		case q.Lost:
			row.State = stateLost
		case blocked.Queues[q.Queue]:
			row.State = stateBlocked
		case q.Hold != "" && q.Hold != api.HoldOpen:
			row.State = stateWaiting
		case !q.DownSince.IsZero():
			row.State = stateDown
		}
		out = append(out, row)
	}
	return out
}

func queueNotes(q *api.Queue) (notes []string) {
	for _, n := range []struct {
		applies bool
		text    string
	}{
		{q.Lost, "No configured method delivers some of these records."},
		{!q.Configured, "The method is not configured any more."},
		{q.Rerouted != "", "The records go to the list " + q.Rerouted + "."},
		{!q.DownSince.IsZero(), "No server answers since " + date(q.DownSince) + "."},
		{!q.NextProbe.IsZero(), "The next try is at " + date(q.NextProbe) + "."},
		{q.Hold == api.HoldHeld, "The records wait until the Accounting-On is answered."},
		{q.Hold == api.HoldAway, "No server answers the Accounting-On: the records go to the next method."},
		{q.Draining, "A backlog is being sent."},
		{q.Superseded > 0, plural(q.Superseded, "interim") + " dropped, because a later record has the same counters."},
		{q.Elsewhere > 0, plural(q.Elsewhere, "record") + " accepted by other methods."},
	} {
		if n.applies {
			notes = append(notes, n.text)
		}
	}
	return notes
}

func loadSpool(p *Page, r *request) (content, error) {
	if err := r.only("after"); err != nil {
		return content{}, err
	}
	d := spoolData{Now: r.now}
	if text := r.query.Get("after"); text != "" {
		var err error
		if d.After, err = strconv.ParseUint(text, 10, 64); err != nil {
			return content{}, &problem{http.StatusBadRequest, "after: want the number of a record"}
		}
	}
	d.Spool = newSpoolFigures(p.cfg.Source.Spool())
	d.Queues = queueRows(d.Spool.SpoolStatus.Queues, p.cfg.Source.Blocked())
	records, err := p.cfg.Source.SetAside(d.After, maxSetAside+1)
	if err != nil {
		return content{}, fmt.Errorf("set-aside records: %w", err)
	}
	if len(records) > maxSetAside {
		records = records[:maxSetAside]
		d.Next = "/spool?" + url.Values{"after": {strconv.FormatUint(records[maxSetAside-1].Seq, 10)}}.Encode()
	}
	d.SetAside = records
	return content{data: d}, nil
}
