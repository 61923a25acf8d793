package admission

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// userLogin is one login of the model: what its user does at its NAS.
type userLogin struct {
	nas   sessions.NAS
	user  string
	sid   string // of its session
	line  []any  // where it is, as far as the NAS says
	tells bool   // the NAS sends the Acct-Session-Id in Access-Requests
	told  string // what servers were told
	at    time.Time
}

func (u *userLogin) request() *Request {
	line := u.line
	if u.tells {
		line = append(slices.Clone(line), radius.AcctSessionID, u.sid)
	}
	q := loginAt(u.nas, u.user, line...)
	q.At = u.at
	return q
}

// model is the logins, and the Store with its table.
type model struct {
	*stand
	logins   []*userLogin
	n        int
	clock    time.Time
	accepted map[string][]string // Classes of the Accepts of a user at a NAS
	numbers  map[sessions.ID]string
}

func (m *model) key(u *userLogin) string { return u.nas.Identifier + " " + u.user }

func (m *model) ask(rt *rapid.T) {
	m.n++
	u := &userLogin{
		nas: rapid.SampledFrom([]sessions.NAS{nas1, nas2}).Draw(rt, "nas"), user: rapid.SampledFrom([]string{"alice", "bob"}).Draw(rt, "user"),
		sid: fmt.Sprintf("%08X", rapid.IntRange(1, 6).Draw(rt, "sid")), tells: rapid.Bool().Draw(rt, "tells its id"), at: m.clock,
	}
	if u.user == "bob" { // an interim may name another user of its session (R25)
		u.sid = fmt.Sprintf("%08X", rapid.IntRange(7, 12).Draw(rt, "sid of bob"))
	}
	number := rapid.IntRange(0, 2).Draw(rt, "line")
	switch rapid.SampledFrom([]string{"", "station", "port", "both"}).Draw(rt, "line is told by") {
	case "station":
		u.line = []any{radius.CallingStationID, fmt.Sprint("station", number)}
	case "port":
		u.line = []any{radius.NASPort, number}
	case "both":
		u.line = []any{radius.NASPort, number, radius.CallingStationID, fmt.Sprint("station", number)}
	}
	u.told = m.Ask(u.request()).SessionID
	m.logins = append(m.logins, u)
}

func (m *model) accept(u *userLogin) {
	m.n++
	class := fmt.Sprint("class", m.n)
	m.accepted[m.key(u)] = append(m.accepted[m.key(u)], class)
	m.stand.accept(u.request(), radius.Class, class)
}

func (m *model) event(u *userLogin, typ sessions.EventType) {
	m.stand.event(typ, sessions.Network, u.nas, u.sid, u.user, append(slices.Clone(u.line), radius.EventTimestamp, int(m.clock.Unix()))...)
}

// check: no two sessions have one number, or one name if their NASes differ and names have addresses. What
// a session was granted comes from an Accept of its user at its NAS. The table's indexes are right.
func (m *model) check(rt *rapid.T) {
	m.settle()
	if err := m.checkStore(); err != nil {
		rt.Fatal(err)
	}
	names := map[string]*sessions.Session{}
	for is := range m.table.View().All() {
		user := is.Attrs.Text(radius.UserName)
		if class, has := is.Granted().Get(radius.Class); has && !slices.Contains(m.accepted[is.NAS.Identifier+" "+user], class) {
			rt.Fatalf("session %s of %s at %v has %q, which was no Accept of it: %v", is.ID, user, is.NAS, class, m.accepted)
		}
		if was := names[is.Name()]; was != nil && was.NAS.Identifier != is.NAS.Identifier && (!m.cfg.SyncWithClient || m.cfg.ExtendWithAddr) {
			rt.Fatalf("%q is the name of %d at %v and of %d at %v", is.Name(), was.ID, was.NAS, is.ID, is.NAS)
		}
		names[is.Name()] = is
	}
	m.checkRows(rt)
	for _, n := range m.journal.Notices() {
		owner := fmt.Sprint(n.Session.NAS.Identifier, " ", n.Session.AcctSessionID(), " ", n.Session.Started)
		if n.Session.Unstarted != 0 {
			owner = fmt.Sprint(n.Session.NAS.Identifier, " ", n.Session.User(), " ", n.At)
		}
		if n.Session.ID == 0 {
			continue
		}
		if was, known := m.numbers[n.Session.ID]; known && was != owner && !m.cfg.SyncWithClient {
			rt.Fatalf("number %d has %q and %q", n.Session.ID, was, owner)
		}
		m.numbers[n.Session.ID] = owner
	}
}

