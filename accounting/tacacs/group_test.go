package tacacs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/internal/logtest"
	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
	"aaasess/sessions"
	"aaasess/store"
)

const testKey tacacs.Key = "aaasess-test"

// bench is a group with servers in memory, in a bubble.
type bench struct {
	*testing.T
	net     tacacstest.Network
	spec    *Spec
	opened  *accounting.Opened
	log     logtest.Buffer
	heard   int
	end     context.CancelFunc
	running sync.WaitGroup
}

// inBubble runs a test with a group of these servers.
func inBubble(t *testing.T, hosts []string, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, net: tacacstest.Network{}}
		b.spec = &Spec{Group: "mgmt", Window: 100, HoldDown: 30 * time.Second}
		b.spec.Client = tacclient.New(tacclient.Config{Dial: b.net.Dial, Logger: slog.New(slog.NewTextHandler(&b.log, nil))})
		for _, host := range hosts {
			s := tacacstest.New(testKey)
			b.net[host+":49"] = s
			t.Cleanup(s.Stop)
			b.spec.Servers = append(b.spec.Servers, tacclient.Member{
				Identity: tacclient.Identity{Name: host, Host: host, Key: testKey}, Schedule: retry.Schedule{Timeout: time.Second}, SingleConnection: true,
			})
		}
		var err error
		if b.opened, err = b.spec.Open(func() { b.heard++ }, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		b.end = end
		b.running.Go(func() {
			if err := b.opened.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		<-b.opened.Ready
		test(b)
		b.end()
		b.running.Wait()
		for _, s := range b.net {
			for _, err := range s.Problems() {
				t.Error(err)
			}
		}
	})
}

func groupRecord(session sessions.ID, typ sessions.EventType) *accounting.Record {
	return &accounting.Record{Session: session, Type: typ, Kind: sessions.Network, At: time.Unix(1, 0), List: "network/default"}
}

// send sends a record and waits for the result.
func (b *bench) send(rec *accounting.Record) error {
	result := make(chan error, 1)
	b.opened.Method.Send(rec, retry.Progress{}, func(err error) { result <- err })
	return <-result
}

// TestSend: records reach the server as requests, and its statistics show them.
func TestSend(t *testing.T) {
	inBubble(t, []string{"192.0.2.1"}, func(b *bench) {
		for _, typ := range []sessions.EventType{sessions.Start, sessions.Interim, sessions.Stop} {
			if err := b.send(groupRecord(13, typ)); err != nil {
				b.Error(err)
			}
		}
		flags := []tacacs.AcctFlags{tacacs.AcctFlagStart, tacacs.AcctFlagWatchdog, tacacs.AcctFlagStop}
		for i, a := range b.net["192.0.2.1:49"].Arrivals() {
			if a.Request.Flags != flags[i] || a.Request.Args[0] != "task_id=13" {
				b.Errorf("request %d: %+v", i, a.Request)
			}
		}
		status, ok := StatusOf(b.spec, b.opened.Method)
		if s := status.Stats.Servers; !ok || status.Spec != b.spec || len(s) != 1 || s[0].Name != "192.0.2.1" || s[0].Successes != 3 || !s[0].SingleConnection {
			b.Errorf("%+v, %v", status, ok)
		}
		if _, ok := StatusOf(otherSpec{b.spec}, b.opened.Method); ok {
			b.Error("a method of another transport is a group")
		}
		if b.opened.Method.Window() != 100 {
			b.Errorf("window %d", b.opened.Method.Window())
		}
	})
}

// TestSendErrors: the results are those of an accounting.Method. ERROR and FOLLOW are no response (R42).
func TestSendErrors(t *testing.T) {
	inBubble(t, []string{"192.0.2.1", "192.0.2.2"}, func(b *bench) {
		for _, status := range []tacacs.Status{tacacs.StatusError, tacacs.StatusFollow} {
			for _, s := range b.net {
				s.Set(tacacstest.Behavior{Status: status})
			}
			if err := b.send(groupRecord(1, sessions.Start)); !errors.Is(err, accounting.ErrNoResponse) {
				b.Errorf("%v: %v", status, err)
			}
		}
		for _, s := range b.net {
			s.Set(tacacstest.Behavior{Silent: true})
		}
		result := make(chan error, 1)
		b.opened.Method.Send(groupRecord(2, sessions.Start), retry.Progress{}, func(err error) { result <- err })
		b.opened.Abandon()
		if err := <-result; !errors.Is(err, accounting.ErrStopped) {
			b.Errorf("abandoned: %v", err)
		}
		b.end()
		b.running.Wait()
		if err := b.send(groupRecord(3, sessions.Start)); !errors.Is(err, accounting.ErrStopped) {
			b.Errorf("after the end: %v", err)
		}
	})
}

