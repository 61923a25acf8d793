package top

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/rates"

	tea "charm.land/bubbletea/v2"
)

// topAsker asks the daemon. Its functions may wait.
type topAsker struct {
	List       func(api.Query) (topPage, error)
	session    func(api.ID) (*api.SessionDetail, error)
	disconnect func(id string) (api.Session, error)
	now        func() time.Time
}

// topPage is a part of the list of sessions.
type topPage struct {
	start          int // index of rows[0] in the list
	Rows           []api.Session
	total, matched int
}

// The messages to the model: answers of the daemon, and the time for the next request.
type (
	topListed struct {
		topAnswer
		page topPage
	}
	topShown struct {
		topAnswer
		session *api.SessionDetail
	}
	topDisconnected struct {
		session api.Session // with an error, only its ID and User are set
		err     error
	}
	topTick int
)

// topAnswer is what answers to requests have in common.
type topAnswer struct {
	wanted string // the request
	at     time.Time
	took   time.Duration
	err    error
}

// topMode says what keys do.
type topMode int

const (
	browsing topMode = iota
	filtering
	confirming
)

// topModel is the state of the live table. Update and View do no I/O and read no clock: requests are
// commands that the program runs. One goroutine uses it.
//
// It asks for the screen and one more above and below, so that the daemon never sends a long list.
// The next request begins at the interval after an answer, or at once if a key has changed what is
// wanted. There is never more than one request, besides disconnects.
type topModel struct {
	ask           topAsker
	interval      time.Duration
	plain         bool // without styles
	suspends      bool // Ctrl-Z stops the process
	width, height int

	filter  api.Query // without an order
	sort    string
	reverse bool

	page     topPage
	start    int    // of the page that is wanted
	offset   int    // index in the list of the first row on the screen
	cursor   int    // index in the list of the selected row
	selected string // its ID; "" if it is not known
	jump     bool   // the next page is in another order, so the selection does not follow
	rates    map[string]rates.Rate
	details  *topDetails // nil: the list is shown

	mode   topMode
	input  string      // of the filter
	target api.Session // what a "y" disconnects

	busy   bool   // a request is open
	asked  string // the latest request
	ticks  int    // number of the tick that counts
	now    time.Time
	err    error // of the latest request
	notice string
	fatal  error // ends the program
}

// topDetails is the screen of one session.
type topDetails struct {
	id      api.ID
	session *api.SessionDetail // nil until it has arrived
	offset  int                // first line on the screen
}

func newTopModel(ask topAsker, q api.Query, interval time.Duration) *topModel {
	by, reverse := strings.CutPrefix(q.Sort, "-")
	return &topModel{
		ask: ask, interval: interval, filter: withoutOrder(q), sort: by, reverse: reverse,
		width: 80, height: 24, rates: map[string]rates.Rate{}, now: ask.now(),
	}
}

// Init implements tea.Model.
func (m *topModel) Init() tea.Cmd { return m.request() }

// Update implements tea.Model.
func (m *topModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = cmp.Or(msg.Width, 80), cmp.Or(msg.Height, 24)
		m.settle()
	case tea.KeyPressMsg:
		if cmd := m.key(msg); cmd != nil {
			return m, cmd
		}
	case tea.PasteMsg:
		if m.mode == filtering {
			m.input += msg.Content
		}
	case topTick:
		if int(msg) == m.ticks && !m.busy {
			return m, m.request()
		}
		return m, nil
	case topListed:
		if m.answered(msg.topAnswer) {
			m.list(msg.page)
		}
		return m, m.next(msg.topAnswer)
	case topShown:
		if m.answered(msg.topAnswer) {
			m.details.session = msg.session
			m.rates[msg.session.ID] = m.sample(&msg.session.Session)
		}
		return m, m.next(msg.topAnswer)
	case topDisconnected:
		return m, m.disconnected(msg)
	}
	return m, m.changed()
}

// query returns the request for the list.
func (m *topModel) query() api.Query {
	q := m.filter
	q.Sort, q.Offset, q.Limit = m.sort, m.start, 3*m.height
	if m.reverse {
		q.Sort = "-" + q.Sort
	}
	return q
}

// wanted names the request for what the screen shows.
func (m *topModel) wanted() string {
	if m.details != nil {
		return m.details.id.String()
	}
	return m.query().Values().Encode()
}

