package dynauth

import (
	"context"
	"testing"

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
