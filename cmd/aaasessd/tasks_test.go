package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting/methods"
)

// stub is a task that becomes ready after a time. It ends with its context, or with an error after
// a time.
type stub struct {
	name  string
	after time.Duration // 0: never
	fails time.Duration // 0: never
	err   error
	ready chan struct{}
}

func (s *stub) String() string         { return s.name }
func (s *stub) Ready() <-chan struct{} { return s.ready }

func (s *stub) Run(ctx context.Context) error {
	if s.after > 0 {
		time.AfterFunc(s.after, func() { close(s.ready) })
	}
	var fails <-chan time.Time
	if s.fails > 0 {
		fails = time.After(s.fails)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-fails:
		return s.err
	}
}

// TestRunTasks: ready is called when all serving tasks are ready, without waiting for the others.
// An error has the name of its task.
func TestRunTasks(t *testing.T) {
	broken := errors.New("it is broken")
	const s, never = time.Second, time.Duration(0)
	for name, tt := range map[string]struct {
		serving []*stub
		others  []*stub
		ready   time.Duration // expected time of the call; 0: never
		err     string
	}{
		"all are ready":                 {[]*stub{{after: s}, {after: 5 * s}, {after: 3 * s}}, nil, 5 * s, ""},
		"one is never":                  {[]*stub{{after: s}, {after: never}}, nil, never, ""},
		"another one is never":          {[]*stub{{after: s}}, []*stub{{after: never}}, s, ""},
		"one fails":                     {[]*stub{{after: s}, {name: "control socket /x", fails: 2 * s, err: broken}}, nil, never, "control socket /x: it is broken"},
		"one fails after all are ready": {[]*stub{{after: s}, {name: "b", after: s, fails: 2 * s, err: broken}}, nil, s, "b: it is broken"},
		"another one fails":             {[]*stub{{after: s}}, []*stub{{name: "agentx", fails: 2 * s, err: broken}}, s, "agentx: it is broken"},
		"one ends by itself":            {[]*stub{{after: s}, {name: "b", after: s, fails: 2 * s}}, nil, s, "b: it has ended, and nobody asked it to"},
		"the first ends by itself":      {[]*stub{{name: "a", after: s, fails: 2 * s}, {after: s}}, nil, s, "a: it has ended, and nobody asked it to"},
		"another one ends by itself":    {[]*stub{{after: s}}, []*stub{{name: "agentx", fails: 2 * s}}, s, "agentx: it has ended, and nobody asked it to"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				list := func(stubs []*stub) (tasks []task) {
					for _, s := range stubs {
						s.ready = make(chan struct{})
						tasks = append(tasks, s)
					}
					return tasks
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began, ready := time.Now(), time.Duration(0)
				all := list(tt.serving)
				err := runTasks(ctx, all[0], all[1:], list(tt.others), func() { ready = time.Since(began) })
				if ready != tt.ready {
					t.Errorf("ready after %v, want %v", ready, tt.ready)
				}
				if got := ""; err != nil {
					if got = err.Error(); got != tt.err || !errors.Is(err, broken) && !errors.Is(err, errEnded) {
						t.Errorf("error %q, want %q", got, tt.err)
					}
				} else if tt.err != "" {
					t.Errorf("no error, want %q", tt.err)
				}
			})
		})
	}
}

// TestOrderOfTheEnd: the first task ends first, and the others run until it has ended. After a
// failure all end at once.
func TestOrderOfTheEnd(t *testing.T) {
	for name, fails := range map[string]time.Duration{"in order": 0, "a failure": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				var first, other time.Duration
				slow := loop{"first", readyAtOnce(), func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(5 * time.Second)
					first = time.Since(began)
					return nil
				}}
				serves := loop{"other", readyAtOnce(), func(ctx context.Context) error {
					<-ctx.Done()
					other = time.Since(began)
					return nil
				}}
				broken := &stub{name: "broken", fails: fails, err: errors.New("broken"), ready: make(chan struct{})}
				err := runTasks(ctx, slow, []task{serves}, []task{broken}, func() {})
				wantFirst, wantOther := 15*time.Second, 15*time.Second
				if fails > 0 {
					wantFirst, wantOther = fails+5*time.Second, fails
				}
				if (err != nil) != (fails > 0) || first != wantFirst || other != wantOther {
					t.Errorf("%v, the first ended after %v and the other after %v, want %v and %v", err, first, other, wantFirst, wantOther)
				}
			})
		})
	}
}

// TestReady: when the log says ready, all serving tasks are ready. A missing master agent does not
// delay that. Each task has its own name.
func TestReady(t *testing.T) {
	const snmp = `snmp: {agentx: {network: unix, address: /nowhere/agentx}, responder: {listen: ["127.0.0.1:0"], ` +
		`communities: [{community: public, group: all, from: [127.0.0.1/32]}], groups: [{name: all, read: all}]}, `
	l := launch(t, with(t, authConfig(t, newAuthServer(t, passwords(t, "right"))), "snmp: {", snmp), environment{})
	first, serving, others := l.d.tasks(nil, methods.Change{})
	serving = append(serving, first)
	names := map[string]bool{}
	for _, task := range append(serving, others...) {
		if name := task.String(); name == "" || names[name] {
			t.Errorf("a task is called %q", name)
		}
		names[task.String()] = true
	}
	for _, task := range serving {
		select {
		case <-task.Ready():
		default:
			t.Errorf("%s is not ready", task)
		}
	}
	if len(serving) != 19 || len(others) != 1 || others[0].String() != "agentx unix:/nowhere/agentx" {
		t.Errorf("%d tasks serve, others: %v", len(serving), others)
	}
	select {
	case <-others[0].Ready():
		t.Error("the subagent is ready without a master agent")
	default:
	}
}

// TestFailedTaskIsNamed: the error that ends the daemon names the failed task once.
func TestFailedTaskIsNamed(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	_ = l.d.disconnector.Close() // its task does the same when its first socket fails, so one of the two finds it closed
	err := l.wait()
	if !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "radius disconnect sockets: ") {
		t.Errorf("the daemon ended with %v", err)
	}
	if n := strings.Count(err.Error(), "radius"); n != 1 {
		t.Errorf("the error names it %d times: %v", n, err)
	}
}
