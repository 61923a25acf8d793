package control_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// TestDisconnect sends requests to a daemon with five sessions. The fifth is already being ended.
func TestDisconnect(t *testing.T) {
	tests := []struct {
		name string
		req  api.DisconnectRequest
		want []string
		err  string // what the daemon says
	}{
		{"one id", api.DisconnectRequest{IDs: []string{"00000002"}}, []string{"2 terminating*"}, ""},
		{"ids, one twice", api.DisconnectRequest{IDs: []string{"0x3", "00000001", "00000003"}}, []string{"3 terminating*", "1 terminating*"}, ""},
		{"one that is being ended", api.DisconnectRequest{IDs: []string{"00000005", "00000001"}}, []string{"5 terminating", "1 terminating*"}, ""},
		{"an id that is not live: nothing happens", api.DisconnectRequest{IDs: []string{"00000001", "00000063"}}, nil, "session 00000063 is not live; no session was disconnected"},
		{"filter", api.DisconnectRequest{Filter: map[string]string{"user": "alice"}}, []string{"1 terminating*", "2 terminating*"}, ""},
		{"filters", api.DisconnectRequest{Filter: map[string]string{"user": "alice", "acct-session-id": "two"}}, []string{"2 terminating*"}, ""},
		{"filter without a match", api.DisconnectRequest{Filter: map[string]string{"user": "zoe"}}, nil, ""},
		{"all", api.DisconnectRequest{All: true}, []string{"1 terminating*", "2 terminating*", "3 terminating*", "4 terminating*", "5 terminating"}, ""},
		{"as many as were confirmed", api.DisconnectRequest{Filter: map[string]string{"user": "alice"}, Most: 2}, []string{"1 terminating*", "2 terminating*"}, ""},
		{"more than were confirmed", api.DisconnectRequest{Filter: map[string]string{"user": "alice"}, Most: 1}, nil, "2 sessions match now, more than 1; no session was disconnected"},
		{"most below 0", api.DisconnectRequest{Filter: map[string]string{"user": "alice"}, Most: -1}, nil, "most: want a number above 0, with a filter"},
		{"most of all", api.DisconnectRequest{All: true, Most: 5}, nil, "most: want a number above 0, with a filter"},
		{"nothing said", api.DisconnectRequest{}, nil, "want exactly one of ids, filter and all"},
		{"empty filter", api.DisconnectRequest{Filter: map[string]string{}}, nil, "want exactly one of ids, filter and all"},
		{"two things said", api.DisconnectRequest{All: true, IDs: []string{"00000001"}}, nil, "want exactly one of ids, filter and all"},
		{"unknown filter", api.DisconnectRequest{Filter: map[string]string{"usr": "alice"}}, nil, `unknown parameter "usr"`},
		{"filter without a value", api.DisconnectRequest{Filter: map[string]string{"user": ""}}, nil, `"user" is empty`},
		{"sort is no filter", api.DisconnectRequest{Filter: map[string]string{"sort": "id"}}, nil, `unknown parameter "sort"`},
		{"no id", api.DisconnectRequest{IDs: []string{"1"}}, nil, `"1" is not a session ID`},
		{"wait below 0", api.DisconnectRequest{All: true, Wait: -1}, nil, "wait: want 0 to 3600 seconds"},
		{"wait too long", api.DisconnectRequest{All: true, Wait: 3601}, nil, "wait: want 0 to 3600 seconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, client := start(t, nil)
			for i, user := range []string{"alice", "alice", "bob", "carol", "dave"} {
				begin(t, d, user, time.Now(), func(ev *sessions.Event) {
					ev.AcctSessionID = []string{"one", "two", "three", "four", "five"}[i]
				})
			}
			disconnect(t, client, api.DisconnectRequest{IDs: []string{"00000005"}})
			if tt.err != "" {
				_, err := client.Disconnect(t.Context(), tt.req)
				if refused, ok := errors.AsType[*apiclient.ResponseError](err); !ok || !strings.Contains(refused.Text, tt.err) || refused.Code/100 != 4 {
					t.Errorf("error %v, want %q", err, tt.err)
				}
			} else if diff := cmp.Diff(tt.want, disconnect(t, client, tt.req)); diff != "" {
				t.Error(diff)
			}
			marked := 1 + strings.Count(strings.Join(tt.want, " "), "*")
			if v := d.Table.View(); v.Disconnected != uint64(marked) {
				t.Errorf("%d sessions are marked, want %d", v.Disconnected, marked)
			}
		})
	}
}

