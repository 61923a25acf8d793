package sessions_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// sentReport is a report that a NAS makes once and may send often.
type sentReport struct {
	report
	at      time.Duration // by the simulated time, without steps
	session *simSession
}

// simSession is one session as its NAS knows it.
type simSession struct {
	nas    *simNAS
	number int // number among all sessions; the octets contain it
	sid    string
	user   string
	began  time.Duration
	octets int
}

// simNAS is a NAS with random properties.
type simNAS struct {
	name          string
	stamps, times bool          // sends Event-Timestamp, Acct-Session-Time
	delays        bool          // sends Acct-Delay-Time
	reuses        bool          // uses the same ids again after a restart
	clock         time.Duration // how far its clock is ahead
	nextID        int
	live          []*simSession // sessions that have not ended
	sent          []*sentReport // reports that it may send again
	pending       []*sentReport // reports that were never answered
	from          int           // source address
}

// sim is the NASes and the table, with checks.
type sim struct {
	*world
	nases    []*simNAS
	number   int
	answered []*sentReport

	ours    map[sessions.ID]ourRecord // the newest that we made
	checked int                       // notices by checkOurs
}

// ourRecord is when a record was that we made, and how long it said that the session had lasted.
type ourRecord struct{ at, lasted time.Duration }

func (s *sim) begin(n *simNAS, user string) *simSession {
	s.number++
	n.nextID++
	l := &simSession{nas: n, number: s.number, sid: fmt.Sprint("id", n.nextID), user: user, began: s.elapsed}
	if !n.reuses {
		l.sid = fmt.Sprint("id", s.number)
	}
	n.live = append(n.live, l)
	return l
}

// makeReport makes the report of a session.
func (s *sim) makeReport(l *simSession, typ sessions.EventType) *sentReport {
	n := l.nas
	r := report{
		typ: typ, sid: l.sid, user: l.user, station: "station of " + l.user, id: n.name,
		from: fmt.Sprintf("192.0.2.%d", n.from),
	}
	if n.stamps {
		r.stamp = int((s.elapsed + n.clock) / time.Second)
	}
	if typ != start {
		l.octets++
		r.octets = l.number*mb + l.octets
		if n.times {
			r.time = int((s.elapsed - l.began) / time.Second)
		}
	}
	return &sentReport{r, s.elapsed, l}
}

// transmit sends a report, for the first time or again.
func (s *sim) transmit(x *sentReport) {
	r := x.report
	r.from = fmt.Sprintf("192.0.2.%d", x.session.nas.from)
	if x.session.nas.delays {
		r.delay = int((s.elapsed - x.at) / time.Second)
	}
	s.send(r)
	if !slices.Contains(s.answered, x) {
		s.answered = append(s.answered, x)
	}
	x.session.nas.pending = slices.DeleteFunc(x.session.nas.pending, func(y *sentReport) bool { return x == y })
}

// sendNew sends a new report, or loses it. A NAS that sends no times waits for each answer before
// it sends the next report.
func (s *sim) sendNew(rt *rapid.T, x *sentReport) {
	n := x.session.nas
	n.sent = append(n.sent, x)
	knowable := n.stamps || n.delays
	if n.reuses && x.typ == start {
		knowable = false // if nothing is known of the session before, nobody can distinguish the two
	}
	if knowable && rapid.IntRange(0, 3).Draw(rt, "lost") == 0 {
		n.pending = append(n.pending, x)
		return
	}
	s.transmit(x)
}

// check is R24 as one rule. Each answered report is in a record. All reports of a session have one
// number, and no two sessions have the same number.
func (s *sim) check(rt *rapid.T) {
	if err := s.Invariants(); err != nil {
		rt.Fatal(err)
	}
	s.routes()
	s.checkSilence(rt)
	s.checkNames(rt)
	s.checkOurs(rt)
	numbers, lives := map[*simSession]sessions.ID{}, map[sessions.ID]*simSession{}
	recorded := map[string][]sessions.ID{}
	for _, n := range s.journal.Notices() {
		if n.Attrs != "" {
			recorded[string(n.Attrs)] = append(recorded[string(n.Attrs)], n.Session.ID)
		}
	}
	for _, x := range s.answered {
		ids := recorded[string(x.event(s.wall).Attrs)]
		if len(ids) == 0 {
			rt.Fatalf("%s of session %d, %+v, was answered and is in no record", x.typ, x.session.number, x.report)
		}
		for _, id := range ids {
			if l := lives[id]; l != nil && l != x.session {
				rt.Fatalf("number %d has sessions %d and %d: %+v", id, l.number, x.session.number, x.report)
			}
			if was, ok := numbers[x.session]; ok && was != id {
				rt.Fatalf("session %d has numbers %d and %d: %s %+v", x.session.number, was, id, x.typ, x.report)
			}
			lives[id], numbers[x.session] = x.session, id
		}
	}
}

