package top

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/rates"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// The help lines fit 80 columns.
const (
	listHelp    = "q quit  j/k move  enter details  d disconnect  s sort  r reverse  / filter"
	detailsHelp = "q quit  j/k scroll  esc list  d disconnect"
	filterHelp  = "enter apply  esc cancel  ctrl+u clear  NAME, user= nas= address= kind= state= ..."
	confirmHelp = "y disconnect  any other key: no"
)

// topColumn is a column of the live table.
type topColumn struct {
	title string
	right bool
	width int // at the least width of the terminal
	share int // how many sixths of the further width it gets
	from  int // the least width of a terminal that shows it
	cell  func(m *topModel, s *api.Session) string
}

// rateCell returns the cells of one of the rates.
func rateCell(c rates.Counter) func(*topModel, *api.Session) string {
	return func(m *topModel, s *api.Session) string { return rateText(m.rates[s.ID], c) }
}

// rateText returns a rate in powers of 1000; - if it is not known yet.
func rateText(r rates.Rate, c rates.Counter) string {
	n, known := r.PerSecond(c)
	if !known {
		return "-"
	}
	return term.Amount(uint64(math.Round(n)))
}

// topColumns are the columns from left to right. At each value of from they fill that width.
var topColumns = []topColumn{
	{"ID", false, 8, 0, 0, func(_ *topModel, s *api.Session) string { return s.ID }},
	{"USER", false, 13, 3, 0, func(_ *topModel, s *api.Session) string { return s.User }},
	{"ADDRESS", false, 15, 1, 0, func(_ *topModel, s *api.Session) string { return cli.Address(*s) }},
	{"NAS", false, 9, 2, 0, func(_ *topModel, s *api.Session) string { return cmp.Or(s.NAS, s.NASAddress) }},
	{"AGE", true, 6, 0, 96, func(m *topModel, s *api.Session) string { return human.Span(m.now.Sub(s.Started)) }},
	{"IDLE", true, 6, 0, 88, func(_ *topModel, s *api.Session) string { return human.Span(time.Duration(s.Idle) * time.Second) }},
	{"IN", true, 5, 0, 131, func(_ *topModel, s *api.Session) string { return term.Amount(s.InputOctets) }},
	{"OUT", true, 5, 0, 131, func(_ *topModel, s *api.Session) string { return term.Amount(s.OutputOctets) }},
	{"IN/s", true, 6, 0, 0, rateCell(rates.InputOctets)},
	{"OUT/s", true, 6, 0, 0, rateCell(rates.OutputOctets)},
	{"IN PKT/s", true, 8, 0, 117, rateCell(rates.InputPackets)},
	{"OUT PKT/s", true, 9, 0, 117, rateCell(rates.OutputPackets)},
	{"STATE", false, 11, 0, 0, func(_ *topModel, s *api.Session) string { return live.State(*s) }},
}

// View implements tea.Model.
func (m *topModel) View() tea.View {
	lines := m.lines()
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen = true
	if m.mode == filtering {
		input := m.inputLines()
		x := min(ansi.StringWidth(input[len(input)-1]), m.width-1)
		v.Cursor = tea.NewCursor(x, max(0, len(lines)-len(m.footer())+len(input)-1))
	}
	return v
}

// lines returns the lines of the screen. None is wider than the terminal, and no text from the network
// is in them that could change it.
func (m *topModel) lines() []string {
	foot := m.footer()
	body := m.body()
	for len(body) < m.height-len(foot) {
		body = append(body, "")
	}
	body = body[:max(0, m.height-len(foot))]
	lines := append(body, foot[max(0, len(foot)-m.height):]...)
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], m.width, "")
	}
	return lines
}

// rows returns how many sessions, or lines of details, the screen has room for.
func (m *topModel) rows() int {
	head := 3
	if m.details != nil {
		head = 1
	}
	return max(1, m.height-head-len(m.footer()))
}

// footer returns the lines below the table: a question or message, and the keys.
func (m *topModel) footer() []string {
	text, help := m.notice, listHelp
	if m.details != nil {
		help = detailsHelp
	}
	switch {
	case m.mode == confirming:
		text, help = m.question(), confirmHelp
	case m.mode == filtering:
		help = filterHelp
		lines := m.inputLines()
		if m.notice != "" {
			lines = append(lines, m.wrap(m.notice)...)
		}
		return append(lines, help)
	case m.err != nil:
		text = m.err.Error() + "; asking again every " + m.interval.String()
	}
	return append(m.wrap(text), help)
}

