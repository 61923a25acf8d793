package onoff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"

	"github.com/google/go-cmp/cmp"
)

// The On is repeated one minute after each round without an answer, until a server answers.
func TestRepeatsOn(t *testing.T) {
	a := newAnnouncer(no, no, yes)
	inBubble(t, a.Announce, func(o *bubble) {
		if s := o.Status(); s.State != Unknown || s.Block != (Block{Blocked: true}) || !s.Changed.Equal(o.from) {
			t.Errorf("at first: %+v", s)
		}
		o.after(time.Hour)
		o.want("sent unasked", a.all())
		a.from, o.from = time.Now(), time.Now()
		o.On(TriggerStartUp)
		o.after(time.Hour)
		o.want("sent", a.all(), "0s Accounting-On S1", "1m20s Accounting-On S1", "2m40s Accounting-On S1")
		o.want("changes", o.statuses,
			"0s sendAcctOn Blocked", "20s sendAcctOn Blocked NoResponse", "2m41s on Not Blocked server-1")
		for _, r := range a.recs {
			if !r.At.Equal(o.from) || r.Attrs != a.recs[0].Attrs {
				t.Errorf("a round has another record: %+v", r)
			}
		}
		want := Status{State: On, SessionID: "S1", Changed: o.from.Add(161 * time.Second), Trigger: TriggerStartUp, Server: "server-1"}
		if diff := cmp.Diff(want, o.Status()); diff != "" {
			t.Errorf("status: want (-) and got (+):\n%s", diff)
		}
		o.On(TriggerConfigChange) // answered already
		o.after(time.Hour)
		if n := len(a.all()); n != 3 || o.Status().Trigger != TriggerStartUp {
			t.Errorf("%d sent, %+v", n, o.Status())
		}
		for _, line := range []string{"no server answers the Accounting-On", "every=1m0s", "group=g", "Accounting-On/Off answered", "server=server-1"} {
			if n := strings.Count(o.log.String(), line); n == 0 || strings.HasPrefix(line, "no server") && n != 1 {
				t.Errorf("%q is %d times in the log:\n%s", line, n, o.log.String())
			}
		}
	})
}

// A group that is not configured to block is not blocked, but NoResponse is still reported.
func TestNotBlocking(t *testing.T) {
	inBubble(t, newAnnouncer(no).Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(time.Minute)
		o.want("changes", o.statuses, "0s sendAcctOn Not Blocked", "20s sendAcctOn Not Blocked NoResponse")
		if s := o.Status(); s.AcctOnOffGroup != "group-1" {
			t.Errorf("controls %q", s.AcctOnOffGroup)
		}
	}, func(c *Config) { c.Blocks, c.AcctOnOffGroup = false, "group-1" })
}

// The wait between rounds can be configured. A new request ends it.
func TestAskAgain(t *testing.T) {
	a := newAnnouncer(no)
	inBubble(t, a.Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(5 * time.Second)
		o.On(TriggerStartUp) // in flight
		o.after(20 * time.Second)
		o.perform(true, false, 0, nil) // otherwise at 30 s
		o.after(29 * time.Second)
		o.want("sent", a.all(), "0s Accounting-On S1", "25s Accounting-On S1")
		o.after(time.Second)
		o.want("sent", a.all(), "0s Accounting-On S1", "25s Accounting-On S1", "55s Accounting-On S1")
	}, func(c *Config) { c.Retry = 10 * time.Second })
}

