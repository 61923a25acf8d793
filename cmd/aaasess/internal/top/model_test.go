package top

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fakeDaemon answers a topModel: sessions 1 to n, in this order or reversed.
type fakeDaemon struct {
	now     time.Time
	n       int
	user    string // of all; "": user-N
	octets  uint64
	live    bool // the counters are those of interfaces
	err     error
	queries []api.Query
	ended   []string
}

func (d *fakeDaemon) session(i int) api.Session {
	s := api.Session{ID: api.ID(i).String(), Number: uint32(i), State: "active", User: d.user, NAS: "nas-1", Started: began, Heard: began, InputOctets: d.octets, OutputOctets: 2 * d.octets}
	if s.User == "" {
		s.User = fmt.Sprintf("user-%d", i)
	}
	if !d.live {
		s.Heard, s.SessionTime = d.now, uint32(d.now.Sub(began)/time.Second)
	}
	return s
}

func (d *fakeDaemon) asker() topAsker {
	return topAsker{
		now: func() time.Time { return d.now },
		List: func(q api.Query) (topPage, error) {
			d.queries = append(d.queries, q)
			page := topPage{start: q.Offset, total: 2 * d.n, matched: d.n}
			for i := q.Offset + 1; i <= min(d.n, q.Offset+q.Limit); i++ {
				at := i
				if strings.HasPrefix(q.Sort, "-") {
					at = d.n + 1 - i
				}
				page.Rows = append(page.Rows, d.session(at))
			}
			return page, d.err
		},
		session: func(id api.ID) (*api.SessionDetail, error) {
			return &api.SessionDetail{Session: d.session(int(id))}, d.err
		},
		disconnect: func(id string) (api.Session, error) {
			d.ended = append(d.ended, id)
			return api.Session{ID: id, User: "alice", State: "terminating", Marked: true}, d.err
		},
	}
}

// model returns a table that has its first answer.
func (d *fakeDaemon) model(t testing.TB) *topModel {
	t.Helper()
	m := newTopModel(d.asker(), api.Query{Sort: "id"}, time.Second)
	m.Update(m.Init()())
	return m
}

// send sends a message, carries out the requests that follow, and returns the last command.
func send(m *topModel, msg tea.Msg) tea.Cmd {
	_, cmd := m.Update(msg)
	for m.busy {
		_, cmd = m.Update(cmd())
	}
	return cmd
}

