package conditions

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/statechange"
	"aaasess/internal/logtest"
	"aaasess/mib"
	"aaasess/mib/aaasess"
)

// scene is a Watcher in a bubble. It takes its samples from sample.
type scene struct {
	*Watcher
	t   *testing.T
	log *logtest.Buffer
	end func()

	mu     sync.Mutex // guards the fields below
	sample Sample
	own    []string // the numbers of notifications that our targets got
	master []string
}

func (s *scene) set(change ...func(*Sample)) {
	s.mu.Lock()
	s.sample = Sample{}
	for _, c := range change {
		c(&s.sample)
	}
	s.mu.Unlock()
	time.Sleep(Every)
	synctest.Wait()
}

func number(trap mib.OID) string {
	if !trap.HasPrefix(mib.MustOID("1.3.6.1.4.1.7.1.0")) {
		return trap.String()
	}
	return trap[len(trap)-1:].String()[1:]
}

// start runs a Watcher with a file, and with a first sample.
func start(t *testing.T, file string, ways bool, first ...func(*Sample)) *scene {
	t.Helper()
	s := &scene{t: t, log: new(logtest.Buffer)}
	for _, c := range first {
		c(&s.sample)
	}
	cfg := Config{Limits: limits, Enterprise: 7, File: file, Logger: slog.New(slog.NewTextHandler(s.log, nil)), Sample: func() Sample {
		s.mu.Lock()
		defer s.mu.Unlock()
		out := s.sample
		out.Now = time.Now()
		return out
	}}
	if ways {
		cfg.Notify = func(trap mib.OID, _ ...mib.Varbind) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.own = append(s.own, number(trap))
			return nil
		}
		cfg.Master = func(_ context.Context, trap mib.OID, _ []mib.Varbind) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.master = append(s.master, number(trap))
			return nil
		}
	}
	s.Watcher = Open(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	s.end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.end)
	synctest.Wait()
	return s
}

// want checks the notifications of both ways out since the last call.
func (s *scene) want(numbers string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if own, master := strings.Join(s.own, " "), strings.Join(s.master, " "); own != numbers || master != numbers {
		s.t.Errorf("our targets are told %q and the master agent %q, want %q", own, master, numbers)
	}
	s.own, s.master = nil, nil
}

func short(s *Sample) { s.Space.FreeWarning = true }

// TestWatcher: changes are told, to our targets and the master agent.
func TestWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, filepath.Join(t.TempDir(), "file"), true)
		s.want("")
		s.set(short)
		s.want("3")
		s.set(short, queue("group isp", 100, 100, 0))
		s.want("1")
		s.set(queue("group isp", 1, 0, 0, silent))
		s.want("4 2 7")
		want := &States{Methods: map[string]MethodState{"group isp": {aaasess.NoLoginAnswer, time.Now()}}}
		if diff := cmp.Diff(want, s.States()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		stats := Stats{Spool: "normal", Disk: "enough", Events: "accepted", Blocked: []string{"group isp"}, SenderStats: statechange.SenderStats{Told: 5, Master: &statechange.MasterStats{Accepted: 5}}}
		if diff := cmp.Diff(stats, s.Stats()); diff != "" {
			t.Errorf("statistics (-want +got):\n%s", diff)
		}
		s.SetLimits(Limits{Records: 1, BlockedAfter: time.Second})
		s.set(queue("group isp", 1, 0, 0, silent))
		s.want("1")
		if !s.States().Spool || s.Stats().Spool != "over" {
			t.Error("the new threshold is not in use")
		}
	})
}

// TestRestarts: what was told before is not told again, and what is over by then is told.
func TestRestarts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flush  bool
		before []func(*Sample)
		after  []func(*Sample)
		want   string // told by the second process
	}{
		{"all is as before", true, []func(*Sample){short, queue("group isp", 100, 0, 0, silent)}, []func(*Sample){short, queue("group isp", 100, 0, 0, silent)}, ""},
		{"all is over", true, []func(*Sample){short, queue("group isp", 100, 0, 0, silent)}, nil, "4 2 8"},
		{"killed: it was saved a second later at most", false, []func(*Sample){short}, []func(*Sample){short}, ""},
		{"another state is bad", true, []func(*Sample){short}, []func(*Sample){queue("group isp", 100, 100, 0)}, "4 1"},
		{"nothing was bad", true, nil, []func(*Sample){short}, "3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "file")
				s := start(t, file, true)
				s.set(tt.before...)
				s.set(tt.before...)
				if tt.flush {
					s.Flush()
				}
				s.end()
				s = start(t, file, true, tt.after...)
				s.want(tt.want)
				if n := s.log.Count("level"); n > 0 {
					t.Errorf("%d lines in the log", n)
				}
			})
		})
	}
}