// A Sender that goes on sends nothing and blocks nothing. Its later Off has the id of its status.
func TestContinue(t *testing.T) {
	a := newAnnouncer(yes)
	inBubble(t, a.Announce, func(o *bubble) {
		o.Continue()
		o.after(time.Hour)
		o.want("sent", a.all())
		want := Status{State: On, SessionID: "S1", Changed: o.from, Trigger: TriggerRedundancy}
		if diff := cmp.Diff(want, o.Status()); diff != "" {
			t.Errorf("status: want (-) and got (+):\n%s", diff)
		}
		if !strings.Contains(o.log.String(), "Accounting-On not sent: sessions go on over the restart") {
			t.Errorf("log:\n%s", o.log.String())
		}
		o.perform(true, false, 0, ErrAcknowledged)
		if err := o.Off(o.Context(), TriggerConfigChange, 0); err != nil {
			t.Error(err)
		}
		o.want("sent", a.all(), "1h0m0s Accounting-Off S1")
		o.Continue() // something was requested
		if s := o.Status(); s.State != Off {
			t.Errorf("%+v", s)
		}
	})
}

// A Sender that goes on as another one sends nothing, and its log does not repeat an answer. An On
// that was not answered must be requested again.
func TestTakeOver(t *testing.T) {
	for _, tt := range []struct{ from, want State }{
		{Unknown, Unknown}, {SendAcctOn, Unknown}, {On, On}, {SendAcctOff, OffNoResp}, {Off, Off}, {OffNoResp, OffNoResp},
	} {
		t.Run(tt.from.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAnnouncer(yes)
				o := &bubble{T: t, from: time.Now()}
				var err error
				if o.Sender, err = New(Config{Attributes: identity(), Blocks: true, Changed: o.changed, Logger: slog.New(slog.NewTextHandler(&o.log, nil))}, a.Announce); err != nil {
					t.Fatal(err)
				}
				o.TakeOver(Status{State: tt.from, SessionID: "S7", Server: "s", Trigger: TriggerPerform})
				o.run()
				o.after(time.Hour)
				o.end()
				s := o.Status()
				if len(a.recs) > 0 || s.State != tt.want || s.Blocked != (tt.want != On) || (s.SessionID == "S7") != (tt.want != Unknown) || (s.Server == "s") != (tt.want != Unknown) {
					t.Errorf("%d sent, %+v", len(a.recs), s)
				}
				if o.log.String() != "" {
					t.Errorf("log:\n%s", o.log.String())
				}
			})
		})
	}
}

// An Off is sent in one round only. It has the id of the On.
func TestOffOnce(t *testing.T) {
	a := newAnnouncer(yes, no)
	inBubble(t, a.Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(time.Minute)
		err := o.Off(o.Context(), TriggerShutDown, 0)
		if took := time.Since(o.from); !errors.Is(err, accounting.ErrNoResponse) || took != time.Minute+round {
			t.Errorf("%v after %v", err, took)
		}
		o.after(time.Hour)
		o.want("sent", a.all(), "0s Accounting-On S1", "1m0s Accounting-Off S1")
		o.want("changes", o.statuses, "0s sendAcctOn Blocked", "1s on Not Blocked server-1",
			"1m0s sendAcctOff Blocked", "1m20s OffNoResp Blocked")
		if s := o.Status(); s.Server != "" || s.Trigger != TriggerShutDown {
			t.Errorf("%+v", s)
		}
		if !strings.Contains(o.log.String(), "no server answered the Accounting-Off") {
			t.Errorf("log:\n%s", o.log.String())
		}
		a.script = []answer{yes}
		if err := o.Off(o.Context(), TriggerConfigChange, 0); err != nil { // requested again
			t.Error(err)
		}
		if err := o.Off(o.Context(), TriggerShutDown, 0); err != nil { // answered already
			t.Error(err)
		}
		if n := len(a.all()); n != 3 || o.Status().State != Off || o.Status().Trigger != TriggerConfigChange {
			t.Errorf("%d sent, %+v", n, o.Status())
		}
	})
}