// checkSilence: no session was heard later than now, over restarts too, and its marks are in order.
func (s *sim) checkSilence(rt *rapid.T) {
	now := s.HeardTime()
	for row := range s.View().All() {
		if r := row.Silence; r.Heard > now || r.Mark > r.Heard || r.Gap > r.Mark {
			rt.Fatalf("session %d: %+v at %d", row.ID, r, now)
		}
	}
}

// checkNames: all records of a session have one Acct-Session-Id upstream.
func (s *sim) checkNames(rt *rapid.T) {
	names := map[sessions.ID]string{}
	for _, n := range s.journal.Notices() {
		if was, known := names[n.Session.ID]; known && was != n.Session.Name() {
			rt.Fatalf("session %d has names %q and %q", n.Session.ID, was, n.Session.Name())
		}
		names[n.Session.ID] = n.Session.Name()
	}
}

// manyAdmissions gives sessions that begin, in turn, nothing, an Access-Accept, a name and a number of
// their own.
type manyAdmissions struct{ n int }

func (a *manyAdmissions) Idle() bool { return false }

func (a *manyAdmissions) Admit(ev sessions.Event, s, _ *sessions.Session, free func(sessions.ID) bool) (sessions.ID, *sessions.Admission) {
	a.n++
	granted := sessions.AttributesOf(radius.UserName, ev.Attrs.Text(radius.UserName), radius.Class, fmt.Sprint(a.n))
	switch a.n % 4 {
	case 1:
		return s.ID, &sessions.Admission{Granted: granted}
	case 2:
		return s.ID, &sessions.Admission{Upstream: fmt.Sprint("name ", a.n), Granted: granted}
	case 3:
		if id := s.ID + 5; free(id) {
			return id, nil
		}
	}
	return s.ID, nil
}

func (*manyAdmissions) Upstream(*sessions.NAS, radius.Attributes, sessions.ID) string { return "" }

// checkOurs: no record that we make of a session is older than an earlier one that we made, or tells
// of a shorter time.
func (s *sim) checkOurs(rt *rapid.T) {
	all := s.journal.Notices()
	for _, n := range all[s.checked:] {
		if n.Attrs != "" {
			continue
		}
		id, at := n.Session.ID, n.At.Sub(s.wall)+s.elapsed // without the steps of the host's clock
		if was, ok := s.ours[id]; ok && (at < was.at || n.Lasted < was.lasted) {
			rt.Fatalf("our %s of session %d is at %v and tells %v, an earlier record %+v\n%q", n.Type, id, at, n.Lasted, was, s.accounted())
		}
		s.ours[id] = ourRecord{at, n.Lasted}
	}
	s.checked = len(all)
}

// checkStops: the last stop of each session has the largest counter that the NAS sent.
func (s *sim) checkStops(rt *rapid.T) {
	largest, last := map[sessions.ID]uint64{}, map[sessions.ID]uint64{}
	for _, n := range s.journal.Notices() {
		id := n.Session.ID
		octets, sent := n.Attrs.Uint32(radius.AcctInputOctets)
		if sent {
			largest[id] = max(largest[id], uint64(octets))
		}
		if n.Type == stop {
			if last[id] = uint64(octets); !sent {
				last[id] = n.Session.Usage.InputOctets
			}
		}
	}
	for id, most := range largest {
		if last[id] != most {
			rt.Fatalf("the last stop of session %d has %d octets, the NAS sent %d\n%q", id, last[id], most, s.accounted())
		}
	}
	if rows := s.rows(); len(rows) > 0 {
		rt.Fatalf("rows %v are left", rows)
	}
}

func drawNASes(rt *rapid.T) (nases []*simNAS) {
	for i := range 2 {
		n := &simNAS{
			name: fmt.Sprint("nas", i), from: i + 1,
			stamps: rapid.Bool().Draw(rt, "stamps"), times: rapid.Bool().Draw(rt, "times"), delays: rapid.Bool().Draw(rt, "delays"),
		}
		n.reuses = n.stamps && n.times && n.delays && rapid.Bool().Draw(rt, "reuses ids")
		nases = append(nases, n)
	}
	return nases
}

