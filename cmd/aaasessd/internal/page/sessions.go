package page

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/rates"
)

const (
	defaultOrder = "-id" // newest first
	defaultLimit = 50
	maxLimit     = 200 // rows of a page
)

// sessionsViews returns the views of sessions.
func sessionsViews() []*view {
	return []*view{
		{pattern: "/sessions", nav: "Sessions", title: "Sessions", template: "sessions", live: []string{"sessions-table"}, load: loadSessions},
		{pattern: "/sessions/{id}", parent: "/sessions", title: "Session", template: "session", live: []string{"session"}, load: loadSession},
	}
}

// sessionsData is what the list of sessions shows.
type sessionsData struct {
	Problem string // why there is no list; "": there is one
	Form    sessionsForm
	Head    api.SessionsHead
	Filters bool // the list does not have all sessions
	Columns []column
	Rows    []sessionRow
	Parts   parts
}

// sessionsForm is what the form has.
type sessionsForm struct {
	Search string
	Sort   string // "": the default
	// These are in "more filters", which is open if one of them is set.
	Open   bool
	Fields []formField
	State  []option
	Kind   []option
	Limit  []option
}

// formField is a text field.
type formField struct{ Name, Label, Value string }

// option is an option of a choice.
type option struct {
	Value, Text string
	Selected    bool
}

// column is a column of the list.
type column struct {
	Name  string // for an id
	Text  string
	Class string
	Link  string // to the list in the order of the column; "": it cannot be sorted by
	Sort  string // aria-sort, if the list has the order of the column
}

// sessionRow is a row of the list.
type sessionRow struct {
	*api.Session
	Address   string
	Line      string
	Age, Idle string
	In, Out   string // octets a second
}

// StateWord returns the state for people.
func (r sessionRow) StateWord() string { return stateWord(r.Session) }

func loadSessions(p *Page, r *request) (content, error) {
	q, err := parseList(r)
	data := sessionsData{Form: newForm(r), Filters: !q.IsZero(), Columns: columnsOf(q)}
	if err != nil {
		data.Problem = err.Error()
		return content{status: http.StatusBadRequest, data: data}, nil
	}
	head, list := p.cfg.Source.Sessions(q)
	if len(list) == 0 && head.Matched > 0 { // the list has become shorter
		q.Offset = lastPart(head.Matched, q.Limit)
		head, list = p.cfg.Source.Sessions(q)
	}
	data.Head, data.Parts = head, newParts(q.Offset, q.Limit, head.Matched, func(offset int) string {
		to := q
		to.Offset = offset
		return listLink(to)
	})
	for i := range list {
		data.Rows = append(data.Rows, p.newRow(&list[i], r.now))
	}
	return content{data: data}, nil
}

// parseList parses the parameters of the list. Those without a value count as not given: a form sends
// all its fields.
func parseList(r *request) (api.Query, error) {
	values := map[string][]string{}
	for name, list := range r.query {
		if list = slices.DeleteFunc(slices.Clone(list), func(v string) bool { return v == "" }); len(list) > 0 {
			values[name] = list
		}
	}
	q, err := api.ParseQuery(values)
	switch {
	case err != nil:
		return api.Query{}, errors.New(strings.TrimPrefix(err.Error(), api.ErrQuery.Error()+": "))
	case q.Limit > maxLimit:
		return api.Query{}, errors.New("limit: want at most " + strconv.Itoa(maxLimit) + " sessions")
	}
	q.Sort, q.Limit = cmp.Or(q.Sort, defaultOrder), cmp.Or(q.Limit, defaultLimit)
	return q, nil
}

// listLink returns the address of a list.
func listLink(q api.Query) string {
	if q.Sort == defaultOrder {
		q.Sort = ""
	}
	if q.Limit == defaultLimit {
		q.Limit = 0
	}
	if values := q.Values(); len(values) > 0 {
		return "/sessions?" + values.Encode()
	}
	return "/sessions"
}