// An Off ends the rounds of the On before it. A late answer to the On does not count for the Off.
func TestOffEndsOn(t *testing.T) {
	a := newAnnouncer()
	inBubble(t, a.Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(time.Second)
		o.perform(false, false, 1<<32-1, nil)
		o.after(time.Second)
		a.dones[0]("server-1", nil)
		o.after(0)
		if s := o.Status(); s.State != SendAcctOff || s.Server != "" {
			t.Errorf("after the late answer: %+v", s)
		}
		a.dones[1]("server-2", nil)
		a.dones[1]("server-3", accounting.ErrNoResponse) // a second result is ignored
		o.after(time.Hour)
		o.want("sent", a.all(), "0s Accounting-On S1", "1s Accounting-Off S1")
		o.want("changes", o.statuses, "0s sendAcctOn Blocked", "1s sendAcctOff Blocked", "2s off Blocked server-2")
		if cause, _ := a.recs[1].Attrs.Uint32(radius.AcctTerminateCause); cause != 1<<32-1 {
			t.Errorf("Acct-Terminate-Cause %d", cause)
		}
	})
}

// A record that was acknowledged is sent again only by force. A forced On begins a new sequence.
func TestForce(t *testing.T) {
	a := newAnnouncer(yes)
	inBubble(t, a.Announce, func(o *bubble) {
		for _, p := range []struct {
			on, force bool
			want      error
		}{
			{on: true},
			{on: true, want: ErrAcknowledged},
			{on: true, force: true},
			{},
			{want: ErrAcknowledged},
			{force: true},
			{on: true},
		} {
			o.perform(p.on, p.force, 0, p.want)
			o.after(9 * time.Second)
			o.after(time.Second)
		}
		o.want("sent", a.all(), "0s Accounting-On S1", "20s Accounting-On S3",
			"30s Accounting-Off S3", "50s Accounting-Off S3", "1m0s Accounting-On S7")
		o.want("changes", o.statuses, "0s sendAcctOn Blocked", "1s on Not Blocked server-1",
			"20s sendAcctOn Blocked", "21s on Not Blocked server-1",
			"30s sendAcctOff Blocked", "31s off Blocked server-1", "50s sendAcctOff Blocked", "51s off Blocked server-1",
			"1m0s sendAcctOn Blocked", "1m1s on Not Blocked server-1")
	})
}

// A forced On while an On is being sent: results of the earlier one do not count, but it is waited
// for.
func TestForceDuringOn(t *testing.T) {
	a := newAnnouncer()
	inBubble(t, a.Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(time.Second)
		o.perform(true, true, 0, nil)
		o.after(time.Second)
		o.want("sent before", a.all(), "0s Accounting-On S1")
		a.dones[0]("server-1", nil)
		o.after(0)
		o.want("sent", a.all(), "0s Accounting-On S1", "2s Accounting-On S2")
		if s := o.Status(); s.State != SendAcctOn || s.SessionID != "S2" || !s.Blocked || s.Trigger != TriggerPerform {
			t.Errorf("%+v", s)
		}
		a.dones[1]("server-1", nil)
		o.after(0)
		if s := o.Status(); s.State != On || s.SessionID != "S2" {
			t.Errorf("%+v", s)
		}
	})
}

// The log tells of the sending of an On or Off once, and not of an On that an Off has overtaken.
func TestLogsWhatIsSent(t *testing.T) {
	a := newAnnouncer(yes, no, no, no)
	inBubble(t, a.Announce, func(o *bubble) {
		o.perform(true, true, 0, nil)
		o.after(0)
		o.perform(true, true, 0, nil) // waits for the first
		o.after(500 * time.Millisecond)
		o.perform(false, true, 0, nil)
		o.after(time.Minute)
		o.want("sent", a.all(), "0s Accounting-On S1", "500ms Accounting-Off S2")
		for session, want := range map[string]int{"state=sendAcctOn trigger=perform session=S1": 1, "session=S2": 2, "session=S3": 0} {
			if n := strings.Count(o.log.String(), session); n != want {
				t.Errorf("%q is %d times in the log, want %d:\n%s", session, n, want, o.log.String())
			}
		}
		o.perform(true, false, 0, nil)
		o.after(10 * time.Minute)
		if n := strings.Count(o.log.String(), `msg="sending Accounting-On/Off" group=g state=sendAcctOn`); n != 2 {
			t.Errorf("%d Ons in the log:\n%s", n, o.log.String())
		}
	})
}