// press sends keys: their names, or text of single ones.
func press(m *topModel, keys ...string) (cmd tea.Cmd) {
	codes := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "backspace": tea.KeyBackspace, "up": tea.KeyUp}
	for _, key := range keys {
		if code, ok := codes[key]; ok {
			cmd = send(m, tea.KeyPressMsg{Code: code})
			continue
		}
		for _, r := range key {
			cmd = send(m, tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return cmd
}

// tick is the next refresh.
func tick(m *topModel) { send(m, topTick(m.ticks)) }

func screenOf(m *topModel) string { return strings.Join(m.lines(), "\n") }

// TestTopMillion: a table of a million sessions asks for three screens at a time, wherever it is.
func TestTopMillion(t *testing.T) {
	d := &fakeDaemon{now: began, n: 1_000_000}
	m := d.model(t)
	for _, step := range []struct {
		key              string
		cursor, offset   int
		further, atStart int // requests, and the Offset of the last one
	}{
		{"j", 1, 0, 0, 0},
		{"pgdown", 20, 19, 0, 0},
		{"pgdown", 39, 38, 0, 0},
		{"pgdown", 58, 57, 1, 33},
		{"pgup", 39, 38, 0, 33},
		{"G", 999_999, 999_981, 1, 999_957},
		{"j", 999_999, 999_981, 0, 999_957},
		{"k", 999_998, 999_981, 0, 999_957},
		{"g", 0, 0, 1, 0},
		{"k", 0, 0, 0, 0},
	} {
		before := len(d.queries)
		press(m, step.key)
		last := d.queries[len(d.queries)-1]
		got := []int{m.cursor, m.offset, len(d.queries) - before, last.Offset}
		if diff := cmp.Diff([]int{step.cursor, step.offset, step.further, step.atStart}, got); diff != "" || last.Limit != 72 {
			t.Errorf("%s: limit %d %s", step.key, last.Limit, diff)
		}
		if s := m.row(m.cursor); s == nil || s.ID != api.ID(m.cursor+1).String() || !strings.Contains(screenOf(m), s.ID) {
			t.Errorf("%s: the selected session is %v", step.key, s)
		}
	}
	d.n = 10 // all others end
	press(m, "G")
	tick(m)
	if m.cursor != 9 || m.offset != 0 || !strings.Contains(screenOf(m), "1-10 of 10 sessions") {
		t.Errorf("row %d, offset %d:\n%s", m.cursor, m.offset, screenOf(m))
	}
}

// TestTopOneRequest: while a request is open, keys make no other one; its answer does if it is not
// what the screen shows.
func TestTopOneRequest(t *testing.T) {
	d := &fakeDaemon{now: began, n: 5}
	m := d.model(t)
	_, open := m.Update(topTick(m.ticks))
	for _, key := range []string{"s", "s", "r"} {
		if _, cmd := m.Update(tea.KeyPressMsg{Code: rune(key[0]), Text: key}); cmd != nil {
			t.Fatalf("%s makes a request", key)
		}
	}
	if _, cmd := m.Update(topTick(m.ticks - 1)); cmd != nil {
		t.Error("an old tick makes a request")
	}
	send(m, open())
	var sorts []string
	for _, q := range d.queries {
		sorts = append(sorts, q.Sort)
	}
	if want := []string{"id", "id", "-input"}; !slices.Equal(sorts, want) {
		t.Errorf("requests %q, want %q", sorts, want)
	}
}

// TestTopSearch: a search stays when the order changes, and ends with another filter.
func TestTopSearch(t *testing.T) {
	d := &fakeDaemon{now: began, n: 5}
	m := d.model(t)
	press(m, "/", "search=bo", "enter", "r", "/", "\x15", "enter")
	var got []string
	for _, q := range d.queries {
		got = append(got, q.Sort+" "+q.Search)
	}
	if want := []string{"id ", "id bo", "-id bo"}; len(got) < 3 || !slices.Equal(got[:3], want) {
		t.Errorf("requests %q, want %q first", got, want)
	}
	if q := newTopModel(d.asker(), api.Query{Search: "x", Sort: "-user", Limit: 7}, time.Second).query(); q.Search != "x" || q.Sort != "-user" {
		t.Errorf("the flag asks for %+v", q)
	}
}

// TestTopSelectionFollows: the selection stays with its session, unless that leaves the screen.
func TestTopSelectionFollows(t *testing.T) {
	d := &fakeDaemon{now: began, n: 10}
	m := d.model(t)
	press(m, "jj") // session 3
	list := m.ask.List
	m.ask.List = func(q api.Query) (topPage, error) {
		page, err := list(q)
		slices.Reverse(page.Rows)
		return page, err
	}
	tick(m)
	if m.cursor != 7 || m.selected != "00000003" {
		t.Errorf("row %d, session %s", m.cursor, m.selected)
	}
	press(m, "r") // another order: from the start
	if m.cursor != 0 || m.selected != "00000001" {
		t.Errorf("row %d, session %s", m.cursor, m.selected)
	}
	send(m, tea.WindowSizeMsg{Width: 80, Height: 9})
	press(m, "jjjj")
	m.ask.List = func(q api.Query) (topPage, error) { // session 5 falls to the end
		page, err := list(q)
		return topPage{start: page.start, Rows: append(page.Rows[5:], page.Rows[:5]...), matched: 10}, err
	}
	if tick(m); m.cursor != 4 || m.selected == "00000005" {
		t.Errorf("row %d, session %s", m.cursor, m.selected)
	}
}

func TestTopDetailsAndDisconnect(t *testing.T) {
	d := &fakeDaemon{now: began, n: 3, user: "alice, at NAS x"}
	m := d.model(t)
	press(m, "j", "enter")
	if got := screenOf(m); !strings.Contains(got, "session 00000002") || !strings.Contains(got, "alice, at NAS x") {
		t.Error(got)
	}
	const question = `Disconnect session 00000002 of user "alice, at NAS x" at NAS nas-1? [y/n]`
	for _, no := range []string{"n", "Y", "enter", "esc", "q", "d", " "} {
		press(m, "d")
		if got := screenOf(m); !strings.Contains(got, question) || !strings.Contains(got, confirmHelp) {
			t.Fatal(got)
		}
		if cmd := press(m, no); cmd != nil || !strings.Contains(screenOf(m), "canceled: no session was disconnected") {
			t.Errorf("%q: %v\n%s", no, cmd, screenOf(m))
		}
	}
	send(m, press(m, "d", "y")())
	if got := screenOf(m); !slices.Equal(d.ended, []string{"00000002"}) || !strings.Contains(got, "00000002  alice  being disconnected") {
		t.Errorf("%q\n%s", d.ended, got)
	}
	d.err = &apiclient.ResponseError{Code: http.StatusNotFound, Text: "session 00000002 is not live"}
	tick(m)
	d.err = nil
	tick(m)
	if got := screenOf(m); m.details != nil || !strings.Contains(got, "session 00000002 is not live") || strings.Contains(got, "asking again") {
		t.Error(got)
	}
	d.err = errors.New("disk full")
	send(m, press(m, "d", "y")())
	if got := m.notice; !strings.Contains(got, "disk full") {
		t.Error(got)
	}
	m.page.Rows = nil // not arrived yet
	if press(m, "d", "enter"); m.mode != browsing || m.details != nil {
		t.Error("a session that is not known is disconnected or shown")
	}
}

func TestTopEnds(t *testing.T) {
	ctrlC, ctrlZ := tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}, tea.KeyPressMsg{Code: 'z', Mod: tea.ModCtrl}
	for _, open := range []string{"", "/", "d", "enter"} {
		m := (&fakeDaemon{now: began, n: 3}).model(t)
		press(m, open)
		if cmd := send(m, ctrlC); cmd == nil || cmd() != tea.Quit() {
			t.Errorf("after %q Ctrl-C does not quit", open)
		}
		if cmd := send(m, ctrlZ); cmd != nil {
			t.Errorf("after %q Ctrl-Z suspends without a shell", open)
		}
		m.suspends = true
		if cmd := send(m, ctrlZ); cmd == nil || cmd() != tea.Suspend() {
			t.Errorf("after %q Ctrl-Z does not suspend", open)
		}
	}
}

func TestTopErrors(t *testing.T) {
	d := &fakeDaemon{now: began, n: 3}
	m := d.model(t)
	d.err = apiclient.ErrNoDaemon
	tick(m)
	if got := screenOf(m); !strings.Contains(got, "no daemon; asking again every 1s") || !strings.Contains(got, "user-3") {
		t.Error(got)
	}
	d.err = apiclient.ErrPermission
	_, cmd := m.Update(m.request()())
	if cmd == nil || cmd() != tea.Quit() || !errors.Is(m.fatal, apiclient.ErrPermission) {
		t.Errorf("%v", m.fatal)
	}
}

// TestTopShowsRates: the table has the rates of the sessions on its page only.
func TestTopShowsRates(t *testing.T) {
	d := &fakeDaemon{now: began, n: 500, live: true}
	m := d.model(t)
	d.now, d.octets = d.now.Add(2*time.Second), 9000
	tick(m)
	if got := rowWith(screenOf(m), "00000003"); !strings.Contains(got, " 4.50k   9.00k ") {
		t.Error(got)
	}
	press(m, "G")
	if len(m.rates) != len(m.page.Rows) || !strings.HasSuffix(strings.TrimSpace(rowWith(screenOf(m), "000001F3")), "-       -  active") {
		t.Errorf("%d rates\n%s", len(m.rates), screenOf(m))
	}
}

// TestTopScreen: whatever the size of the terminal and the names, the screen has lines that fit, and no
// control character besides those of its styles.
func TestTopScreen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &fakeDaemon{now: began, n: rapid.IntRange(0, 50).Draw(t, "n"), user: rapid.String().Draw(t, "user")}
		m := newTopModel(d.asker(), api.Query{Sort: "id"}, time.Second)
		send(m, m.Init()())
		send(m, tea.WindowSizeMsg{Width: rapid.IntRange(1, 200).Draw(t, "width"), Height: rapid.IntRange(1, 60).Draw(t, "height")})
		keys := rapid.SliceOf(rapid.SampledFrom([]string{"j", "k", "G", "g", "pgdown", "pgup", "enter", "esc", "d", "s", "r", "/", "name", "名", "backspace"})).Draw(t, "keys")
		press(m, keys...)
		lines := m.lines()
		if len(lines) != m.height {
			t.Errorf("%d lines of %d", len(lines), m.height)
		}
		for _, line := range lines {
			plain := line
			for _, style := range []string{term.StyleBold, term.StyleReverse, term.StyleReset} {
				plain = strings.ReplaceAll(plain, style, "")
			}
			if w := ansi.StringWidth(plain); w > m.width || plain != columnText(plain) || !utf8.ValidString(plain) {
				t.Errorf("%d columns of %d: %q", w, m.width, line)
			}
		}
		m.View()
	})
}

