package client_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

const wrongKey tacacs.Key = "another"

// TestFaultsFailOver: whatever a server does wrong, the request goes to the next one, and the fault
// is counted and logged. No connection stays open.
func TestFaultsFailOver(t *testing.T) {
	type counts struct{ errors, follows, malformed, badAuthenticators, unknownTypes, dropped, sendErrors, timeouts uint64 }
	otherType := tacacs.AppendHeader(nil, tacacs.Header{Version: tacacs.Version, Type: 1, Seq: 2, Session: 1})
	otherSeq := tacacs.AppendHeader(nil, tacacs.Header{Version: tacacs.Version, Type: 3, Seq: 4, Session: 1})
	huge := tacacs.AppendHeader(nil, tacacs.Header{Version: tacacs.Version, Type: 3, Seq: 2, Session: 1, Length: 1 << 31})
	for _, tt := range []struct {
		name     string
		behavior tacacstest.Behavior
		at       float64 // when the next server has answered
		want     counts
		log      string
	}{
		{"ERROR", tacacstest.Behavior{Status: tacacs.StatusError, ServerMsg: "disk is full"}, 0.1, counts{errors: 1}, `answered ERROR" server="of 192.0.2.1" address=192.0.2.1:49 suppressed=0 err="disk is full"`},
		{"FOLLOW", tacacstest.Behavior{Status: tacacs.StatusFollow}, 0.1, counts{follows: 1}, "answered FOLLOW"},
		{"another status", tacacstest.Behavior{Status: 7}, 0.1, counts{malformed: 1}, "malformed answer: status 7"},
		{"silent", tacacstest.Behavior{Silent: true}, 1.1, counts{timeouts: 1}, "does not answer"},
		{"stalls", tacacstest.Behavior{Stall: true}, 1.1, counts{timeouts: 1}, "does not answer"},
		{"closes in mid-packet", tacacstest.Behavior{Cut: 14}, 0.1, counts{sendErrors: 1}, "unexpected EOF"},
		{"closes in the header", tacacstest.Behavior{Cut: 5}, 0.1, counts{sendErrors: 1}, "unexpected EOF"},
		{"garbage", tacacstest.Behavior{Garbage: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}, 0.1, counts{malformed: 1}, "the major version is not 12"},
		{"a long body", tacacstest.Behavior{Garbage: huge}, 0.1, counts{malformed: 1}, "more than 65536"},
		{"another type", tacacstest.Behavior{Garbage: otherType}, 0.1, counts{unknownTypes: 1}, "not an answer to an accounting request: type 1"},
		{"another seq_no", tacacstest.Behavior{Garbage: otherSeq}, 0.1, counts{malformed: 1}, "seq_no 4"},
		{"another session", tacacstest.Behavior{OtherSession: true}, 1.1, counts{dropped: 1, timeouts: 1}, "unknown session"},
		{"wrong key", tacacstest.Behavior{Key: wrongKey}, 0.1, counts{badAuthenticators: 1}, "check the key"},
		{"not obfuscated", tacacstest.Behavior{Unencrypted: true}, 0.1, counts{badAuthenticators: 1}, "not obfuscated"},
	} {
		for _, mode := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, single connection %v", tt.name, mode), func(t *testing.T) {
				withRig(t, func(r *rig) {
					s, want := r.host("192.0.2.1", tt.behavior), tt.want
					r.host("192.0.2.2", tacacstest.Behavior{})
					m := to("192.0.2.1")
					m.SingleConnection = mode
					g := r.group(tacclient.GroupConfig{}, m, to("192.0.2.2"))
					request := r.send(g, 1)
					r.sleep(tt.at)
					request.check("accepted by of 192.0.2.2")
					st := g.Stats().Servers[0]
					got := counts{st.Errors, st.Follows, st.MalformedResponses, st.BadAuthenticators, st.UnknownTypes, st.PacketsDropped, st.SendErrors, st.Timeouts}
					if tt.behavior.OtherSession && !mode { // the server closes after an answer
						want.sendErrors, want.timeouts = 1, 0
					}
					if got != want || st.Failures != 1 || st.PendingRequests != 0 {
						t.Errorf("%+v, want %+v; %+v", got, want, st)
					}
					if !strings.Contains(r.log.String(), tt.log) {
						t.Errorf("the log has no %q", tt.log)
					}
					if keeps := mode && got.errors+got.follows > 0; (st.Connections > 0) != keeps || !tt.behavior.Stall && (s.Open() > 0) != keeps {
						t.Errorf("%d connections, %d are open", st.Connections, s.Open())
					}
				})
			})
		}
	}
}

