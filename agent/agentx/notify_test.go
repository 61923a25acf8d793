package agentx_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
	"aaasess/mib"
)

// trap returns the variables of a notification.
func trap(n uint32) []mib.Varbind {
	vbs := []mib.Varbind{
		{Name: mib.MustOID("1.3.6.1.6.3.1.1.4.1.0")},
		{Name: agentx.FixtureTable.Append(4, n)},
	}
	vbs[0].Value.SetOID(agentx.FixtureRoot, 0, 1)
	vbs[1].Value.SetGauge32(n)
	return vbs
}

func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notified := make(chan []mib.Varbind, 10)
		r := run(t, func(h agentx.Header, p agentx.Payload) *agentx.Response {
			n, ok := p.(*agentx.Notify)
			if !ok {
				return agentxtest.Agree(h, p)
			}
			notified <- n.Varbinds
			if n.Varbinds[1].Value.Num == 13 {
				return &agentx.Response{Error: pdu.ErrorProcessing, Index: 2}
			}
			return &agentx.Response{}
		})
		r.up(t)
		before := time.Now()
		if err := r.Notify(t.Context(), trap(1)); err != nil {
			t.Errorf("notify: %v", err)
		}
		if diff := cmp.Diff(trap(1), <-notified); diff != "" {
			t.Errorf("notified (-want +got):\n%s", diff)
		}
		err := r.Notify(t.Context(), trap(13))
		if refused, ok := errors.AsType[*agentx.RefusedError](err); !ok || refused.Code != pdu.ErrorProcessing || refused.Index != 2 {
			t.Errorf("refused: %v", err)
		}
		if err := r.Notify(t.Context(), []mib.Varbind{{Name: make(mib.OID, 129)}}); err == nil {
			t.Error("a name of 129 sub-identifiers is taken")
		}
		if took := time.Since(before); took != 0 {
			t.Errorf("idle, three notifications took %s", took)
		}
		if st := r.Stats(); st.NotifySent != 1 || st.NotifyDropped != 0 || st.Connects != 1 {
			t.Errorf("statistics %+v", st)
		}
	})
}

// TestNotifyDuringRequests: notifications and requests at once, on a real socket. All PDUs arrive
// complete and all are answered.
func TestNotifyDuringRequests(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			masters := make(chan *agentxtest.Master, 1)
			address := agentxtest.Listen(t, network, func(conn net.Conn, id uint32) { masters <- agentxtest.NewMaster(conn, id, nil) })
			r := &running{fixture: agentx.NewFixture(t, 200), log: &lockedBuffer{}}
			r.start(agentx.Config{Network: network, Address: address})
			defer r.stop()
			m := <-masters
			<-r.Ready()
			var wg sync.WaitGroup
			for n := range uint32(8) {
				wg.Go(func() {
					for range 50 {
						if err := r.Notify(t.Context(), trap(n)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for range 3 {
				if vbs, err := m.Walk(agentx.FixtureTable); err != nil || len(vbs) != 7*200 {
					t.Errorf("walk of %d variables: %v", len(vbs), err)
				}
			}
			wg.Wait()
			if st := r.Stats(); st.NotifySent != 400 || st.Connects != 1 {
				t.Errorf("statistics %+v", st)
			}
		})
	}
}

// TestNotifyWithoutMaster: notifications wait for the master, in order. Those whose senders have
// given up are not sent.
func TestNotifyWithoutMaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := agentx.NewFixture(t, 1)
		r := &running{fixture: f, log: &lockedBuffer{}}
		notified := make(chan uint64, 10)
		accept := agentxtest.Dial(func(conn net.Conn, id uint32) {
			agentxtest.NewMaster(conn, id, func(h agentx.Header, p agentx.Payload) *agentx.Response {
				if n, ok := p.(*agentx.Notify); ok {
					notified <- n.Varbinds[1].Value.Num
				}
				return agentxtest.Agree(h, p)
			})
		})
		begin := time.Now()
		r.start(agentx.Config{Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
			if time.Since(begin) < time.Minute {
				return nil, errors.New("away")
			}
			return accept(ctx, n, a)
		}})
		defer r.stop()
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for n := range uint32(3) {
			ctx := t.Context()
			if n == 1 {
				ctx = brief
			}
			wg.Go(func() {
				err := r.Notify(ctx, trap(n))
				if n == 1 != errors.Is(err, context.DeadlineExceeded) || n != 1 && err != nil {
					t.Errorf("notification %d: %v", n, err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		if got := []uint64{<-notified, <-notified}; !slices.Equal(got, []uint64{0, 2}) || len(notified) > 0 {
			t.Errorf("notified were %v and %d more", got, len(notified))
		}
	})
}

func TestNotifyQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}}
		r.start(agentx.Config{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("away") }})
		results := make(chan error, agentx.NotifyQueue)
		for n := range agentx.NotifyQueue {
			go func() { results <- r.Notify(t.Context(), trap(uint32(n))) }()
		}
		synctest.Wait()
		for range 3 {
			if err := r.Notify(t.Context(), trap(99)); !errors.Is(err, agentx.ErrQueueFull) {
				t.Errorf("one too many: %v", err)
			}
		}
		if st := r.Stats(); st.NotifyDropped != 3 {
			t.Errorf("statistics %+v", st)
		}
		r.stop()
		for range agentx.NotifyQueue {
			if err := <-results; !errors.Is(err, agentx.ErrStopped) {
				t.Errorf("after Run: %v", err)
			}
		}
		if err := r.Notify(t.Context(), trap(1)); !errors.Is(err, agentx.ErrStopped) {
			t.Errorf("after Run, a new one: %v", err)
		}
	})
}

