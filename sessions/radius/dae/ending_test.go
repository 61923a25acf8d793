package dae

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"

	"github.com/google/go-cmp/cmp"
)

// ending has all parts that end a session, over loopback: a listener, a table, a terminator, a
// Disconnector, and a NAS. Session number 1 of the NAS is being ended.
type ending struct {
	t       *testing.T
	table   *sessions.Table
	journal *sessionstest.Journal
	dae     *radiustest.NAS // receives Disconnect-Requests
	to      uint16          // the listener's port
	log     *radiustest.Log
}

const (
	endingID  = "8D5C1B9A0F3E7746"
	endingOne = "00000001"
)

func newEnding(t *testing.T, cfg termination.Config, timeout time.Duration, h radiustest.Handler) *ending {
	t.Helper()
	e := &ending{t: t, journal: sessionstest.NewJournal()}
	t.Cleanup(e.journal.Close)
	e.table = sessions.New(sessions.Config{}, e.journal)
	d, dae, log := startDisconnector(t, Config{Timeout: timeout}, h)
	e.dae, e.log = dae, log
	terminator := termination.New(cfg, e.table, d, slog.New(slog.NewTextHandler(log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- terminator.Run(ctx) }()
	e.to = startListener(t, terminator, "0.0.0.0:0", local()).Addr().Port()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	e.report(1, sessions.Start)
	durable := make(chan error, 1)
	if _, err := e.table.Disconnect([]sessions.ID{1}, func(err error) { durable <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-durable; err != nil {
		t.Fatal(err)
	}
	terminator.Start(1)
	return e
}

// report sends an accounting packet of the session and waits for the answer.
func (e *ending) report(identifier byte, typ sessions.EventType, more ...string) {
	e.t.Helper()
	attrs := append([]string{
		num(radius.AcctStatusType, uint32(typ)), attr(radius.AcctSessionID, endingID), attr(radius.UserName, "alice"),
		attr(radius.NASIdentifier, "hostapd"), num(radius.FramedIPAddress, 0xc0000207),
	}, more...)
	if err := account(e.t.Context(), "127.0.0.2", "127.0.0.1", e.to, identifier, attrs...); err != nil {
		e.t.Fatal(err)
	}
}

// recordedStops returns the accounted stops, each with its cause if we chose it.
func (e *ending) recordedStops() (stops []string) {
	for _, n := range e.journal.Notices() {
		if n.Type == sessions.Stop {
			stops = append(stops, fmt.Sprint(n.Session.ID, " ", n.Cause))
		}
	}
	return stops
}

func (e *ending) checkStops(want ...string) {
	e.t.Helper()
	radiustest.WaitFor(e.t, func() bool { return e.table.View().Len() == 0 })
	if diff := cmp.Diff(want, e.recordedStops()); diff != "" {
		e.t.Errorf("%s\n%s", diff, e.log)
	}
}

func (e *ending) checkLog(lines ...string) {
	e.t.Helper()
	for _, line := range lines {
		radiustest.WaitFor(e.t, func() bool { return strings.Contains(e.log.String(), line) })
	}
}

// TestEndings plays the ways in which NASes answer and send stops.
func TestEndings(t *testing.T) {
	quick := termination.Config{RetryMin: 10 * time.Millisecond, RetryMax: 10 * time.Millisecond, StopWait: 50 * time.Millisecond}

	t.Run("hostapd does not have the session", func(t *testing.T) {
		e := newEnding(t, quick, time.Second, rejectingNAS(false, hostapdRejects...))
		e.checkStops(endingOne + " 6")
		e.checkLog(`outcome="NAK 503 (Session-Context-Not-Found)"`, "user=alice nas=hostapd@127.0.0.2")
	})
	t.Run("NAS that finds sessions by address", func(t *testing.T) {
		e := newEnding(t, termination.Config{}, time.Second, requiringNAS(radius.FramedIPAddress, 503))
		e.checkLog("disconnect: NAS sent an ACK")
		radiustest.WaitFor(t, func() bool { s := e.table.View().Get(1); return s != nil && !s.Acked().IsZero() }) // the log may be ahead of the view
		e.report(2, sessions.Stop)
		e.checkStops(endingOne + " 6")
	})
	t.Run("no stop after the ACK", func(t *testing.T) {
		newEnding(t, quick, time.Second, radiustest.ACK).checkStops(endingOne + " 6")
	})
	t.Run("strongSwan refuses and gives no reason", func(t *testing.T) {
		e := newEnding(t, quick, time.Second, radiustest.NAK(0))
		for range 5 {
			e.dae.Next()
		}
		if e.table.View().Len() != 1 {
			t.Error("the session was closed")
		}
	})
	t.Run("the stop overtakes the ACK", func(t *testing.T) {
		e := newEnding(t, termination.Config{}, 10*time.Second, radiustest.Silence)
		asked := e.dae.Next()
		answered := make(chan error, 1)
		go func() {
			answered <- account(t.Context(), "127.0.0.2", "127.0.0.1", e.to, 2,
				num(radius.AcctStatusType, 2), attr(radius.AcctSessionID, endingID), attr(radius.NASIdentifier, "hostapd"))
		}()
		time.Sleep(20 * time.Millisecond)
		e.dae.Send(asked.From, radiustest.ACK(asked))
		e.checkStops(endingOne + " 6")
		if err := <-answered; err != nil {
			t.Error(err)
		}
	})
	t.Run("the user quits during the attempt: nothing more is sent", func(t *testing.T) {
		e := newEnding(t, termination.Config{}, 300*time.Millisecond, radiustest.Silence)
		e.dae.Next()
		e.report(2, sessions.Stop, num(radius.AcctTerminateCause, 1))
		sent := e.dae.Waiting()
		e.checkStops(endingOne + " 0")
		e.checkLog("disconnect: session ended during the attempt")
		time.Sleep(time.Second) // three retransmission timeouts
		if n := e.dae.Waiting() - sent; n != 0 || strings.Contains(e.log.String(), "next=") {
			t.Errorf("%d requests after the stop\n%s", n, e.log)
		}
	})
}
