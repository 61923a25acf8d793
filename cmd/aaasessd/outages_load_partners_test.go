//go:build partners

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/sessions"
	"aaasess/sessions/radius/radiustest"
)

const (
	outageNASes = 8
	outageLines = 6 // lines of a NAS, each with one session at a time; every third is a login to the NAS itself
)

// outageLoad has NASes that report sessions all the time, and the history of their records.
type outageLoad struct {
	daemon  netip.AddrPort
	history *crashHistory
	closing atomic.Bool // start no new sessions
	lines   sync.WaitGroup
}

// startLoad starts the load. It ends with the test.
func startLoad(t *testing.T, daemon netip.AddrPort) *outageLoad {
	t.Helper()
	o := &outageLoad{daemon: daemon, history: newCrashHistory()}
	ctx, cancel := context.WithCancel(t.Context())
	for nas := range outageNASes {
		for line := range outageLines {
			o.lines.Go(func() { o.line(ctx, nas, line) })
		}
	}
	t.Cleanup(func() {
		cancel()
		o.lines.Wait()
	})
	return o
}

// finish ends the sessions, except some that stay live, and waits until everything is answered.
func (o *outageLoad) finish() { o.closing.Store(true); o.lines.Wait() }

// line has one session after another.
func (o *outageLoad) line(ctx context.Context, nas, line int) {
	kind := sessions.Network
	if line%3 == 0 {
		kind = sessions.Exec
	}
	rng := rand.New(rand.NewPCG(uint64(nas), uint64(line)))
	for i := 0; !o.closing.Load(); i++ {
		s := &outageSession{
			outageLoad: o, rng: rng, kind: kind, nas: nas,
			id: fmt.Sprintf("%s-%d-%d-%04d", kind, nas, line, i), began: time.Now(),
		}
		if !s.run(ctx) {
			return
		}
	}
}

// outageSession is a session at its NAS. Its User-Name is also its Acct-Session-Id there.
type outageSession struct {
	*outageLoad
	rng   *rand.Rand
	kind  sessions.Kind
	nas   int
	id    string
	began time.Time
	sent  int // number of records sent
}

// run runs a session from start to stop. It returns false if ctx is done.
func (s *outageSession) run(ctx context.Context) bool {
	if !s.report(ctx, sessions.Start) {
		return false
	}
	for range s.rng.IntN(5) {
		if !s.pause(ctx) || !s.report(ctx, sessions.Interim) {
			return false
		}
	}
	if !s.pause(ctx) || s.closing.Load() && s.rng.IntN(2) == 0 {
		return ctx.Err() == nil
	}
	return s.report(ctx, sessions.Stop)
}

func (s *outageSession) pause(ctx context.Context) bool {
	return pause(ctx, time.Duration(20+s.rng.IntN(180))*time.Millisecond)
}

// report sends a record until it is answered, and sometimes once more after that.
func (s *outageSession) report(ctx context.Context, kind sessions.EventType) bool {
	r, happened := crashtest.Record{Session: s.id, Type: kind, Nth: s.sent}, time.Now()
	s.sent++
	wait := time.Second
	if s.rng.IntN(20) == 0 {
		wait = 200 * time.Microsecond
	}
	local := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 3, 0, byte(s.nas + 1)}), 0)
	s.history.record(crashtest.Sent, r)
	for {
		try, cancel := context.WithTimeout(ctx, wait)
		_, err := radiustest.Account(try, local, s.daemon, s.packet(r, happened))
		cancel()
		switch {
		case err == nil:
			s.history.record(crashtest.Answered, r)
			s.history.count("answered " + s.kind.String())
			return true
		case ctx.Err() != nil:
			return false
		}
		s.history.count("retransmissions of NASes")
		wait = time.Second
	}
}

// packet returns the packet of a transmission.
func (s *outageSession) packet(r crashtest.Record, happened time.Time) *layeh.Packet {
	service := rfc2865.ServiceType_Value_FramedUser
	if s.kind == sessions.Exec {
		service = rfc2865.ServiceType_Value_NASPromptUser
	}
	return packet(rfc2866.AcctStatusType(r.Type), s.id, s.id, func(p *layeh.Packet) error {
		err := errors.Join(
			rfc2865.ServiceType_Set(p, service),
			rfc2865.NASIdentifier_SetString(p, fmt.Sprint("nas", s.nas)),
			rfc2869.EventTimestamp_Set(p, happened),
			rfc2866.AcctDelayTime_Set(p, rfc2866.AcctDelayTime(time.Since(happened)/time.Second)),
		)
		if r.Type == sessions.Start {
			return err
		}
		return errors.Join(err,
			rfc2866.AcctSessionTime_Set(p, rfc2866.AcctSessionTime(happened.Sub(s.began)/time.Second)),
			rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(r.Nth*octetsOf)))
	})
}
