package page

import (
	"net/http"
	"time"

	"aaasess/cmd/internal/api"
)

// sessionsViews returns the views of sessions.
func sessionsViews() []*view {
	return []*view{
		{pattern: "/sessions", nav: "Sessions", title: "Sessions", template: "sessions", live: []string{"sessions-table"}, load: loadSessions},
	}
}

// sessionsData is what the list of sessions shows.
type sessionsData struct {
	Now      time.Time
	Head     api.SessionsHead
	Sessions []api.Session
}

func loadSessions(p *Page, r *request) (content, error) {
	q, err := api.ParseQuery(r.query)
	if err != nil {
		return content{}, &problem{http.StatusBadRequest, err.Error()}
	}
	if q.Limit == 0 {
		q.Limit = api.PageSize
	}
	head, list := p.cfg.Source.Sessions(q)
	return content{data: sessionsData{r.now, head, list}}, nil
}

// addActions adds the handlers of requests that change something.
func (p *Page) addActions() {}