// TestRefusedConnection: the next server gets the request at once, and the dead one nothing for the
// hold-down. With one server the request ends at once.
func TestRefusedConnection(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		s.Stop()
		r.host("192.0.2.2", tacacstest.Behavior{})
		m := to("192.0.2.1")
		m.Schedule.Retransmit = 3
		both := r.group(tacclient.GroupConfig{}, m, to("192.0.2.2"))
		alone := r.group(tacclient.GroupConfig{}, m)
		all := r.sendAll(both, 20)
		r.sleep(0.1)
		checkAll(all, "accepted by of 192.0.2.2")
		if st := both.Stats().Servers[0]; st.State != servers.Dead || st.DeadCount != 1 || st.Requests != 0 || st.SendErrors < 1 {
			t.Errorf("%+v", st)
		}
		request := r.send(alone, 1)
		r.sleep(0.2)
		request.check(nobody)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		r.sleep(29)
		all = r.sendAll(both, 5)
		r.sleep(29.1)
		if n := len(s.Arrivals()); n != 0 {
			t.Errorf("%d requests came during the hold-down", n)
		}
		r.sleep(31)
		probe := r.send(both, 9)
		r.sleep(31.1)
		probe.check("accepted by of 192.0.2.1")
		if !strings.Contains(r.log.String(), "answers again") {
			t.Error("not logged")
		}
		checkAll(all, "accepted by of 192.0.2.2")
	})
}

// TestErrors: one request that gets ERROR again and again does not make its server dead; several
// different ones in a row do. A dead server is probed after the hold-down.
func TestErrors(t *testing.T) {
	for _, tries := range []int{0, 5} {
		withRig(t, func(r *rig) {
			s := r.host("192.0.2.1", tacacstest.Behavior{Status: tacacs.StatusError})
			g := r.group(tacclient.GroupConfig{DeadCriteria: servers.DeadCriteria{Tries: tries}}, single("192.0.2.1"))
			limit := max(3, tries)
			for i := range 20 {
				request := r.send(g, 1)
				r.sleep(float64(i))
				request.check(nobody)
			}
			if st := g.Stats().Servers[0]; st.State != servers.Up || st.Errors != 20 || st.Failures != 20 {
				t.Errorf("after one request: %+v", st)
			}
			for n := 2; n <= limit; n++ {
				request := r.send(g, n)
				r.sleep(20 + float64(n))
				request.check(nobody)
				if errors.Is(request.err, tacclient.ErrRefused) != (n < limit) {
					t.Errorf("request %d of %d: %v", n, limit, request.err)
				}
				if st := g.Stats().Servers[0]; (st.State == servers.Dead) != (n == limit) {
					t.Errorf("after %d requests: %+v", n, st)
				}
			}
			r.send(g, 3)
			r.sleep(60)
			if st := g.Stats().Servers[0]; st.State != servers.Dead || st.DeadCount != 1 {
				t.Errorf("one more ERROR: %+v", st)
			}
			s.Set(tacacstest.Behavior{})
			request := r.send(g, 3)
			r.sleep(61)
			request.check("accepted by of 192.0.2.1")
			s.Set(tacacstest.Behavior{Status: tacacs.StatusError})
			r.send(g, 4)
			r.sleep(62)
			if st := g.Stats().Servers[0]; st.State != servers.Up || s.Accepted() != 1 {
				t.Errorf("after SUCCESS and one ERROR: %+v, %d connections", st, s.Accepted())
			}
		})
	}
}

// TestRetransmit: a request that is not answered is sent again, Timeout apart, and the server may
// answer any of its transmissions.
func TestRetransmit(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{Silent: true})
		m := to("192.0.2.1")
		m.Schedule.Retransmit = 2
		g := r.group(tacclient.GroupConfig{}, m)
		first := r.send(g, 1)
		r.sleep(2.9)
		first.check("")
		if n := len(s.Arrivals()); n != 3 {
			t.Errorf("%d transmissions, want 3", n)
		}
		r.sleep(3.1)
		first.check(nobody)
		second := r.send(g, 2)
		r.sleep(3.5)
		s.Set(tacacstest.Behavior{})
		r.sleep(4.2)
		second.check("accepted by of 192.0.2.1")
		if st := g.Stats().Servers[0]; st.Requests != 2 || st.Retransmissions != 3 || st.Timeouts != 4 || st.Successes != 1 || st.Failures != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestBackOff: after the normal transmissions each further one needs a call of Send (R62); in