// A group that is stopped says nothing about its servers. Its record is sent again, by the next
// group or after a minute.
func TestStopped(t *testing.T) {
	a := newAnnouncer(stopped, stopped, yes, stopped, no)
	inBubble(t, a.Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(10 * time.Minute)
		if err := o.Off(o.Context(), TriggerShutDown, 0); !errors.Is(err, accounting.ErrNoResponse) {
			t.Error(err)
		}
		o.after(time.Hour)
		o.want("sent", a.all(), "0s Accounting-On S1", "1m0s Accounting-On S1", "2m0s Accounting-On S1",
			"10m0s Accounting-Off S1", "11m0s Accounting-Off S1")
		o.want("changes", o.statuses, "0s sendAcctOn Blocked", "2m1s on Not Blocked server-1",
			"10m0s sendAcctOff Blocked", "11m20s OffNoResp Blocked")
	})
}

// An On that cannot be sent is tried again, and does not count as unanswered.
func TestFailed(t *testing.T) {
	bad := answer{err: errors.New("too large")}
	a := newAnnouncer(bad, yes, bad)
	inBubble(t, a.Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(10 * time.Minute)
		if err := o.Off(o.Context(), TriggerShutDown, 0); !errors.Is(err, accounting.ErrNoResponse) {
			t.Error(err)
		}
		o.after(time.Hour)
		o.want("sent", a.all(), "0s Accounting-On S1", "1m0s Accounting-On S1", "10m0s Accounting-Off S1")
		o.want("changes", o.statuses[:2], "0s sendAcctOn Blocked", "1m1s on Not Blocked server-1")
		if strings.Count(o.log.String(), "too large") != 2 {
			t.Errorf("log:\n%s", o.log.String())
		}
	})
}

// The results of Off.
func TestOffResults(t *testing.T) {
	begin := func(o *bubble, ctx context.Context) chan error {
		got := make(chan error, 1)
		go func() { got <- o.Off(ctx, TriggerShutDown, 0) }()
		synctest.Wait()
		return got
	}
	tests := []struct {
		name string
		end  func(o *bubble, a *fakeAnnouncer, cancel func())
		want error
	}{
		{"answered", func(_ *bubble, a *fakeAnnouncer, _ func()) { a.dones[0]("s", nil) }, nil},
		{"not answered", func(_ *bubble, a *fakeAnnouncer, _ func()) { a.dones[0]("", accounting.ErrNoResponse) }, accounting.ErrNoResponse},
		{"superseded", func(o *bubble, _ *fakeAnnouncer, _ func()) { o.On(TriggerConfigChange) }, ErrSuperseded},
		{"given up by who waits", func(_ *bubble, _ *fakeAnnouncer, cancel func()) { cancel() }, context.Canceled},
		{"the end of Run", func(o *bubble, _ *fakeAnnouncer, _ func()) { o.end() }, accounting.ErrStopped},
		{"answered after it was forced", func(o *bubble, a *fakeAnnouncer, _ func()) {
			o.perform(false, true, 0, nil)
			synctest.Wait()
			a.dones[1]("s", nil)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAnnouncer()
			inBubble(t, a.Announce, func(o *bubble) {
				ctx, cancel := context.WithCancel(o.Context())
				defer cancel()
				one, other := begin(o, ctx), begin(o, ctx) // two callers wait for the same Off
				o.want("sent", a.all(), "0s Accounting-Off S1")
				tt.end(o, a, cancel)
				for _, c := range []chan error{one, other} {
					if err := <-c; !errors.Is(err, tt.want) {
						t.Errorf("%v, want %v", err, tt.want)
					}
				}
			})
		})
	}
}

