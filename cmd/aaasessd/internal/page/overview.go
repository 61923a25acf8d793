package page

import (
	"time"

	"aaasess/cmd/internal/api"
)

// overviewData is what the overview shows.
type overviewData struct {
	Now    time.Time
	Status api.Status
	Groups []groupRow
	Spool  spoolFigures
}

// spoolFigures is the spool in brief.
type spoolFigures struct {
	api.SpoolStatus
	Records uint64    // that wait, in all queues
	Oldest  time.Time // event of the oldest of them; zero: none waits
}

func newSpoolFigures(s api.SpoolStatus) spoolFigures {
	out := spoolFigures{SpoolStatus: s}
	for _, q := range s.Queues {
		out.Records += q.Records
		if !q.Oldest.IsZero() && (out.Oldest.IsZero() || q.Oldest.Before(out.Oldest)) {
			out.Oldest = q.Oldest
		}
	}
	return out
}

func loadOverview(p *Page, r *request) (content, error) {
	s := &p.cfg.Source
	return content{data: overviewData{r.now, s.Status(), groupRows(s.Groups(), s.Blocked()), newSpoolFigures(s.Spool())}}, nil
}