// between the group does not know the request. The same holds for connections that are refused.
func TestBackOff(t *testing.T) {
	for name, down := range map[string]func(*tacacstest.Server){
		"silent":  func(s *tacacstest.Server) { s.Set(tacacstest.Behavior{Silent: true}) },
		"refused": func(s *tacacstest.Server) { s.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				s := r.host("192.0.2.1", tacacstest.Behavior{})
				down(s)
				r.host("192.0.2.2", tacacstest.Behavior{})
				m := to("192.0.2.1")
				m.Schedule = retry.Schedule{Timeout: time.Second, Retransmit: 1, MaxDelay: 6 * time.Second, BackoffRetry: 4}
				g := r.group(tacclient.GroupConfig{}, m)
				request := newSent(t, 1)
				g.Send(request, start)
				var gaps []time.Duration
				last := time.Now()
				for range 4 {
					later := request.later()
					time.Sleep(later.After)
					gaps = append(gaps, time.Since(last))
					last = time.Now()
					g.Send(request, later.At)
				}
				if end := <-request.ends; end != nobody {
					t.Errorf("in the end: %s", end)
				}
				want := "[3s 4s 6s 6s]"
				if name == "refused" {
					want = "[2s 4s 6s 6s]"
				}
				if got := fmt.Sprint(gaps); got != want {
					t.Errorf("intervals %v, want %v", got, want)
				}
			})
		})
	}
}

// TestLateAnswer: an answer after the timeout counts, if the connection still lives: the server is
// up, and the group hears of it.
func TestLateAnswer(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		heard := 0
		g := r.group(tacclient.GroupConfig{Heard: func() { heard++ }}, single("192.0.2.1"))
		r.send(g, 1)
		r.sleep(1)
		s.Set(tacacstest.Behavior{Delay: 1500 * time.Millisecond})
		slow := r.send(g, 2)
		r.sleep(1.5)
		s.Set(tacacstest.Behavior{})
		fast := r.send(g, 3)
		r.sleep(2.1)
		slow.check(nobody)
		fast.check("accepted by of 192.0.2.1")
		r.sleep(3)
		if st := g.Stats().Servers[0]; heard != 1 || st.Successes != 2 || st.LateResponses != 1 || st.TimedResponses != 2 || st.PacketsDropped != 0 {
			t.Errorf("heard %d times; %+v", heard, st)
		}
	})
}

// TestLateAnswerSettles: the answer to an earlier transmission settles the request, wherever it is
// now.
func TestLateAnswerSettles(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		r.host("192.0.2.2", tacacstest.Behavior{Silent: true})
		g := r.group(tacclient.GroupConfig{}, single("192.0.2.1"), to("192.0.2.2"))
		r.send(g, 1)
		r.sleep(1)
		s.Set(tacacstest.Behavior{Delay: 1500 * time.Millisecond})
		slow := r.send(g, 2)
		r.sleep(1.5)
		s.Set(tacacstest.Behavior{})
		r.send(g, 3)
		r.sleep(2.2)
		slow.check("")
		r.sleep(2.7)
		slow.check("accepted by of 192.0.2.1")
		r.sleep(2.8)
		if st := g.Stats().Servers[0]; st.LateResponses != 1 || st.CasUnexpectedResponses() != 1 || st.Timeouts != 1 {
			t.Errorf("the server that was late: %+v", st)
		}
		if st := g.Stats().Servers[1]; st.PendingRequests != 0 || st.Connections != 0 {
			t.Errorf("the other server: %+v", st)
		}
	})
}

// TestDeadCriteria: with criteria, so many transmissions must fail in a row, and the server must have
// been silent for so long.
func TestDeadCriteria(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		g := r.group(tacclient.GroupConfig{DeadCriteria: servers.DeadCriteria{Tries: 3, Time: 10 * time.Second}}, to("192.0.2.1"))
		r.send(g, 0)
		r.sleep(1)
		s.Stop()
		for i, second := range []float64{2, 3, 4, 5, 12} {
			r.sleep(second)
			r.send(g, i)
			r.sleep(second + 0.1)
			if st := g.Stats().Servers[0]; (st.State == servers.Dead) != (second == 12) {
				t.Errorf("at %v s: %+v", second, st)
			}
		}
		r.send(g, 9)
		r.sleep(13)
		if st := g.Stats().Servers[0]; st.State != servers.Dead || st.DeadCount != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestProbeIsOne: while other servers are up, a dead server gets one request at a time after its
// hold-down.
func TestProbeIsOne(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		s.Stop()
		r.host("192.0.2.2", tacacstest.Behavior{})
		g := r.group(tacclient.GroupConfig{}, to("192.0.2.1"), to("192.0.2.2"))
		r.send(g, 0)
		r.sleep(31)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		s.Set(tacacstest.Behavior{Delay: 500 * time.Millisecond})
		all := r.sendAll(g, 20)
		r.sleep(31.1)
		checkAll(all[1:], "accepted by of 192.0.2.2")
		if n := len(s.Arrivals()); n != 1 {
			t.Errorf("%d requests probe the server", n)
		}
		r.sleep(32)
		all[0].check("accepted by of 192.0.2.1")
		next := r.send(g, 21)
		r.sleep(33)
		next.check("accepted by of 192.0.2.1")
	})
}
