package dynauth

import (
	"context"
	"fmt"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"
)

// TestLimits: requests beyond the limits are refused with 506, and those before them are answered. The
// end of Run drops what is under way, and nothing is done later.
func TestLimits(t *testing.T) {
	for _, atNAS := range []bool{false, true} {
		table := newTable(t)
		send(t, table, sessions.Start, 1, "A", "alice")
		asked, answer := make(chan bool, 16), make(chan termination.Answer)
		r := New(Config{Table: table, MayChange: func(string, *sessions.Session) bool { return true }, Forward: func(ctx context.Context, _ *sessions.Session, _ dae.Forwarded) dae.Reply {
			asked <- true
			select {
			case a := <-answer:
				return dae.Reply{Outcome: termination.Outcome{Answer: a}}
			case <-ctx.Done():
				return dae.Reply{}
			}
		}})
		if atNAS {
			r.maxAtNAS = 2
		} else {
			r.maxRequests = 2
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		<-r.Ready()
		s := listen(t, r)
		for range 2 {
			s.send()
			<-asked
		}
		s.send()
		if id, cause := s.receive(); id != 3 || cause != radius.ResourcesUnavailable {
			t.Errorf("answer to %d is %v", id, cause)
		}
		answer <- termination.ACK
		if id, cause := s.receive(); id > 2 || cause != 0 {
			t.Errorf("answer to %d is %v", id, cause)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.send()
		radiustest.WaitFor(t, func() bool { return r.Stats().Disconnects == 4 })
		if got := r.Stats(); got.ACKs != 1 || got.Silent != 1 || got.Busy != 1 || got.InFlight != 0 || got.Waiting != 0 || len(r.nases) != 0 {
			t.Errorf("%+v", got)
		}
	}
}

// TestEnd: requests that are under way or wait when the daemon ends get no NAK, which would be final.
func TestEnd(t *testing.T) {
	table := newTable(t)
	send(t, table, sessions.Start, 1, "A", "alice")
	asked := make(chan bool, 2*window)
	r := New(Config{Table: table, MayChange: func(string, *sessions.Session) bool { return true }, Forward: func(ctx context.Context, _ *sessions.Session, _ dae.Forwarded) dae.Reply {
		asked <- true
		<-ctx.Done()
		return dae.Reply{Outcome: termination.Outcome{Err: ctx.Err()}}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	<-r.Ready()
	s := listen(t, r)
	for range window + 1 {
		s.send()
	}
	for range window {
		<-asked
	}
	radiustest.WaitFor(t, func() bool { return r.Stats().InFlight == window+1 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := r.Stats(); got.Busy != 0 || got.NAKs != 0 || got.InFlight != 0 {
		t.Errorf("%+v", got)
	}
}

// mayAll is a MayChange that allows everything.
func mayAll(string, *sessions.Session) bool { return true }

// TestMaxWait: a request that waits too long for its turn at the NAS is refused with 506, and never sent.
func TestMaxWait(t *testing.T) {
	table := newTable(t)
	send(t, table, sessions.Start, 1, "A", "alice")
	f := New(Config{Table: table, MayChange: mayAll, Forward: func(context.Context, *sessions.Session, dae.Forwarded) dae.Reply {
		t.Error("the NAS is asked")
		return dae.Reply{}
	}})
	f.maxWait = time.Millisecond
	addr := table.Row(1).NAS.Addr
	nas := f.enter(addr)
	for range window {
		nas.window <- struct{}{}
	}
	s := listen(t, f)
	s.send()
	if _, cause := s.receive(); cause != radius.ResourcesUnavailable {
		t.Errorf("the answer is %v", cause)
	}
	radiustest.WaitFor(t, func() bool { return f.Stats().InFlight == 0 })
	f.leave(addr, nas)
	if got := f.Stats(); got.Busy != 1 || len(f.nases) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestMaxSearches: while a search of the table runs, so many requests without Acct-Session-Id wait for the
// next one, and one more is refused with 506. Those with an Acct-Session-Id have no limit.
func TestMaxSearches(t *testing.T) {
	table := newTable(t)
	send(t, table, sessions.Start, 1, "A", "alice")
	f := New(Config{Table: table, Forward: ackAll, MayChange: mayAll})
	s := listen(t, f)
	f.searches.running.Lock()
	for range maxSearches + 1 {
		s.sendOnly(attr(radius.UserName, "alice"))
	}
	if _, cause := s.receive(); cause != radius.ResourcesUnavailable {
		t.Errorf("the answer is %v", cause)
	}
	for range 10 {
		s.sendOnly(attr(radius.AcctSessionID, "none"))
	}
	radiustest.WaitFor(t, func() bool {
		f.searches.mu.Lock()
		defer f.searches.mu.Unlock()
		return len(f.searches.waiting) == maxSearches+10
	})
	f.searches.running.Unlock()
	causes := map[radius.ErrorCause]int{}
	for range maxSearches + 10 {
		_, cause := s.receive()
		causes[cause]++
	}
	if causes[0] != maxSearches || causes[radius.SessionContextNotFound] != 10 || f.Stats().Busy != 1 {
		t.Errorf("%v; %+v", causes, f.Stats())
	}
	s.sendOnly(attr(radius.UserName, "bob"))
	if _, cause := s.receive(); cause != radius.SessionContextNotFound {
		t.Errorf("afterwards the answer is %v", cause)
	}
}

// TestThousandSearches: a thousand requests at once that each need a search are all answered, and need few
// of them.
func TestThousandSearches(t *testing.T) {
	table := newTable(t)
	for n := range 100 {
		send(t, table, sessions.Start, 1, fmt.Sprint("S", n), fmt.Sprint("user", n))
	}
	f := New(Config{Table: table, Forward: ackAll, MayChange: mayAll})
	first := listen(t, f)
	servers := []*server{first}
	for range 7 {
		servers = append(servers, dial(t, "127.0.0.1", first.to))
	}
	const each = 125
	for n := range each {
		for i, s := range servers {
			if i%2 == 0 {
				s.sendOnly(attr(radius.UserName, fmt.Sprint("user", n%200)))
			} else {
				s.sendOnly(attr(radius.AcctSessionID, fmt.Sprint("S", n)))
			}
		}
	}
	for _, s := range servers {
		seen := map[byte]bool{}
		for range each {
			id, _ := s.receive()
			if seen[id] {
				t.Errorf("two answers to %d", id)
			}
			seen[id] = true
		}
	}
	if got := f.Stats(); got.Disconnects != uint64(len(servers)*each) || got.ACKs+got.Unknown+got.Busy != got.Disconnects {
		t.Errorf("%+v", got)
	}
}