// columnsOf returns the columns with their links.
func columnsOf(q api.Query) []column {
	const falling = true
	var out []column
	for _, c := range []struct {
		name, text, order string
		falling           bool // its natural order has the greatest value first
	}{
		{"id", "Session", "id", false},
		{"user", "User", "user", false},
		{"address", "Address", "address", false},
		{"nas", "NAS", "nas", false},
		{"line", "Line", "", false},
		{"age", "Age", "started", falling},
		{"idle", "Idle", "idle", falling},
		{"in", "In", "input", falling},
		{"out", "Out", "output", falling},
		{"in-rate", "In/s", "", false},
		{"out-rate", "Out/s", "", false},
		{"state", "State", "", false},
	} {
		shown := column{Name: c.name, Text: c.text}
		if slices.Contains([]string{"age", "idle", "in", "out", "in-rate", "out-rate"}, c.name) {
			shown.Class = "number"
		}
		if c.order != "" {
			to := q
			to.Sort, to.Offset = c.order, 0
			by, reversed := strings.CutPrefix(q.Sort, "-")
			if by == c.order {
				shown.Sort = "ascending"
				if reversed != c.falling {
					shown.Sort = "descending"
				}
				if !reversed {
					to.Sort = "-" + c.order
				}
			}
			shown.Link = listLink(to)
		}
		out = append(out, shown)
	}
	return out
}

// newForm returns the form with the values of a request, also of one that is invalid.
func newForm(r *request) sessionsForm {
	form := sessionsForm{Search: r.query.Get("search"), Sort: r.query.Get("sort")}
	for _, f := range []formField{
		{"user", "User-Name", ""},
		{"address", "Address or prefix", ""},
		{"nas", "NAS", ""},
		{"line", "Line", ""},
		{"calling-station", "Calling-Station-Id", ""},
		{"acct-session-id", "Acct-Session-Id at the NAS", ""},
	} {
		f.Value = r.query.Get(f.Name)
		form.Fields, form.Open = append(form.Fields, f), form.Open || f.Value != ""
	}
	choice := func(name, first string, values []string) []option {
		options := []option{{"", first, false}}
		for _, v := range values {
			is := r.query.Get(name) == v
			options, form.Open = append(options, option{v, v, is}), form.Open || is
		}
		return options
	}
	form.State = choice("state", "any", api.States())
	form.Kind = choice("kind", "any", api.Kinds())
	form.Limit = choice("limit", strconv.Itoa(defaultLimit), []string{"25", "100", strconv.Itoa(maxLimit)})
	return form
}

// newRow returns the row of a session.
func (p *Page) newRow(s *api.Session, now time.Time) sessionRow {
	seen := p.samples.observe(s, now)
	shown := clock(now)
	return sessionRow{
		Session: s, Address: address(s), Line: line(s),
		Age: ago(shown, s.Started), Idle: ago(shown, seen.active),
		In: perSecond(seen.rate, rates.InputOctets), Out: perSecond(seen.rate, rates.OutputOctets),
	}
}

// clockStep is the step of the times that a list shows. In the meantime a list on which nothing else
// happens stays the same, and is not sent again.
const clockStep = 10 * time.Second

func clock(now time.Time) time.Time { return now.Truncate(clockStep) }

// address returns the address of a session for a list: IPv4, else the first one of IPv6.
func address(s *api.Session) string {
	for _, list := range [][]string{s.IPv6Addresses, s.IPv6Prefixes, s.DelegatedPrefixes} {
		if s.Address == "" && len(list) > 0 {
			return list[0]
		}
	}
	return s.Address
}

// line returns the line of a session: its NAS-Port-Id, else its NAS-Port.
func line(s *api.Session) string {
	if s.NASPortID == "" && s.NASPort != nil {
		return strconv.FormatUint(uint64(*s.NASPort), 10)
	}
	return s.NASPortID
}

func stateWord(s *api.Session) string {
	if s.Termination != nil && s.Termination.Stuck {
		return "stuck"
	}
	return s.State
}
