package sessions_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/sessions"
)

// packet is what a NAS sends in TestTableAgainstModel; at and secs, its session time, in seconds, secs
// -1 for none.
type packet struct {
	typ      sessions.EventType
	sid      string
	at, secs int
}

// modelled is the newest session of a name; over, it is remembered for ever.
type modelled struct {
	id                       sessions.ID
	sid                      string
	startSeen, marked, over  bool
	claims                   int // disconnects that can be undone
	began, heard, secs, died int
}

// model says in plain words what the table makes of packets.
type model struct {
	byName    map[string]*modelled
	last      sessions.ID
	highWater int
	marks     uint64
	told      []string
}

func (m *model) live() []*modelled {
	var live []*modelled
	for _, s := range m.byName {
		if !s.over {
			live = append(live, s)
		}
	}
	slices.SortFunc(live, func(a, b *modelled) int { return int(a.id) - int(b.id) })
	return live
}

func (m *model) begin(p packet) *modelled {
	m.last++
	s := &modelled{id: m.last, sid: p.sid, startSeen: p.typ == sessions.Start, heard: p.at, secs: max(0, p.secs)}
	s.began = p.at - s.secs
	if was := m.byName[p.sid]; was != nil {
		s.died = was.died
	} else {
		s.died = -1 << 60
	}
	m.byName[p.sid] = s
	return s
}

func (m *model) tell(typ sessions.EventType, s *modelled) {
	m.told = append(m.told, fmt.Sprintf("%s %d", typ, s.id))
	m.highWater = max(m.highWater, len(m.live()))
}

func (m *model) end(s *modelled, at int, cause uint32) {
	s.over, s.died = true, max(s.died, at)
	if s.marked && cause != 0 { // the NAS's stop keeps its cause, since no ACK came
		cause = sessions.CauseAdminReset
	}
	text := fmt.Sprintf("Stop %d", s.id)
	if cause != 0 {
		text += fmt.Sprint(" cause ", cause)
	}
	m.told = append(m.told, text)
}

func (m *model) take(p packet) {
	s := m.byName[p.sid]
	switch {
	case s == nil || s.over:
		m.takeUnknown(p, s)
	case p.typ == sessions.Stop:
		if !s.startSeen || p.at+1 >= s.began {
			m.end(s, p.at, 0)
		}
	case p.typ == sessions.Start && !s.startSeen:
		s.startSeen, s.began, s.heard = true, min(s.began, p.at), max(s.heard, p.at)
		m.tell(p.typ, s)
	case p.typ == sessions.Interim && (p.secs > s.secs || p.secs < 0 || p.secs == 0 && s.secs == 0):
		s.heard, s.secs = max(s.heard, p.at), max(s.secs, p.secs)
		m.tell(p.typ, s)
	}
}

// takeUnknown is for a packet without a live session; was is the one of that name before, if any.
func (m *model) takeUnknown(p packet, was *modelled) {
	switch {
	case p.typ == sessions.Stop && (was == nil || p.secs >= 0 && p.at-p.secs > was.died+10):
		m.end(m.begin(p), p.at, 0)
	case p.typ == sessions.Start && (was == nil || p.at > was.died),
		p.typ == sessions.Interim && (was == nil || p.at > was.died+60):
		m.tell(p.typ, m.begin(p))
	}
}

// compare holds a table against the model.
func (m *model) compare(rt *rapid.T, f *fixture) {
	type row struct {
		ID                sessions.ID
		SID               string
		State             sessions.State
		StartSeen         bool
		Began, Heard, Sec int
	}
	var want, got []row
	for _, s := range m.live() {
		state := sessions.Active
		if s.marked {
			state = sessions.Terminating
		}
		want = append(want, row{s.id, s.sid, state, s.startSeen, s.began, s.heard, s.secs})
	}
	after := func(t time.Time) int { return int(t.Sub(f.now) / time.Second) }
	for s := range f.View().All() {
		got = append(got, row{s.ID, s.AcctSessionID, s.State, s.StartSeen, after(s.StartedAt()), after(s.HeardAt()), int(s.Usage.SessionTime)})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		rt.Fatalf("model (-) and table (+):\n%s", diff)
	}
	counters := sessions.Counters{HighWater: uint32(m.highWater), Total: uint64(m.last), Disconnected: m.marks}
	if diff := cmp.Diff(counters, f.View().Counters); diff != "" {
		rt.Fatal(diff)
	}
	if diff := cmp.Diff(m.told, f.told()); diff != "" {
		rt.Fatal(diff)
	}
}

