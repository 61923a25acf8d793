package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

const testKey tacacs.Key = "aaasess-test"

// rig is a client with servers in memory and a fake clock.
type rig struct {
	*testing.T
	net    tacacstest.Network
	client *tacclient.Client
	began  time.Time
	log    *lines
}

// lines collects log lines.
type lines struct {
	mu   sync.Mutex
	text string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(b)
	return len(b), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// withRig runs a test in a bubble, which fails if a goroutine is left.
func withRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, net: tacacstest.Network{}, began: time.Now(), log: &lines{}}
		r.client = tacclient.New(tacclient.Config{Dial: r.net.Dial, Logger: slog.New(slog.NewTextHandler(r.log, nil))})
		test(r)
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
}

// host adds a server.
func (r *rig) host(addr string, b tacacstest.Behavior) *tacacstest.Server {
	s := tacacstest.New(testKey)
	s.Set(b)
	r.net[addr+":49"] = s
	r.Cleanup(s.Stop)
	return s
}

// to returns a member with this host: one transmission, a second long.
func to(host string) tacclient.Member {
	return tacclient.Member{
		Identity: tacclient.Identity{Name: "of " + host, Host: host, Key: testKey}, Schedule: retry.Schedule{Timeout: time.Second},
	}
}

// single returns a member with single connection mode and one connection.
func single(host string) tacclient.Member {
	m := to(host)
	m.SingleConnection, m.Connections = true, 1
	return m
}

// group runs a group until it is closed, or until the end of the test.
func (r *rig) group(cfg tacclient.GroupConfig, members ...tacclient.Member) *tacclient.Group {
	r.Helper()
	cfg.Members = members
	g, err := r.client.NewGroup(cfg)
	if err != nil {
		r.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(context.Background()) }()
	r.Cleanup(func() {
		if err := errors.Join(g.Close(), <-ended); err != nil {
			r.Error(err)
		}
	})
	<-g.Ready()
	return g
}

// sleep sleeps until a second of the test, and until everything at that time has happened.
func (r *rig) sleep(second float64) {
	time.Sleep(time.Until(r.began.Add(time.Duration(second * float64(time.Second)))))
	synctest.Wait()
}

// sent is a request that was sent, and its result.
type sent struct {
	t      testing.TB
	number int
	flags  tacacs.AcctFlags
	args   []string
	ends   chan string
	err    error // the result; to be read after it
}

var _ tacclient.Request = (*sent)(nil)

func newSent(t testing.TB, number int) *sent {
	return &sent{t: t, number: number, flags: tacacs.AcctFlagStart, args: []string{fmt.Sprintf("task_id=%d", number)}, ends: make(chan string, 1)}
}

// send sends a request through a group.
func (r *rig) send(g *tacclient.Group, number int) *sent {
	s := newSent(r.T, number)
	g.Send(s, retry.Progress{})
	return s
}

// sendAll sends n requests.
func (r *rig) sendAll(g *tacclient.Group, n int) (all []*sent) {
	for i := range n {
		all = append(all, r.send(g, i))
	}
	return all
}

func (s *sent) Accounting(time.Time) tacacs.AcctRequest {
	return tacacs.AcctRequest{Flags: s.flags, User: "nemo", Port: "tty1", Args: s.args}
}

func (s *sent) Record() any { return s.number }

func (s *sent) Session() string { return fmt.Sprint(s.number) }

func (s *sent) Done(server string, err error) {
	s.err = err
	end := "accepted by " + server
	switch {
	case errors.Is(err, tacclient.ErrNoResponse):
		end = nobody
	case err != nil:
		end = err.Error()
	}
	select {
	case s.ends <- end:
	default:
		s.t.Errorf("request %d has a second end: %s", s.number, end)
	}
}

// check checks the result, which must be there; "" means none.
func (s *sent) check(want string) {
	s.t.Helper()
	got := ""
	select {
	case got = <-s.ends:
	default:
	}
	if got != want {
		s.t.Errorf("request %d: %q, want %q", s.number, got, want)
	}
}

func checkAll(all []*sent, want string) {
	for _, s := range all {
		s.t.Helper()
		s.check(want)
	}
}

// later waits for the result, which must be a Later, and returns it.
func (s *sent) later() *retry.Later {
	s.t.Helper()
	<-s.ends
	var later *retry.Later
	if !errors.As(s.err, &later) {
		s.t.Fatalf("request %d: %v, want a Later", s.number, s.err)
	}
	return later
}

// tasks returns the numbers of the requests that a server acknowledged.
func tasks(s *tacacstest.Server) map[string]int {
	all := map[string]int{}
	for _, a := range s.Acknowledged() {
		all[strings.TrimPrefix(a.Request.Args[0], "task_id=")]++
	}
	return all
}

// obeyed checks that the client kept to RFC 8907.
func (r *rig) obeyed(servers ...*tacacstest.Server) {
	r.Helper()
	for _, s := range servers {
		for _, err := range s.Problems() {
			r.Error(err)
		}
	}
}

// start is the start of a schedule.
var start retry.Progress

const nobody = "tacacs: no server accepts the record"