// TestRandomNASes: NASes reuse ids, lose packets, send them again late and with a new delay, move
// between addresses and set their clocks. The host's clock is set, the daemon restarts, and
// operators end sessions.
func TestRandomNASes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &sim{world: newWorld(t), nases: drawNASes(rt), ours: map[sessions.ID]ourRecord{}}
		if rapid.Bool().Draw(rt, "authentication goes through us") {
			s.admissions = new(manyAdmissions)
			s.SetAdmissions(s.admissions)
		}
		if rapid.Bool().Draw(rt, "a station has one session") {
			s.unique = []radius.Type{radius.CallingStationID}
			s.SetUnique(s.unique)
		}
		nas := func(rt *rapid.T) *simNAS { return rapid.SampledFrom(s.nases).Draw(rt, "nas") }
		living := func(rt *rapid.T) *simSession {
			n := nas(rt)
			if len(n.live) == 0 {
				rt.Skip("no session")
			}
			return rapid.SampledFrom(n.live).Draw(rt, "life")
		}
		row := func(rt *rapid.T) sessions.ID {
			rows := s.rows()
			if len(rows) == 0 {
				rt.Skip("no row")
			}
			return rapid.SampledFrom(rows).Draw(rt, "row")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"start": func(rt *rapid.T) {
				n := nas(rt)
				s.sendNew(rt, s.makeReport(s.begin(n, rapid.SampledFrom([]string{"alice", "bob"}).Draw(rt, "user")), start))
			},
			"interim": func(rt *rapid.T) { s.sendNew(rt, s.makeReport(living(rt), interim)) },
			"stop": func(rt *rapid.T) {
				l := living(rt)
				l.nas.live = slices.DeleteFunc(l.nas.live, func(m *simSession) bool { return m == l })
				s.sendNew(rt, s.makeReport(l, stop))
			},
			"again": func(rt *rapid.T) {
				n := nas(rt)
				if len(n.sent) == 0 {
					rt.Skip("nothing was sent")
				}
				x := rapid.SampledFrom(n.sent).Draw(rt, "report")
				if !n.delays && !n.stamps {
					rt.Skip("such a NAS sends the same octets, which the listener knows")
				}
				s.transmit(x)
			},
			"time": func(rt *rapid.T) {
				s.sleep(time.Duration(rapid.SampledFrom([]int{1, 2, 5, 30, 200}).Draw(rt, "seconds")) * sec)
				for _, n := range s.nases { // a NAS does not try for longer
					old := func(x *sentReport) bool { return s.elapsed-x.at > 40*time.Minute }
					n.sent, n.pending = slices.DeleteFunc(n.sent, old), slices.DeleteFunc(n.pending, old)
				}
			},
			"the host's clock is set": func(rt *rapid.T) {
				s.step(time.Duration(rapid.SampledFrom([]int{-86400, -3600, -5, 5, 3600}).Draw(rt, "seconds")) * sec)
			},
			"a NAS's clock is set": func(rt *rapid.T) {
				s.sleep(2 * sec) // so that Acct-Delay-Time differs
				if n := nas(rt); !n.reuses && (n.delays || len(n.pending) == 0) {
					n.clock += time.Duration(rapid.SampledFrom([]int{-9000, -5, 5, 9000}).Draw(rt, "seconds")) * sec
				}
			},
			"a NAS moves": func(rt *rapid.T) { n := nas(rt); n.from = (n.from + 10) % 250 },
			"a NAS crashes": func(rt *rapid.T) {
				n := nas(rt)
				s.sleep(30 * sec)
				n.nextID, n.live, n.pending, n.sent = 0, nil, nil, nil
			},
			"the daemon restarts": func(*rapid.T) { s.restart() },
			"disconnect":          func(rt *rapid.T) { s.disconnect(row(rt)) },
			"ACK":                 func(rt *rapid.T) { s.ack(row(rt)) },
			"our stop": func(rt *rapid.T) {
				if id := row(rt); s.View().Get(id).State == sessions.Terminating {
					s.endAsAdmin(id)
				}
			},
			"clear session":   func(rt *rapid.T) { s.clear(row(rt)) },
			"stale":           func(rt *rapid.T) { s.endStale(row(rt)) },
			"interim of ours": func(*rapid.T) { s.makeInterims() },
			"authenticated again": func(rt *rapid.T) {
				s.number++
				granted := sessions.AttributesOf(radius.UserName, fmt.Sprint("granted", s.number%3), radius.Class, fmt.Sprint(s.number))
				sessionstest.Await(s.t, func(done func(error)) error { return s.Grant(row(rt), granted, done) })
			},
			"": s.check,
		})
		// The lost reports arrive, the users leave, the NASes restart.
		for _, n := range s.nases {
			for _, x := range slices.Clone(n.pending) {
				s.transmit(x)
			}
			for _, l := range n.live {
				s.transmit(s.makeReport(l, stop))
			}
		}
		s.check(rt)
		s.sleep(sec)
		for _, n := range s.nases {
			s.send(report{typ: on, id: n.name, from: fmt.Sprintf("192.0.2.%d", n.from)})
		}
		s.checkOurs(rt)
		s.checkStops(rt)
	})
}
