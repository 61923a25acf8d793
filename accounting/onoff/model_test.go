package onoff

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"pgregory.net/rapid"
)

// world is a server that may be down. Groups reach it, one after the other.
type world struct {
	mu           sync.Mutex
	rng          *rand.Rand
	away         bool
	closed       bool               // the group is stopped
	usedOnIDs    map[string]bool    // ids of Ons
	newest       sessions.EventType // newest type that was sent
	last         string             // last record that the server got: type and id
	receivedOffs map[string]bool    // ids of Offs that the server got
	inFlight     map[string]int     // in flight: type and id
	faults       []string
}

// announcer is the group.
func (w *world) announcer() Announce {
	return Announce(func(rec *accounting.Record, done func(string, error)) {
		w.mu.Lock()
		defer w.mu.Unlock()
		id := rec.Attrs.Text(radius.AcctSessionID)
		what := fmt.Sprint(rec.Type, id)
		w.newest = rec.Type
		if others := len(w.inFlight); rec.Type == sessions.On && others > 0 && (others > 1 || w.inFlight[what] == 0) {
			w.faults = append(w.faults, fmt.Sprintf("On %s beside %v", id, w.inFlight))
		}
		if w.closed {
			go done("", accounting.ErrStopped)
			return
		}
		w.inFlight[what]++
		takes := time.Duration(w.rng.Int64N(int64(round)))
		time.AfterFunc(takes, func() {
			w.mu.Lock()
			closed, away := w.closed, w.away
			if !away && !closed {
				w.last = what
				w.receivedOffs[id] = w.receivedOffs[id] || rec.Type == sessions.Off
			}
			if w.inFlight[what]--; w.inFlight[what] == 0 {
				delete(w.inFlight, what)
			}
			w.mu.Unlock()
			switch {
			case closed:
				done("", accounting.ErrStopped)
			case away:
				done("", accounting.ErrNoResponse)
			default:
				done("server", nil)
			}
		})
	})
}

// Operators, reloads and servers act at any time. Once the server is up, it has got the last
// request, an On in any case, and the status says so.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		events := rapid.SliceOfN(rapid.IntRange(0, 8), 0, 40).Draw(rt, "events")
		synctest.Test(t, func(t *testing.T) { runModel(t, rt, seed, events) })
	})
}

func runModel(t *testing.T, rt *rapid.T, seed uint64, events []int) {
	w := &world{
		rng:       rand.New(rand.NewPCG(seed, 1)),
		usedOnIDs: map[string]bool{}, receivedOffs: map[string]bool{}, inFlight: map[string]int{},
	}
	var changes []Status // only Run uses it until it has ended
	o, err := New(Config{Attributes: identity(), Blocks: true, Changed: func(s Status) { changes = append(changes, s) }}, w.announcer())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = o.Run(ctx) })
	wait := rand.New(rand.NewPCG(seed, 2))
	for _, ev := range events {
		switch ev {
		case 0, 1:
			o.On(TriggerConfigChange)
		case 2, 3:
			_ = o.Perform(ev == 2, true, 0)
		case 4:
			_ = o.Perform(false, false, 0)
		case 5, 6: // the server goes down or comes up
			w.mu.Lock()
			w.away = !w.away
			w.mu.Unlock()
		case 7, 8: // the group is stopped, or runs again
			w.mu.Lock()
			w.closed = ev == 7
			w.mu.Unlock()
		}
		time.Sleep(time.Duration(wait.Int64N(int64(30 * time.Second))))
	}
	w.mu.Lock()
	w.away, w.closed = false, false
	w.mu.Unlock()
	time.Sleep(3 * time.Minute)
	cancel()
	running.Wait()
	w.check(rt, o.Status(), changes)
}

func (w *world) check(rt *rapid.T, s Status, changes []Status) {
	switch want := map[sessions.EventType][]State{
		0: {Unknown}, sessions.On: {On}, sessions.Off: {Off, OffNoResp},
	}[w.newest]; {
	case s.State != want[0] && s.State != want[len(want)-1]:
		w.faults = append(w.faults, fmt.Sprintf("at the end it is %s", s.State))
	case s.State == On && w.last != fmt.Sprint(sessions.On, s.SessionID), s.State == Off && !w.receivedOffs[s.SessionID]:
		w.faults = append(w.faults, fmt.Sprintf("it is %s of %s, the server got %s", s.State, s.SessionID, w.last))
	case s.Blocked != (s.State != On):
		w.faults = append(w.faults, fmt.Sprintf("%s is %s", s.State, s.Block))
	case len(changes) > 0 && changes[len(changes)-1] != s:
		w.faults = append(w.faults, fmt.Sprintf("last change %+v, status %+v", changes[len(changes)-1], s))
	}
	was := Status{}
	for _, status := range changes {
		if status == was {
			w.faults = append(w.faults, fmt.Sprintf("change reported twice: %+v", status))
		}
		if status.State == SendAcctOn && status.SessionID != was.SessionID {
			if w.usedOnIDs[status.SessionID] {
				w.faults = append(w.faults, "id used again: "+status.SessionID)
			}
			w.usedOnIDs[status.SessionID] = true
		}
		was = status
	}
	for _, f := range w.faults {
		rt.Error(f)
	}
}