// TestHeldAtTheEnd: what is held back because of too many changes is told at the end, and kept.
func TestHeldAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		s := start(t, file, true)
		for i := range statechange.Burst + 1 {
			if i%2 == 0 {
				s.set(short)
			} else {
				s.set()
			}
		}
		s.want(strings.TrimSpace(strings.Repeat("3 4 ", statechange.Burst/2)))
		s.Flush()
		s.want("3")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bad, err := decode(b)
		if err != nil || len(bad) != 1 || bad[Key{Kind: Disk}].IsZero() {
			t.Errorf("the file has %v, %v", bad, err)
		}
	})
}

// TestNobodyIsTold: without a way out nothing counts as told; the states are the same.
func TestNobodyIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		s := start(t, file, false)
		s.set(short)
		s.Flush()
		if _, err := os.Stat(file); err == nil || !s.States().Disk || s.Stats().Disk != "short" {
			t.Errorf("the file is there: %v; states %+v", err == nil, s.States())
		}
	})
}

// TestNotSaved: if the file cannot be written, one line says so, and it is tried again.
func TestNotSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "folder", "file")
		s := start(t, file, true)
		s.set(short)
		time.Sleep(10 * Every)
		synctest.Wait()
		if n := s.log.Count("is not saved"); n != 1 {
			t.Errorf("%d lines say so", n)
		}
		if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(Every)
		synctest.Wait()
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	})
}

// TestFile: any set of states is read as it was written, and bad texts are errors.
func TestFile(t *testing.T) {
	const since = `"since":"2026-01-02T12:00:00Z"`
	for _, tt := range []struct{ name, text, want string }{
		{"empty", ``, "EOF"},
		{"half of it", `{"version":1,"bad":[{"ki`, "unexpected EOF"},
		{"another version", `{"version":2,"bad":[]}`, "version 2, want 1"},
		{"text after it", `{"version":1,"bad":[]} {}`, "text after the end"},
		{"an unknown kind", `{"version":1,"bad":[{"kind":"moon",` + since + `}]}`, `state "moon" of method "" is unknown`},
		{"a method of the disk", `{"version":1,"bad":[{"kind":"disk","method":"a",` + since + `}]}`, `state "disk" of method "a" is unknown`},
		{"no method", `{"version":1,"bad":[{"kind":"method",` + since + `}]}`, `state "method" of method "" is unknown`},
		{"twice", `{"version":1,"bad":[{"kind":"disk",` + since + `},{"kind":"disk",` + since + `}]}`, "is there twice"},
		{"no time", `{"version":1,"bad":[{"kind":"disk"}]}`, "has no time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := decode([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "file")
				if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
					t.Fatal(err)
				}
				s := start(t, file, true)
				s.want("")
				if n := s.log.Count("the file is set aside"); n != 1 {
					t.Errorf("%d lines say so", n)
				}
				if kept, err := os.ReadFile(file + Damaged); err != nil || string(kept) != tt.text {
					t.Errorf("it is kept as %q, %v", kept, err)
				}
			})
		})
	}
	want := map[Key]time.Time{{Kind: Spool}: noon, {Kind: Disk}: noon.Add(time.Second), {Kind: Events}: noon, {Queue, "group a"}: noon, {Queue, "local"}: noon}
	b, err := encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written (-), read (+):\n%s", diff)
	}
}

// TestToldIsSavedAtOnce: a process that is killed after it has told something bad leaves it in the file, for
// the next process to tell its end.
func TestToldIsSavedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		s := start(t, file, true)
		s.set(short)
		s.want("3")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s.end()
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s = start(t, file, true)
		s.want("4")
	})
}
