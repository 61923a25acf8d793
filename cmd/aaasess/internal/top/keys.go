package top

import (
	"slices"
	"unicode/utf8"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"

	tea "charm.land/bubbletea/v2"
)

// key carries out a key. It returns nil, or a command that is not a request for the screen.
func (m *topModel) key(msg tea.KeyPressMsg) tea.Cmd {
	switch key := msg.String(); {
	case key == "ctrl+c":
		return tea.Quit
	case key == "ctrl+z":
		if m.suspends {
			return tea.Suspend
		}
	case m.mode == filtering:
		m.filterKey(key, msg.Text)
	case m.mode == confirming:
		return m.confirmKey(key)
	case key == "q":
		return tea.Quit
	case key == "d":
		m.confirm()
	case m.details != nil:
		m.detailsKey(key)
	default:
		m.listKey(key)
	}
	return nil
}

func (m *topModel) listKey(key string) {
	m.notice = ""
	rows := m.rows()
	switch key {
	case "up", "k":
		m.cursor--
	case "down", "j":
		m.cursor++
	case "pgup", "ctrl+b":
		m.cursor -= rows
		m.offset -= rows
	case "pgdown", "ctrl+f", "space":
		m.cursor += rows
		m.offset += rows
	case "home", "g":
		m.cursor = 0
	case "end", "G":
		m.cursor = m.page.matched - 1
	case "s":
		orders := api.Orders()
		m.sort, m.reverse = orders[(slices.Index(orders, m.sort)+1)%len(orders)], false
		m.toStart()
	case "r":
		m.reverse = !m.reverse
		m.toStart()
	case "/":
		m.mode, m.input = filtering, filterWords(m.filter)
	case "enter":
		m.open()
	}
	m.settle()
}

// toStart shows the start of the list, which is about to come in another order.
func (m *topModel) toStart() { m.cursor, m.offset, m.start, m.jump = 0, 0, 0, true }

// open shows the details of the selected session.
func (m *topModel) open() {
	if s := m.row(m.cursor); s != nil {
		m.details = &topDetails{id: api.ID(s.Number)}
	}
}

func (m *topModel) detailsKey(key string) {
	m.notice = ""
	lines, rows := len(m.detailLines()), m.rows()
	switch d := m.details; key {
	case "up", "k":
		d.offset--
	case "down", "j":
		d.offset++
	case "pgup", "ctrl+b":
		d.offset -= rows
	case "pgdown", "ctrl+f", "space":
		d.offset += rows
	case "home", "g":
		d.offset = 0
	case "end", "G":
		d.offset = lines
	case "esc", "enter", "left", "backspace":
		m.details = nil
		return
	}
	m.details.offset = max(0, min(m.details.offset, lines-rows))
}

func (m *topModel) filterKey(key, text string) {
	m.notice = ""
	switch key {
	case "esc":
		m.mode = browsing
	case "enter":
		f, err := parseFilterWords(m.input)
		if err != nil {
			m.notice = err.Error()
			return
		}
		m.mode, m.filter = browsing, f
		m.toStart()
		m.settle()
	case "backspace":
		_, n := utf8.DecodeLastRuneInString(m.input)
		m.input = m.input[:len(m.input)-n]
	case "ctrl+u":
		m.input = ""
	default:
		m.input += text
	}
}

// confirm asks whether to disconnect the selected session, or the one whose details are shown.
func (m *topModel) confirm() {
	s := m.row(m.cursor)
	if m.details != nil {
		s = nil
		if m.details.session != nil {
			s = &m.details.session.Session
		}
	}
	if s != nil {
		m.mode, m.target, m.notice = confirming, *s, ""
	}
}

// confirmKey disconnects after a y. Any other key is a no.
func (m *topModel) confirmKey(key string) tea.Cmd {
	m.mode = browsing
	if key != "y" {
		m.notice = cli.ErrNotDisconnected.Error()
		return nil
	}
	target, disconnect := m.target, m.ask.disconnect
	return func() tea.Msg {
		session, err := disconnect(target.ID)
		if err != nil {
			session = api.Session{ID: target.ID, User: target.User}
		}
		return topDisconnected{session, err}
	}
}