// inputLines returns the lines of the filter that is being typed.
func (m *topModel) inputLines() []string {
	return strings.Split(ansi.Hardwrap(columnText("filter: "+m.input), m.width, true), "\n")
}

// wrap makes a text printable and folds it between words.
func (m *topModel) wrap(text string) []string {
	return strings.Split(ansi.Wrap(columnText(text), m.width, " "), "\n")
}

// question asks for the confirmation of a disconnect. Names are quoted if they could be taken for
// words of the question, and cut so that the question fits the screen.
func (m *topModel) question() string {
	short := func(name string) string { return ansi.Truncate(columnText(term.Word(name)), 2*m.width, "…") }
	return fmt.Sprintf("Disconnect session %s of user %s at NAS %s? [y/n]",
		m.target.ID, short(cmp.Or(m.target.User, "(none)")), short(cmp.Or(m.target.NAS, m.target.NASAddress)))
}

// body returns the lines above the footer.
func (m *topModel) body() []string {
	if m.details != nil {
		all := m.detailLines()
		from := min(m.details.offset, len(all))
		lines := []string{m.styled(term.StyleBold, m.heading("session "+m.details.id.String()))}
		return append(lines, all[from:min(from+m.rows(), len(all))]...)
	}
	columns := m.columns()
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = fitText(c.title, c.width, c.right)
	}
	lines := []string{m.heading(m.summary()), cmp.Or(columnText(filterWords(m.filter)), "no filter"), m.styled(term.StyleBold, strings.Join(titles, "  "))}
	for i := m.offset; i < min(m.offset+m.rows(), m.page.matched); i++ {
		if s := m.row(i); s != nil {
			lines = append(lines, m.line(columns, s, i == m.cursor))
		} else {
			lines = append(lines, "...") // has not arrived yet
		}
	}
	return lines
}

// heading returns the first line, with the time of what the screen shows.
func (m *topModel) heading(text string) string {
	return "aaasess top  " + m.now.Local().Format("15:04:05") + "  " + text
}

// summary returns which part of the list is on the screen.
func (m *topModel) summary() string {
	text := term.Count(m.page.matched, "session")
	if m.page.matched > 0 {
		text = fmt.Sprintf("%d-%d of %s", m.offset+1, min(m.offset+m.rows(), m.page.matched), text)
	}
	if filterWords(m.filter) != "" {
		text += fmt.Sprintf(" matched, %d live", m.page.total)
	}
	text += ", by " + m.sort
	if m.reverse {
		text += ", reversed"
	}
	return text
}

// columns returns the columns that fit the terminal, with their widths.
func (m *topModel) columns() []topColumn {
	var columns []topColumn
	used := -2
	for _, c := range topColumns {
		if m.width >= c.from {
			columns = append(columns, c)
			used += c.width + 2
		}
	}
	further := max(0, m.width-used)
	for i := range columns {
		columns[i].width += further * columns[i].share / 6
	}
	return columns
}

// line returns the line of a session.
func (m *topModel) line(columns []topColumn, s *api.Session, selected bool) string {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = fitText(columnText(cmp.Or(c.cell(m, s), "-")), c.width, c.right)
		if c.title == "STATE" && !selected {
			cells[i] = m.styled(stateStyle(*s), cells[i])
		}
	}
	line := strings.Join(cells, "  ")
	if selected {
		return m.styled(term.StyleReverse, fitText(line, m.width, false))
	}
	return line
}

func stateStyle(s api.Session) string {
	switch live.State(s) {
	case "stuck":
		return term.StyleRed
	case "terminating":
		return term.StyleYellow
	}
	return ""
}

func (m *topModel) styled(style, text string) string {
	if m.plain || style == "" {
		return text
	}
	return style + text + term.StyleReset
}

// detailLines returns the details of a session: its rates, and what "show session" prints.
func (m *topModel) detailLines() []string {
	if m.details.session == nil {
		return nil
	}
	rate := m.rates[m.details.session.ID]
	text := fmt.Sprintf("rate in: %s octets/s, %s packets/s\nrate out: %s octets/s, %s packets/s\n",
		rateText(rate, rates.InputOctets), rateText(rate, rates.InputPackets), rateText(rate, rates.OutputOctets), rateText(rate, rates.OutputPackets))
	var b strings.Builder
	_ = live.PrintSession(&b, m.details.session, m.now) // a strings.Builder returns no error
	lines := strings.Split(strings.TrimRight(text+b.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = columnText(lines[i])
	}
	return lines
}
