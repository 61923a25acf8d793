package page

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"
)

// maxServers is how many servers one page shows.
const maxServers = 100

// groupRow is a server group in a list.
type groupRow struct {
	api.ServerGroup
	Up, Down, Unknown int // servers by state
	// State is blocked as [Source.Blocked] says; else waiting if records wait for the answer to an
	// Accounting-On, down if no server is up, degraded if one is down, up, or unknown if nothing was sent
	// to any server yet.
	State string
}

// groupRows returns the groups in the order of their names.
func groupRows(groups []api.ServerGroup, blocked Blocked) []groupRow {
	out := make([]groupRow, 0, len(groups))
	for _, g := range groups {
		row := groupRow{ServerGroup: g}
		for i := range g.Servers {
			switch worstState(&g.Servers[i]) {
			case stateUp:
				row.Up++
			case stateDown:
				row.Down++
			default:
				row.Unknown++
			}
		}
		row.State = groupState(&row, blocked.Groups[g.Name])
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b groupRow) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// The states of servers, groups and queues.
const (
	stateUp       = "up"
	stateDown     = "down"
	stateUnknown  = "unknown"
	stateDegraded = "degraded"
	stateBlocked  = "blocked"
	stateWaiting  = "waiting"
)

func groupState(g *groupRow, blocked bool) string {
	switch {
	case blocked:
		return stateBlocked
	case g.AcctOnOff.Blocked:
		return stateWaiting
	case g.Down > 0 && g.Up > 0:
		return stateDegraded
	case g.Down > 0:
		return stateDown
	case g.Up > 0:
		return stateUp
	}
	return stateUnknown
}

// worstState returns the state of a server: down if one of its ports is, else up if one is.
func worstState(s *api.GroupServer) string {
	states := []string{}
	if s.Authentication != nil {
		states = append(states, s.Authentication.OperState)
	}
	if s.AccountingPort != 0 || s.Authentication == nil {
		states = append(states, s.OperState)
	}
	for _, state := range []string{stateDown, stateUp} {
		if slices.Contains(states, state) {
			return state
		}
	}
	return stateUnknown
}

// serversData is what the view of servers shows.
type serversData struct {
	Now    time.Time
	Groups []groupRow // all
	// Sections are groups with those of their servers that this page shows.
	Sections []serverSection
	Only     string // the group whose servers are shown; "": those of all groups
	Parts    parts
}

// serverSection is a group with servers.
type serverSection struct {
	groupRow
	Rows []serverRow
}

// serverRow is a server of a group, for each purpose that the group uses it for.
type serverRow struct {
	api.GroupServer
	Group    string
	State    string // that of the worst port
	Purposes []purpose
}

// purpose is what a server is used for.
type purpose struct {
	Name, State string
	Port        uint16
	api.ServerStatistics
}

// newServerRow returns the row of a server of a group.
func newServerRow(g *api.ServerGroup, s api.GroupServer) serverRow {
	row := serverRow{GroupServer: s, Group: g.Name, State: worstState(&s)}
	if a := s.Authentication; a != nil {
		row.Purposes = append(row.Purposes, purpose{"authentication", a.OperState, s.AuthenticationPort, a.ServerStatistics})
	}
	if s.AccountingPort != 0 || s.Authentication == nil {
		row.Purposes = append(row.Purposes, purpose{"accounting", s.OperState, s.AccountingPort, s.Statistics})
	}
	return row
}

// only returns an error if a request has other parameters than these, or one of them twice.
func (r *request) only(names ...string) error {
	for name, values := range r.query {
		if !slices.Contains(names, name) || len(values) != 1 {
			return &problem{http.StatusBadRequest, "the address has a parameter that this page does not have: " + strconv.Quote(name)}
		}
	}
	return nil
}

// count returns a parameter that is a number from 0; 0 if it is not given.
func (r *request) count(name string) (int, error) {
	text := r.query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, &problem{http.StatusBadRequest, name + ": want a number"}
	}
	return int(n), nil
}

func loadServers(p *Page, r *request) (content, error) {
	if err := r.only("group", "offset"); err != nil {
		return content{}, err
	}
	offset, err := r.count("offset")
	if err != nil {
		return content{}, err
	}
	d := serversData{Now: r.now, Groups: groupRows(p.cfg.Source.Groups(), p.cfg.Source.Blocked()), Only: r.query.Get("group")}
	total, found := 0, d.Only == ""
	for _, g := range d.Groups {
		if d.Only != "" && g.Name != d.Only {
			continue
		}
		found = true
		// The part of the page that is within this group.
		from, to := max(0, offset-total), min(len(g.Servers), offset+maxServers-total)
		total += len(g.Servers)
		if from >= to && (len(g.Servers) > 0 || offset > 0) {
			continue
		}
		section := serverSection{groupRow: g}
		for i := from; i < to; i++ {
			section.Rows = append(section.Rows, newServerRow(&g.ServerGroup, g.Servers[i]))
		}
		d.Sections = append(d.Sections, section)
	}
	if !found {
		return content{}, &problem{http.StatusNotFound, "there is no server group " + strconv.Quote(d.Only)}
	}
	d.Parts = newParts(offset, maxServers, total, func(offset int) string {
		q := maps.Clone(r.query)
		if q.Del("offset"); offset > 0 {
			q.Set("offset", strconv.Itoa(offset))
		}
		return (&url.URL{Path: "/servers", RawQuery: q.Encode()}).String()
	})
	return content{data: d}, nil
}