// TestDisconnectUnable: sessions that nothing can end are refused by id. A filter leaves them out, and
// says so.
func TestDisconnectUnable(t *testing.T) {
	d, client := start(t, nil)
	d.NAS.Unable("alice", fmt.Errorf("client %q has disconnect.profile none: %w", "vpn", termination.ErrNoMeans))
	for _, user := range []string{"bob", "carol"} {
		d.NAS.Will(user, ack)
	}
	for i, user := range []string{"alice", "bob", "alice", "carol"} {
		begin(t, d, user, time.Now(), func(ev *sessions.Event) { ev.AcctSessionID = fmt.Sprint(i) })
	}
	const why = `session 00000001 cannot be ended: client "vpn" has disconnect.profile none: nothing can end the session`
	for _, req := range []api.DisconnectRequest{
		{IDs: []string{"00000002", "00000001"}},
		{Filter: map[string]string{"user": "alice"}},
	} {
		_, err := client.Disconnect(t.Context(), req)
		if refused, ok := errors.AsType[*apiclient.ResponseError](err); !ok || refused.Code != 409 || refused.Text != why+"; no session was disconnected" {
			t.Errorf("%+v: error %v", req, err)
		}
		if v := d.Table.View(); v.Disconnected != 0 {
			t.Errorf("%+v: %d sessions are marked", req, v.Disconnected)
		}
	}
	for id, want := range map[uint32]string{1: strings.TrimPrefix(why, "session 00000001 cannot be ended: "), 2: ""} {
		if detail, err := client.Session(t.Context(), api.ID(id)); err != nil || detail.UnableReason != want {
			t.Errorf("session %d: %+v, %v", id, detail, err)
		}
	}
	list, err := client.Disconnect(t.Context(), api.DisconnectRequest{All: true, Wait: 1})
	ended := collect(t, list, err)
	if list.Unable != 2 || list.UnableReason != why || list.Matched != 2 || list.Marked != 2 || len(ended) != 2 {
		t.Errorf("%+v", list)
	}
	if v := d.Table.View(); v.Disconnected != 2 || v.Get(1).State != sessions.Active {
		t.Errorf("%d sessions are marked", v.Disconnected)
	}
}