// After the end of Run nothing is sent and nothing changes. Requests return an error.
func TestAfterRun(t *testing.T) {
	a := newAnnouncer()
	inBubble(t, a.Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(0)
		o.end()
		a.dones[0]("server-1", nil)
		o.perform(true, true, 0, accounting.ErrStopped)
		if err := o.Off(o.Context(), TriggerShutDown, 0); !errors.Is(err, accounting.ErrStopped) {
			t.Error(err)
		}
		o.after(time.Hour)
		o.want("sent", a.all(), "0s Accounting-On S1")
		o.want("changes", o.statuses, "0s sendAcctOn Blocked")
	})
}

// A request before Run is not lost. One that was superseded by then is not sent.
func TestBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnnouncer(yes)
		o := &bubble{T: t, from: time.Now()}
		var err error
		if o.Sender, err = New(Config{Attributes: identity(), Changed: o.changed}, a.Announce); err != nil {
			t.Fatal(err)
		}
		o.On(TriggerStartUp)
		o.perform(true, true, 0, nil)
		o.after(time.Minute)
		o.run()
		o.after(time.Minute)
		o.end()
		if s := o.Status(); len(a.recs) != 1 || s.State != On || s.Trigger != TriggerPerform || a.recs[0].Attrs.Text(radius.AcctSessionID) != s.SessionID {
			t.Errorf("%d sent, %+v", len(a.recs), s)
		}
		if o.String() != "acct-on-off " {
			t.Errorf("called %q", o.String())
		}
	})
}

// Changed is called before the record of its status is sent, and may call any function.
func TestChanged(t *testing.T) {
	var order []string
	var o *bubble
	a := Announce(func(rec *accounting.Record, done func(string, error)) {
		order = append(order, fmt.Sprintf("sent %d", rec.Type))
		done("s", nil)
	})
	inBubble(t, a, func(own *bubble) {
		o = own
		o.On(TriggerStartUp)
		o.after(0)
		o.perform(true, true, 0, nil)
		o.after(0)
		o.want("order", order, "sendAcctOn", "sent 7", "on", "sendAcctOn", "sent 7", "on",
			"sendAcctOff", "sent 8", "off")
	}, func(c *Config) {
		c.Changed = func(s Status) {
			order = append(order, s.State.String())
			if s.State == On && o.Status().SessionID == "S2" {
				o.perform(false, false, 0, nil)
			}
		}
	})
}

// If Changed is too slow for all statuses, it gets the newest ones.
func TestChangedOverflow(t *testing.T) {
	var changes []Status
	var proceed chan struct{}
	inBubble(t, newAnnouncer().Announce, func(o *bubble) {
		o.On(TriggerStartUp)
		o.after(0)
		for range 2 * maxPendingChanges {
			o.perform(true, true, 0, nil)
		}
		close(proceed)
		o.after(0)
		if n := len(changes); n != 1+maxPendingChanges || changes[0].SessionID != "S1" || changes[n-1] != o.Status() || changes[1].SessionID != fmt.Sprintf("S%d", 2+maxPendingChanges) {
			t.Errorf("%d changes, %+v ... %+v", n, changes[0], changes[n-1])
		}
	}, func(c *Config) {
		proceed = make(chan struct{}) // in the bubble
		c.Changed = func(s Status) { <-proceed; changes = append(changes, s) }
	})
}

// Nothing is sent before Changed was called. The last status is reported even if Run ends at once.
func TestChangedBeforeSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sent := 0
		a := Announce(func(_ *accounting.Record, done func(string, error)) {
			sent++
			done("s", nil)
			cancel()
		})
		var changes []string
		o, err := New(Config{Attributes: identity(), Changed: func(s Status) { changes = append(changes, s.State.String()) }}, a)
		if err != nil {
			t.Fatal(err)
		}
		o.On(TriggerStartUp)
		if o.send(); sent != 0 {
			t.Error("sent before Changed was called")
		}
		if err := o.Run(ctx); err != nil || sent != 1 {
			t.Errorf("%d sent, %v", sent, err)
		}
		if diff := cmp.Diff([]string{"sendAcctOn", "on"}, changes); diff != "" {
			t.Errorf("changes: want (-) and got (+):\n%s", diff)
		}
	})
}