// TestSendLater: between the transmissions of a back-off the result is a Later.
func TestSendLater(t *testing.T) {
	inBubble(t, []string{"192.0.2.1"}, func(b *bench) {
		b.net["192.0.2.1:49"].Stop()
		to := *b.spec
		to.Servers = append([]tacclient.Member(nil), to.Servers...)
		to.Servers[0].Schedule.BackoffRetry = 2
		change, err := b.opened.Reconfigure(&to)
		if err != nil || change == nil {
			b.Fatal(err)
		}
		change()
		var later *retry.Later
		if err := b.send(groupRecord(1, sessions.Start)); !errors.As(err, &later) || later.After != 2*time.Second {
			b.Errorf("got %v", err)
		}
	})
}

// TestAnnounce: system records go to the servers in order until one accepts them, or to one.
func TestAnnounce(t *testing.T) {
	inBubble(t, []string{"192.0.2.1", "192.0.2.2"}, func(b *bench) {
		b.net["192.0.2.1:49"].Set(tacacstest.Behavior{Status: tacacs.StatusError})
		rec := groupRecord(0, sessions.On)
		rec.List, rec.Reason = "system/default", "reload"
		type result struct {
			server string
			err    error
		}
		results := make(chan result, 1)
		b.opened.Announce(rec, func(server string, err error) { results <- result{server, err} })
		if got := <-results; got != (result{"192.0.2.2", nil}) {
			b.Errorf("got %+v", got)
		}
		b.opened.AnnounceTo(0, rec, func(server string, err error) { results <- result{server, err} })
		if got := <-results; !errors.Is(got.err, accounting.ErrNoResponse) {
			b.Errorf("got %+v", got)
		}
		first := b.net["192.0.2.2:49"].Arrivals()[0].Request
		if first.Flags != tacacs.AcctFlagStart || !strings.Contains(strings.Join(first.Args, " "), "reason=reload") {
			b.Errorf("%+v", first)
		}
	})
}

// TestSetAside: a record that alone gets ERROR is set aside after eight rounds, while the records of
// other sessions are delivered; a server that gives ERROR to all of them has none set aside.
func TestSetAside(t *testing.T) {
	const poison = 7
	inBubble(t, []string{"192.0.2.1"}, func(b *bench) {
		s := b.net["192.0.2.1:49"]
		s.Set(tacacstest.Behavior{Handle: func(a tacacstest.Arrival) tacacs.Status {
			if a.Request.Args[0] == "task_id=7" {
				return tacacs.StatusError
			}
			return tacacs.StatusSuccess
		}})
		st, err := store.Open("state", store.Config{Disk: store.NewDisk(), MinFree: -1, Ballast: -1})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = st.Close() }()
		d := delivery.New(delivery.Config{}, st, slog.New(slog.NewTextHandler(&b.log, nil)))
		d.SetMethod(b.spec.Name(), b.opened.Method, b.spec.Delivery())
		ctx, end := context.WithCancel(b.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = d.Run(ctx) })
		defer running.Wait()
		defer end()
		add := func(id sessions.ID) {
			data := accounting.AppendRecord(nil, groupRecord(id, sessions.Start))
			done := make(chan error, 1)
			st.Commit(store.Change{Appends: []store.Append{{Queue: b.spec.Name().Queue(), Data: data}}}, func(err error) { done <- err })
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
		setAside := func() int {
			synctest.Wait()
			entries, err := st.Read(accounting.SetAsideQueue, 0, 1<<20, nil)
			if err != nil {
				b.Fatal(err)
			}
			return len(entries)
		}
		add(poison)
		tries := func() (n int) {
			for _, a := range s.Arrivals() {
				if a.Request.Args[0] == "task_id=7" {
					n++
				}
			}
			return n
		}
		for id := sessions.ID(100); setAside() == 0; id++ {
			if id == 400 {
				b.Fatalf("it is not set aside after %d tries", tries())
			}
			add(id)
			time.Sleep(time.Second)
		}
		if n := tries(); n < 8 || n > 16 {
			b.Errorf("it was sent %d times", n)
		}
		if q := d.Queue(b.spec.Name().Queue()); q.Pending != 0 {
			b.Errorf("%+v", q)
		}
		s.Set(tacacstest.Behavior{Status: tacacs.StatusError})
		for id := sessions.ID(1000); id < 1020; id++ {
			add(id)
		}
		time.Sleep(time.Hour)
		if n := setAside(); n != 1 {
			b.Errorf("%d records are set aside, want 1", n)
		}
		s.Set(tacacstest.Behavior{})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if q := d.Queue(b.spec.Name().Queue()); q.Pending != 0 {
			b.Errorf("the server is well again: %+v", q)
		}
	})
}
