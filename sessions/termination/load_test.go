package termination_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"
)

// slowNASes do not answer, except "quick". Each attempt lasts a time of its NAS. They count the attempts
// under way.
type slowNASes struct {
	takes map[string]time.Duration // by NAS name; 0: until ctx is done

	mu    sync.Mutex
	now   map[string]int
	most  map[string]int // "" for all together
	asked []string       // by Acct-Session-Id, in order
}

func (n *slowNASes) count(nas string, by int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, key := range []string{nas, ""} {
		n.now[key] += by
		n.most[key] = max(n.most[key], n.now[key])
	}
}

func (n *slowNASes) Disconnect(ctx context.Context, s *termination.Attempt) termination.Outcome {
	n.count(s.NAS.Identifier, 1)
	defer n.count(s.NAS.Identifier, -1)
	n.mu.Lock()
	n.asked = append(n.asked, s.AcctSessionID())
	n.mu.Unlock()
	var timeout <-chan time.Time
	if d := n.takes[s.NAS.Identifier]; d > 0 {
		timeout = time.After(d)
	}
	select {
	case <-timeout:
	case <-ctx.Done():
	}
	if s.NAS.Identifier == "quick" && ctx.Err() == nil {
		return termination.Outcome{Answer: termination.ACK}
	}
	return termination.Outcome{}
}

// counted returns the attempts so far, and how many were under way at once.
func (n *slowNASes) counted() (asked []string, most map[string]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.asked...), map[string]int{"": n.most[""], "silent": n.most["silent"], "slow": n.most["slow"], "quick": n.most["quick"]}
}

// loaded runs a test with a Terminator and slow NASes. end makes sessions at a NAS and starts to
// end them. Each round of Terminator.Run reads the clock, so the clock detects a loop without a
// pause.
func loaded(t *testing.T, cfg termination.Config, takes map[string]time.Duration, test func(n *slowNASes, end func(nas string, count int))) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		rounds := 0
		clock := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			if rounds++; rounds > 200_000 {
				panic("Terminator.Run loops without a pause")
			}
			return time.Now()
		}
		f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
		defer f.journal.Close()
		f.Table = sessions.New(sessions.Config{}, f.journal)
		cfg.Now = clock
		n := &slowNASes{takes: takes, now: map[string]int{}, most: map[string]int{}}
		term := termination.New(cfg, f.Table, n, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- term.Run(ctx) }()
		last := sessions.ID(0)
		test(n, func(nas string, count int) {
			t.Helper()
			var ids []sessions.ID
			for i := range count {
				f.send(t, sessions.Start, fmt.Sprint(nas, "-", i), 0, func(ev *sessions.Event) { ev.NAS.Identifier = nas })
				last++
				ids = append(ids, last)
			}
			sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect(ids, done); return err })
			term.Start(ids...)
			synctest.Wait()
		})
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestTerminatorPauses: at the limit of attempts, Run waits even if more jobs are due.
func TestTerminatorPauses(t *testing.T) {
	loaded(t, termination.Config{Parallel: 5, PerNAS: 1000}, nil, func(n *slowNASes, end func(string, int)) {
		end("silent", 70)
		time.Sleep(time.Hour)
		if asked, _ := n.counted(); len(asked) != 5 {
			t.Errorf("%d attempts", len(asked))
		}
	})
}

// TestTerminatorLimits: Parallel and PerNAS limit the attempts under way. When attempts have
// finished, others start.
func TestTerminatorLimits(t *testing.T) {
	takes := map[string]time.Duration{"silent": 9 * time.Second, "slow": 3 * time.Second}
	loaded(t, termination.Config{Parallel: 5, PerNAS: 3, RetryMin: time.Hour}, takes, func(n *slowNASes, end func(string, int)) {
		end("silent", 10)
		end("slow", 10)
		time.Sleep(time.Minute)
		asked, most := n.counted()
		if len(asked) != 20 || most[""] != 5 || most["silent"] != 3 || most["slow"] > 3 {
			t.Errorf("%d attempts, at most %v at once", len(asked), most)
		}
	})
}

// TestSilentNASDelaysNobody: a NAS that does not answer delays no other, even with thousands of
// first attempts or retries.
func TestSilentNASDelaysNobody(t *testing.T) {
	takes := map[string]time.Duration{"silent": 9 * time.Second}
	cfg := termination.Config{RetryMin: time.Second, RetryMax: time.Second}
	loaded(t, cfg, takes, func(n *slowNASes, end func(string, int)) {
		end("silent", 5000)
		time.Sleep(time.Minute)
		end("healthy", 1)
		time.Sleep(time.Second)
		asked, most := n.counted()
		if asked[len(asked)-1] != "healthy-0" {
			t.Errorf("the last of %d attempts is for %s", len(asked), asked[len(asked)-1])
		}
		if most["silent"] != 8 {
			t.Errorf("%d attempts at once at one NAS", most["silent"])
		}
	})
}

// TestQuickNASGetsMore: a NAS that answers in a millisecond has up to 32 attempts at a time, so ten
// thousand sessions of it are asked for in a third of a second. A NAS that answers too slowly, and one
// that does not answer, have eight.
func TestQuickNASGetsMore(t *testing.T) {
	takes := map[string]time.Duration{"quick": time.Millisecond, "slow": 9 * time.Second}
	loaded(t, termination.Config{RetryMin: time.Hour}, takes, func(n *slowNASes, end func(string, int)) {
		end("slow", 40)
		end("quick", 10_000)
		time.Sleep(330 * time.Millisecond)
		asked, most := n.counted()
		if len(asked) != 10_008 || most["quick"] != 32 || most["slow"] != 8 {
			t.Errorf("%d attempts, at most %v at once", len(asked), most)
		}
	})
}

// TestFirstAttemptsPassRetries: first attempts go before retries, even if those are overdue.
func TestFirstAttemptsPassRetries(t *testing.T) {
	takes := map[string]time.Duration{"silent": 9 * time.Second, "slow": 9 * time.Second}
	cfg := termination.Config{Parallel: 2, PerNAS: 2, RetryMin: time.Second, RetryMax: time.Second}
	loaded(t, cfg, takes, func(n *slowNASes, end func(string, int)) {
		end("silent", 4)
		time.Sleep(20 * time.Second) // two are asked again, and two are overdue
		end("slow", 2)
		time.Sleep(10 * time.Second)
		asked, _ := n.counted()
		if len(asked) != 8 || asked[6][:4] != "slow" || asked[7][:4] != "slow" {
			t.Errorf("attempts %v", asked)
		}
	})
}