// TestTopWidths: the columns fill the terminal at each width at which one is added.
func TestTopWidths(t *testing.T) {
	m := (&fakeDaemon{now: began, n: 1}).model(t)
	for width := range 200 {
		m.width = width
		used := -2
		for _, c := range m.columns() {
			used += c.width + 2
		}
		if width >= 80 && (used > width || used < width-5) || width < 80 && used != 80 {
			t.Errorf("%d columns of %d", used, width)
		}
	}
}

func TestFilterWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"  alice ":               "user=alice",
		"nas=lab  state=stuck":   "nas=lab state=stuck",
		`user="al ice" nas="a"`:  `nas=a user="al ice"`,
		`user=a=b`:               "user=a=b",
		`"x=y z"`:                `user="x=y z"`,
		`user="a`:                `user="\"a"`,
		"id=0xD id=0000000E":     "id=0000000D id=0000000E",
		"search=\"a b\" nas=lab": `nas=lab search="a b"`,
		"address=2001:db8::/32":  "address=2001:db8::/32",
		`acct-session-id="\n"`:   `acct-session-id="\n"`, "=a": "user==a",
	} {
		f, err := parseFilterWords(text)
		if got := filterWords(f); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, bad := range []string{"alice bob", "usr=alice", "user=", "sort=id", "limit=1", "offset=1", "kind=x", "id=1"} {
		if f, err := parseFilterWords(bad); err == nil {
			t.Errorf("%q: %+v", bad, f)
		}
	}
}