// TestNotifyUnanswered: the master receives a notification and disconnects, or does not answer.
func TestNotifyUnanswered(t *testing.T) {
	for _, silent := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			took := make(chan struct{}, 10)
			r := run(t, func(h agentx.Header, p agentx.Payload) *agentx.Response {
				if p.Type() == pdu.TypeNotify {
					took <- struct{}{}
					return nil
				}
				return agentxtest.Agree(h, p)
			})
			m := r.up(t)
			result := make(chan error, 1)
			begin := time.Now()
			go func() { result <- r.Notify(t.Context(), trap(1)) }()
			<-took
			if !silent {
				m.Close()
			}
			if err := <-result; !errors.Is(err, agentx.ErrDisconnected) || silent != errors.Is(err, agentx.ErrNoAnswer) {
				t.Errorf("silent %t: %v", silent, err)
			}
			if waited := time.Since(begin); silent && waited != agentx.DefaultTimeout {
				t.Errorf("waited %s", waited)
			}
			r.up(t)
		})
	}
}

// TestNotifyMoreThanQueue: more notifications at once than may be unanswered; all are accepted.
func TestNotifyMoreThanQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var held []agentx.Header
		r := run(t, func(h agentx.Header, p agentx.Payload) *agentx.Response {
			if p.Type() == pdu.TypeNotify {
				mu.Lock()
				defer mu.Unlock()
				held = append(held, h)
				return nil
			}
			return agentxtest.Agree(h, p)
		})
		m := r.up(t)
		results := make(chan error, 2*agentx.NotifyQueue)
		for n := range 2 * agentx.NotifyQueue {
			go func() { results <- r.Notify(t.Context(), trap(uint32(n))) }()
			if n%10 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		if len(held) != agentx.NotifyQueue {
			t.Fatalf("%d are sent without an answer", len(held))
		}
		for i := 0; i < 2*agentx.NotifyQueue; i++ {
			mu.Lock()
			h := held[i]
			mu.Unlock()
			m.Send(h, &agentx.Response{})
			synctest.Wait()
		}
		for range 2 * agentx.NotifyQueue {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if st := r.Stats(); st.NotifySent != 2*agentx.NotifyQueue {
			t.Errorf("statistics %+v", st)
		}
	})
}