// checkRows: the rows are the live sessions, and with populate setup the accepted logins.
func (m *model) checkRows(rt *rapid.T) {
	want := map[sessions.ID]bool{}
	for is := range m.table.View().All() {
		want[is.ID] = true
	}
	if m.cfg.PopulateAtSetup {
		for r := m.oldest; r != 0; r = m.kept.at(r).newer {
			if l := m.login(r); l.accepted && l.number != 0 {
				want[l.number] = l.renews == 0 // else it may have one of before
			}
		}
	}
	rows := m.entries()
	for is := m.table.View().EntryFrom(1); is != nil; is = m.table.View().EntryFrom(is.ID + 1) {
		if _, known := want[is.ID]; !known {
			rt.Fatalf("rows %q, want %v", rows, want)
		}
		delete(want, is.ID)
	}
	for id, must := range want {
		if must {
			rt.Fatalf("rows %q, not %d", rows, id)
		}
	}
}

// checkStore compares what the Store has in two places.
func (m *model) checkStore() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	links, n, octets, texts := 0, 0, 0, 0
	nases := map[sessions.NAS]int{}
	for r := m.oldest; r != 0; r = m.kept.at(r).newer {
		e, l := m.kept.at(r), m.login(r)
		n++
		octets += m.octetsOf(r)
		texts += len(l.attrs) + len(l.granted) + len(l.upstream)
		links += m.index.count(e.links)
		if nases[l.nas]++; nases[l.nas] == 1 {
			octets += nasOctets(&l.nas)
		}
		if e.newer != 0 && m.kept.at(e.newer).at < e.at || e.newer == 0 && m.newest != r {
			return fmt.Errorf("the login of %s is out of order", l.user)
		}
		want := whoOf(&l.nas, l.kind, l.attrs)
		want.also = l.granted.Text(radius.UserName)
		if l.who != want || !l.attrs.Valid() || !l.granted.Valid() {
			return fmt.Errorf("the login of %+v is kept as that of %+v", want, l.who)
		}
	}
	for sum, r := range m.chains {
		for r != 0 {
			links--
			is := m.links.at(r)
			if is.hash != sum || is.older != 0 && m.links.at(is.older).newer != r || m.kept.at(is.login).serial == 0 {
				return fmt.Errorf("the chain of a login of %s is broken", m.whoIs(is.login).user)
			}
			r = is.older
		}
	}
	if links != 0 || n != m.n0() || octets != m.octets || texts != liveOctets(&m.texts) {
		return fmt.Errorf("%d links too many, %d logins of %d octets with texts of %d, want %d of %d with %d", links, n, octets, texts, m.n0(), m.octets, liveOctets(&m.texts))
	}
	if len(nases) != len(m.nases.byValue) {
		return fmt.Errorf("%d NASes, want %d", len(m.nases.byValue), len(nases))
	}
	return nil
}

func (m *model) n0() int { return m.Store.n }

// TestRandomLogins: users log in and fail, begin sessions with what their NAS tells, and authenticate
// again; starts overtake Accepts, NASes use ids again, the daemon restarts.
func TestRandomLogins(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := Config{
			StartWait: time.Minute, Max: rapid.SampledFrom([]int{3, 1000}).Draw(rt, "max"), IncludeInAccessReq: rapid.Bool().Draw(rt, "include"),
			ExtendWithAddr: rapid.Bool().Draw(rt, "extend"), SyncWithClient: rapid.Bool().Draw(rt, "sync"),
			PopulateAtSetup: rapid.Bool().Draw(rt, "populate"),
		}
		m := &model{clock: time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC), accepted: map[string][]string{}, numbers: map[sessions.ID]string{}}
		cfg.Now = func() time.Time { return m.clock }
		m.stand = newStand(t, cfg)
		known := func(rt *rapid.T) *userLogin {
			if len(m.logins) == 0 {
				rt.Skip("no login")
			}
			return rapid.SampledFrom(m.logins).Draw(rt, "login")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"ask":     m.ask,
			"again":   func(rt *rapid.T) { u := known(rt); u.told = cmp.Or(m.Ask(u.request()).SessionID, u.told) },
			"accept":  func(rt *rapid.T) { m.accept(known(rt)) },
			"reject":  func(rt *rapid.T) { m.stand.reject(known(rt).request()) },
			"start":   func(rt *rapid.T) { m.event(known(rt), sessions.Start) },
			"interim": func(rt *rapid.T) { m.event(known(rt), sessions.Interim) },
			"stop":    func(rt *rapid.T) { m.event(known(rt), sessions.Stop) },
			"time": func(rt *rapid.T) {
				m.clock = m.clock.Add(time.Duration(rapid.SampledFrom([]int{1, 11, 61}).Draw(rt, "seconds")) * time.Second)
				for m.expire() {
				}
			},
			"the daemon restarts": func(*rapid.T) { m.restart() },
			"":                    m.check,
		})
	})
}