// FuzzFilterWords: what filterWords writes, parseFilterWords reads.
func FuzzFilterWords(f *testing.F) {
	for _, seed := range []string{"", "alice", `user="a b" nas=lab`, `user="a`, "id=0xD state=stuck", "address=10.0.0.0/8"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := parseFilterWords(text)
		if err != nil {
			return
		}
		words := filterWords(filter)
		again, err := parseFilterWords(words)
		if err != nil || filterWords(again) != words {
			t.Errorf("%q: %q, then %q, %v", text, words, filterWords(again), err)
		}
	})
}

func TestColumnText(t *testing.T) {
	for text, want := range map[string]string{
		"alice": "alice", "Größe": "Größe", "名前": "名前", "😀": "😀",
		"e\u0301": `e\u{301}`, "\u0301": `\u{301}`, "👩\u200d👩": `👩\u{200d}👩`, "❤\ufe0f": `❤\u{fe0f}`, "\x1b[m": `\x1b[m`, "\xff": `\xff`,
		"각": "각", "\u1100\u1161": `ᄀ\u{1161}`, "a\u200bb": `a\u{200b}b`, "\u0903": `\u{903}`,
	} {
		if got := columnText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// began is when the sessions of these tests started.
var began = time.Date(2001, 6, 27, 7, 0, 0, 0, time.FixedZone("", 2*60*60))

// rowWith returns the row of a screen that has a text.
func rowWith(screen, text string) string {
	for line := range strings.Lines(screen) {
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