// TestWait: a request that waits reports each kind of answer of a NAS.
func TestWait(t *testing.T) {
	tests := []struct {
		name    string
		answers []controltest.Answer
		wait    api.Seconds
		want    string
	}{
		{"ACK, its stop comes first", []controltest.Answer{ack}, 5, "1 ended* ACK/1"},
		{"NAK 503", []controltest.Answer{nak503}, 5, "1 ended* NAK 503 (Session-Context-Not-Found)/1"},
		{"silence, then ACK", []controltest.Answer{silence, silence, ack}, 5, "1 ended* ACK/+"},
		{"ACK and no stop yet", []controltest.Answer{lateAck}, 0.5, "1 terminating* ACK/1"},
		{"NAK 406 for ever", []controltest.Answer{nak406}, 0.5, "1 terminating* NAK 406 (Unsupported-Extension)/+"},
		{"silence", []controltest.Answer{silence}, 0.5, "1 terminating* no answer/+"},
		{"closed port", []controltest.Answer{{Outcome: termination.Outcome{Err: termination.ErrPortUnreachable}}}, 0.5, "1 terminating* port unreachable/+"},
		{"cannot be sent", []controltest.Answer{{Outcome: termination.Outcome{Err: errors.New("no secret")}}}, 0.5, "1 terminating* not sent: no secret/+"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, client := start(t, nil)
			begin(t, d, "alice", time.Now())
			d.NAS.Will("alice", tt.answers...)
			got := disconnect(t, client, api.DisconnectRequest{IDs: []string{"00000001"}, Wait: tt.wait})
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWaitStreams: a session is in the answer as soon as it has ended, while another one is still
// live.
func TestWaitStreams(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "stays", time.Now())
	begin(t, d, "goes", time.Now())
	d.NAS.Will("goes", ack)
	list, err := client.Disconnect(t.Context(), api.DisconnectRequest{All: true, Wait: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	if list.Matched != 2 || list.Marked != 2 {
		t.Errorf("matched %d, marked %d", list.Matched, list.Marked)
	}
	var order []string
	for s, err := range list.All() {
		if err != nil {
			t.Fatal(err)
		}
		if order = append(order, s.User+" "+s.State); len(order) == 1 {
			d.NAS.Will("stays", ack)
		}
	}
	if diff := cmp.Diff([]string{"goes ended", "stays ended"}, order); diff != "" {
		t.Error(diff)
	}
}

// TestDisconnectMany: a request for more sessions than one commit marks ends each of them once.
func TestDisconnectMany(t *testing.T) {
	d, client := start(t, nil)
	const n = 2500
	for i := range n {
		begin(t, d, fmt.Sprint("user-", i), time.Now())
	}
	got := disconnect(t, client, api.DisconnectRequest{Filter: map[string]string{"nas": "nas-1"}})
	if v := d.Table.View(); len(got) != n || v.Disconnected != n || numbers(t, client, api.Query{Filter: api.Filter{State: "active"}}) != "of 0" {
		t.Errorf("%d sessions in the answer, %d marked", len(got), v.Disconnected)
	}
	if slices.Sort(got); len(slices.Compact(got)) != n {
		t.Error("a session is in the answer twice")
	}
}

// TestWaitForMany: a request that waits for many sessions reports the end and the outcome of each.
func TestWaitForMany(t *testing.T) {
	d, client := start(t, nil)
	const n = 20_000
	for i := range n {
		begin(t, d, "alice", time.Now(), func(ev *sessions.Event) { ev.AcctSessionID = fmt.Sprint(i) })
	}
	d.NAS.Will("alice", ack)
	got := disconnect(t, client, api.DisconnectRequest{All: true, Wait: 60})
	if len(got) != n || d.Table.View().Len() != 0 {
		t.Errorf("%d sessions in the answer, %d left", len(got), d.Table.View().Len())
	}
	for _, line := range got {
		if !strings.HasSuffix(line, " ended* ACK/1") {
			t.Fatal(line)
		}
	}
}

// TestDisconnectOnlyWhenDurable: the daemon neither answers nor asks the NAS before the marks are
// durable.
func TestDisconnectOnlyWhenDurable(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "alice", time.Now())
	d.NAS.Will("alice", ack)
	d.Journal.Hold(true)
	d.ClearCommits()
	answered := make(chan []string)
	go func() {
		answered <- disconnect(t, client, api.DisconnectRequest{IDs: []string{"00000001"}, Wait: 5})
	}()
	<-d.Commits
	select {
	case got := <-answered:
		t.Fatalf("answered %q before anything is durable", got)
	case <-time.After(50 * time.Millisecond):
	}
	if _, underWay := d.Terminator.Status(1); underWay {
		t.Error("the NAS is asked already")
	}
	d.Journal.Hold(false)
	if diff := cmp.Diff([]string{"1 ended* ACK/1"}, <-answered); diff != "" {
		t.Error(diff)
	}
}

// TestDisconnectWhenNothingIsDurable: a failed commit undoes the marks.
func TestDisconnectWhenNothingIsDurable(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*controltest.Daemon, error)
	}{
		{"refused", func(d *controltest.Daemon, err error) { d.Journal.Refuse(err) }},
		{"lost", func(d *controltest.Daemon, err error) { d.Journal.Fail(err) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, client := start(t, nil)
			begin(t, d, "alice", time.Now())
			for _, req := range []api.DisconnectRequest{{IDs: []string{"00000001"}}, {All: true}} {
				tt.set(d, errors.New("disk is full"))
				_, err := client.Disconnect(t.Context(), req)
				if refused, ok := errors.AsType[*apiclient.ResponseError](err); !ok || refused.Code != 503 || !strings.Contains(refused.Text, "disk is full") {
					t.Errorf("error %v", err)
				}
				tt.set(d, nil)
				begin(t, d, "bob", time.Now()) // its commit follows that of the undo
				if v := d.Table.View(); v.Get(1).State != sessions.Active || v.Disconnected != 0 {
					t.Errorf("session is %s, %d disconnected", v.Get(1).State, v.Disconnected)
				}
			}
		})
	}
}

// TestDisconnectUndoneWhenNothingIsAccepted: a failed commit undoes the marks even while the
// journal rejects changes.
func TestDisconnectUndoneWhenNothingIsAccepted(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "alice", time.Now())
	d.Journal.Hold(true)
	d.ClearCommits()
	answered := make(chan error)
	go func() {
		_, err := client.Disconnect(t.Context(), api.DisconnectRequest{All: true})
		answered <- err
	}()
	<-d.Commits
	full := errors.New("disk is full")
	d.Journal.Refuse(full)
	d.Journal.Fail(full)
	d.Journal.Hold(false)
	if refused, ok := errors.AsType[*apiclient.ResponseError](<-answered); !ok || refused.Code != 503 {
		t.Errorf("error %v", refused)
	}
	d.Journal.Refuse(nil)
	d.Journal.Fail(nil)
	begin(t, d, "bob", time.Now()) // its commit follows that of the undo
	if v := d.Table.View(); v.Get(1).State != sessions.Active || v.Disconnected != 0 {
		t.Errorf("session is %s, %d disconnected", v.Get(1).State, v.Disconnected)
	}
}

