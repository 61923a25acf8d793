package agentx_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
)

// TestSessionReconnects: the master is away for ten minutes. There are two log lines, and the
// subagent is back within the longest pause.
func TestSessionReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := agentx.NewFixture(t, 10)
		r := &running{fixture: f, log: &lockedBuffer{}, heard: &sentPDUs{}, masters: make(chan *agentxtest.Master, 10)}
		accept := agentxtest.Dial(func(conn net.Conn, id uint32) { r.masters <- agentxtest.NewMaster(conn, id, nil) })
		var mu sync.Mutex
		away, attempts := false, []time.Duration(nil)
		var since time.Time
		r.start(agentx.Config{Network: "unix", Address: "sock", Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if away {
				attempts = append(attempts, time.Since(since))
				return nil, errors.New("connection refused")
			}
			return accept(ctx, n, a)
		}})
		defer r.stop()
		m := r.up(t)
		time.Sleep(50 * time.Second)
		mu.Lock()
		away, since = true, time.Now()
		mu.Unlock()
		m.Close()
		time.Sleep(10*time.Minute + time.Millisecond)
		mu.Lock()
		away = false
		returned := time.Now()
		if len(attempts) < 600 || len(attempts) > 610 {
			t.Errorf("%d attempts in ten minutes", len(attempts))
		}
		ms := time.Millisecond
		if want := []time.Duration{50 * ms, 150 * ms, 350 * ms, 750 * ms, 1550 * ms, 2550 * ms, 3550 * ms}; !cmp.Equal(attempts[:7], want) {
			t.Errorf("first attempts after %v, want %v", attempts[:7], want)
		}
		mu.Unlock()
		r.up(t)
		if took := time.Since(returned); took > agentx.MaxRetry {
			t.Errorf("back after %s", took)
		}
		want := []string{
			`level=INFO msg="agentx: connected to the master agent" network=unix address=sock attempts=1 away=0s`,
			`level=WARN msg="agentx: no connection to the master agent; will retry" network=unix address=sock err=EOF`,
			`level=INFO msg="agentx: connected to the master agent" network=unix address=sock attempts=605 away=10m0.55s`,
		}
		if diff := cmp.Diff(want, r.log.lines()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		if st := r.Stats(); st.Connects != 2 || !st.Connected || st.LastError == nil {
			t.Errorf("statistics %+v", st)
		}
	})
}

// TestSessionNeverConnected: there is no master from the start. There is one log line, and Run ends
// with its context.
func TestSessionNeverConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}}
		r.start(agentx.Config{Network: "tcp", Address: "127.0.0.1:705", Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("connection refused")
		}})
		time.Sleep(time.Hour)
		select {
		case <-r.Ready():
			t.Error("ready without a master")
		default:
		}
		r.stop()
		want := []string{`level=WARN msg="agentx: no connection to the master agent; will retry" network=tcp address=127.0.0.1:705 err="connection refused"`}
		if diff := cmp.Diff(want, r.log.lines()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestSessionFlapping: a master accepts and drops connections. It is not contacted more and more
// often, but at least once a second.
func TestSessionFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		begin := time.Now()
		for range 65 {
			r.up(t).Close()
		}
		if took := time.Since(begin); took < 55*time.Second || took > 65*time.Second {
			t.Errorf("65 connections in %s", took)
		}
	})
}

func TestSessionDialTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}}
		attempts := make(chan time.Time, 100)
		r.start(agentx.Config{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			attempts <- time.Now()
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		first := <-attempts
		if took := (<-attempts).Sub(first); took != time.Second+50*time.Millisecond {
			t.Errorf("second attempt after %s", took)
		}
		r.stop() // during an attempt
	})
}

// TestSessionPings: an idle master gets Pings, and is given up if it does not answer.
func TestSessionPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		silent := false
		r := run(t, func(h agentx.Header, p agentx.Payload) *agentx.Response {
			mu.Lock()
			defer mu.Unlock()
			if silent {
				return nil
			}
			return agentxtest.Agree(h, p)
		})
		m := r.up(t)
		time.Sleep(3*agentx.PingAfter + time.Second)
		pings := len(r.heard.without("Open", "Register"))
		if pings < 2 || pings > 3 {
			t.Errorf("%d pings within three times the silence: %q", pings, r.heard.pdus)
		}
		// With traffic there are none.
		for range 60 {
			time.Sleep(time.Second)
			if _, err := m.Get(agentx.FixtureOther.Append(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(r.heard.without("Open", "Register")); n > pings+1 {
			t.Errorf("%d pings more during traffic", n-pings)
		}
		mu.Lock()
		silent = true
		mu.Unlock()
		from := time.Now()
		<-m.Gone()
		if took := time.Since(from); took > 2*agentx.PingAfter+agentx.DefaultTimeout {
			t.Errorf("a silent master is noticed after %s", took)
		}
		if got := r.heard.without("Open", "Register", "Ping"); len(got) != 1 || !strings.HasSuffix(got[0], "Close ReasonTimeouts") {
			t.Errorf("we said %q", got)
		}
		if err := r.Stats().LastError; !errors.Is(err, agentx.ErrNoAnswer) {
			t.Errorf("last error %v", err)
		}
		mu.Lock()
		silent = false
		mu.Unlock()
		for range 10 { // the attempts that started while it was silent
			time.Sleep(2 * time.Second)
		}
		if !r.Stats().Connected {
			t.Error("not back")
		}
	})
}