// TestTableAgainstModel: random packets of a few sessions, late, in any order and again, with
// disconnects and restarts in between. Rows, counters and what is accounted must be the model's.
func TestTableAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t, sessions.Config{})
		m := &model{byName: map[string]*modelled{}}
		var sent []packet
		clock := 0
		send := func(p packet) {
			f.send(t, p.typ, p.sid, p.at, func(ev *sessions.Event) {
				if p.secs >= 0 {
					ev.Usage, ev.Sent = sessions.Usage{SessionTime: uint32(p.secs)}, sessions.SessionTime
				}
			})
			m.take(p)
		}
		fresh := func(typ sessions.EventType) func(*rapid.T) {
			return func(rt *rapid.T) {
				clock += rapid.SampledFrom([]int{0, 1, 5, 70}).Draw(rt, "later")
				p := packet{
					typ: typ, sid: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "sid"),
					at:   clock - rapid.SampledFrom([]int{0, 0, 0, 1, 2, 30, 100}).Draw(rt, "delay"),
					secs: rapid.SampledFrom([]int{-1, -1, 0, 1, 4, 60, 100}).Draw(rt, "session time"),
				}
				if typ == sessions.Start {
					p.secs = -1
				}
				sent = append(sent, p)
				send(p)
			}
		}
		one := func(rt *rapid.T) *modelled {
			live := m.live()
			if len(live) == 0 {
				rt.Skip("nobody is there")
			}
			return rapid.SampledFrom(live).Draw(rt, "session")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"start":   fresh(sessions.Start),
			"interim": fresh(sessions.Interim),
			"stop":    fresh(sessions.Stop),
			"again": func(rt *rapid.T) {
				if len(sent) == 0 {
					rt.Skip("nothing was sent")
				}
				send(rapid.SampledFrom(sent).Draw(rt, "packet"))
			},
			"disconnect": func(rt *rapid.T) {
				s := one(rt)
				await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{s.id}, done); return err })
				if !s.marked {
					s.marked, s.claims = true, 1
					m.marks++
				} else if s.claims > 0 {
					s.claims++
				}
			},
			"undo": func(rt *rapid.T) {
				s := one(rt)
				await(t, func(done func(error)) error { f.Undo([]sessions.ID{s.id}, done); return nil })
				if s.claims == 1 {
					s.marked = false
					m.marks--
				}
				s.claims = max(0, s.claims-1)
			},
			"terminate": func(rt *rapid.T) {
				s := one(rt)
				sessions.NewTerminator(sessions.TerminatorConfig{}, f.Table, nil, nil).Start(s.id)
				s.claims = 0
			},
			"end": func(rt *rapid.T) {
				s := one(rt)
				await(t, func(done func(error)) error { return f.End(s.id, sessions.CauseLostCarrier, f.now, done) })
				m.end(s, 0, sessions.CauseLostCarrier)
			},
			"the NAS restarts": func(rt *rapid.T) {
				before := clock - rapid.SampledFrom([]int{0, 1, 30}).Draw(rt, "delay")
				await(t, func(done func(error)) error {
					return f.CloseNAS(nas1, f.now.Add(time.Duration(before)*time.Second), sessions.CauseNASReboot, done)
				})
				for _, s := range m.live() {
					if s.began < before {
						m.end(s, s.heard, sessions.CauseNASReboot)
					}
				}
			},
			"restart": func(*rapid.T) {
				again := sessions.New(sessions.Config{Now: func() time.Time { return f.now }}, f.journal)
				if err := again.Load(f.journal.Load); err != nil {
					t.Fatal(err)
				}
				f.Table = again
				for _, s := range m.byName {
					s.claims = 0
				}
			},
			"": func(rt *rapid.T) { m.compare(rt, f) },
		})
	})
}