// TestDisconnectOfMarked: a request starts the terminator also for a session that was already
// marked.
func TestDisconnectOfMarked(t *testing.T) {
	for _, req := range []api.DisconnectRequest{{IDs: []string{"00000002"}, Wait: 5}, {All: true, Wait: 5}} {
		d, client := start(t, nil)
		begin(t, d, "bob", time.Now())
		d.NAS.Will("bob", ack)
		disconnect(t, client, api.DisconnectRequest{All: true, Wait: 5}) // now the terminator runs, and no longer finds marked sessions by itself
		begin(t, d, "alice", time.Now())
		d.NAS.Will("alice", ack)
		if _, err := d.Table.Disconnect([]sessions.ID{2}, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"2 ended ACK/1"}, disconnect(t, client, req)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestDaemonEndsDuringDisconnect: a request that waits does not delay the end of the daemon.
func TestDaemonEndsDuringDisconnect(t *testing.T) {
	for _, held := range []bool{false, true} {
		t.Run(fmt.Sprint("journal held ", held), func(t *testing.T) {
			d, err := controltest.Start(folder(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			client := apiclient.New(d.Socket, 5*time.Second)
			begin(t, d, "alice", time.Now())
			d.Journal.Hold(held)
			d.ClearCommits()
			result := make(chan string)
			go func() {
				list, err := client.Disconnect(t.Context(), api.DisconnectRequest{All: true, Wait: 3600})
				if err != nil {
					result <- err.Error()
					return
				}
				result <- "begun"
				for s, err := range list.All() {
					result <- fmt.Sprint(s.State, " ", err)
				}
				list.Close()
			}()
			want := []string{"the daemon is ending"}
			if held {
				<-d.Commits
			} else {
				want = []string{"begun", "terminating <nil>"}
				if got := <-result; got != want[0] {
					t.Fatal(got)
				}
				want = want[1:]
			}
			stopped := make(chan error)
			go func() { stopped <- d.Stop() }()
			for _, w := range want {
				if got := <-result; got != w {
					t.Errorf("got %q, want %q", got, w)
				}
			}
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	}
}
