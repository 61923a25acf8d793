package page

import (
	"time"

	"aaasess/cmd/internal/api"
)

// overviewData is what the overview shows.
type overviewData struct {
	Now    time.Time
	Status api.Status
	Groups []api.ServerGroup
	Spool  api.SpoolStatus
}

func loadOverview(p *Page, r *request) (content, error) {
	s := &p.cfg.Source
	return content{data: overviewData{r.now, s.Status(), s.Groups(), s.Spool()}}, nil
}