// request asks for what the screen shows.
func (m *topModel) request() tea.Cmd {
	m.ticks++
	m.busy, m.asked = true, m.wanted()
	wanted, ask := m.asked, m.ask
	answer := func(began time.Time, err error) topAnswer {
		at := ask.now()
		return topAnswer{wanted, at, at.Sub(began), err}
	}
	if m.details != nil {
		id := m.details.id
		return func() tea.Msg {
			began := ask.now()
			session, err := ask.session(id)
			return topShown{answer(began, err), session}
		}
	}
	q := m.query()
	return func() tea.Msg {
		began := ask.now()
		page, err := ask.List(q)
		return topListed{answer(began, err), page}
	}
}

// changed asks at once if the screen shows something else now.
func (m *topModel) changed() tea.Cmd {
	if m.busy || m.wanted() == m.asked {
		return nil
	}
	return m.request()
}

// answered notes an answer. It reports whether it has what the screen shows.
func (m *topModel) answered(a topAnswer) bool {
	m.busy = false
	current := a.wanted == m.wanted()
	refused := (*apiclient.ResponseError)(nil)
	switch {
	case errors.Is(a.err, apiclient.ErrPermission):
		m.fatal = a.err
	case errors.As(a.err, &refused) && refused.Code == http.StatusNotFound && m.details != nil:
		m.err = nil
		if current {
			m.details, m.notice = nil, refused.Text
		}
	default:
		m.err = a.err
	}
	if a.err == nil {
		m.now = a.at
	}
	return a.err == nil && current
}

// next continues after an answer. A daemon that needs long for an answer is asked less often, so
// that this costs it a fifth of a processor at most.
func (m *topModel) next(a topAnswer) tea.Cmd {
	if m.fatal != nil {
		return tea.Quit
	}
	if m.err == nil && m.wanted() != m.asked {
		return m.request()
	}
	pause := m.interval
	if m.err == nil {
		pause = max(pause, 4*a.took)
	}
	m.ticks++
	tick := topTick(m.ticks)
	return tea.Tick(pause, func(time.Time) tea.Msg { return tick })
}

// list shows a page. The selection follows its session while that is on the screen.
func (m *topModel) list(p topPage) {
	m.page = p
	known := make(map[string]rates.Rate, len(p.Rows)) // forgets all other sessions
	at := -1
	for i := range p.Rows {
		s := &p.Rows[i]
		known[s.ID] = m.sample(s)
		if s.ID == m.selected {
			at = p.start + i
		}
	}
	m.rates = known
	if at >= m.offset && at < m.offset+m.rows() && !m.jump {
		m.cursor = at
	}
	m.jump = false
	m.settle()
}

// sample returns the rate of a session that has just arrived.
func (m *topModel) sample(s *api.Session) rates.Rate {
	sample := rates.SampleOf(s, m.now)
	if rate, ok := m.rates[s.ID]; ok {
		return rate.Next(sample)
	}
	return rates.First(sample)
}

// settle keeps the cursor in the list and on the screen, and the page around the screen.
func (m *topModel) settle() {
	rows := m.rows()
	m.cursor = max(0, min(m.cursor, m.page.matched-1))
	m.offset = max(0, m.cursor-rows+1, min(m.offset, m.cursor, m.page.matched-rows))
	if end := min(m.offset+rows, m.page.matched); m.offset < m.start || end > m.start+3*m.height {
		m.start = max(0, m.offset-m.height)
	}
	m.selected = ""
	if s := m.row(m.cursor); s != nil {
		m.selected = s.ID
	}
}

// row returns a session by its index in the list; nil if it has not arrived.
func (m *topModel) row(i int) *api.Session {
	if i -= m.page.start; i >= 0 && i < len(m.page.Rows) {
		return &m.page.Rows[i]
	}
	return nil
}

// disconnected shows the result of a disconnect.
func (m *topModel) disconnected(msg topDisconnected) tea.Cmd {
	result := ""
	if msg.err != nil {
		result = msg.err.Error()
	} else {
		result = live.ResultText(msg.session, m.now)
	}
	m.notice = fmt.Sprintf("%s  %s  %s", msg.session.ID, cmp.Or(msg.session.User, "-"), result)
	if m.busy {
		return nil
	}
	return m.request()
}
