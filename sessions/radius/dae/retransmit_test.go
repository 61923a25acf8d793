package dae

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
)

// wire is a Disconnector with a fake clock and no socket. It records what is sent, and when.
type wire struct {
	d  *Disconnector
	mu sync.Mutex
	at []time.Duration
	b  [][]byte
}

// newWire returns a Disconnector whose packets go to answer; the result of answer comes back after
// delay.
func newWire(t *testing.T, cfg Config, delay time.Duration, answer func(n int, r radiustest.Request) []byte) *wire {
	t.Helper()
	w := &wire{}
	began := time.Now()
	cfg.Clients = []nasradius.Client{clientWithoutTimestamp()}
	d, err := newDisconnector(cfg, func(b []byte, _ netip.Addr, to netip.AddrPort) error {
		w.mu.Lock()
		w.at, w.b = append(w.at, time.Since(began)), append(w.b, append([]byte(nil), b...))
		n := len(w.at)
		w.mu.Unlock()
		p, err := layeh.Parse(b, []byte(captured.Secret))
		if err != nil {
			return err
		}
		if data := answer(n, radiustest.Request{Data: b, Packet: p}); data != nil {
			time.AfterFunc(delay, func() { w.d.receive(data, to, time.Now()) })
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.d = d
	return w
}

func TestRetransmissionTimes(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name   string
		cfg    Config
		answer int // number of the transmission that is answered; 0 means none
		delay  time.Duration
		sent   []time.Duration
		want   termination.Answer
		end    time.Duration
	}{
		{"defaults, silence", Config{}, 0, 0, []time.Duration{0, 3 * s, 6 * s}, termination.NoAnswer, 9 * s},
		{"defaults, answered at once", Config{}, 1, 0, []time.Duration{0}, termination.ACK, 0},
		{"slow answer", Config{}, 1, 4 * s, []time.Duration{0, 3 * s}, termination.ACK, 4 * s},
		{"last one answered", Config{}, 3, s, []time.Duration{0, 3 * s, 6 * s}, termination.ACK, 7 * s},
		{"answer too late", Config{}, 3, 4 * s, []time.Duration{0, 3 * s, 6 * s}, termination.NoAnswer, 9 * s},
		{"own timeout", Config{Timeout: s, Retransmissions: 1}, 0, 0, []time.Duration{0, s}, termination.NoAnswer, 2 * s},
		{"no retransmission", Config{Retransmissions: -1}, 0, 0, []time.Duration{0}, termination.NoAnswer, 3 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, tt.cfg, tt.delay, func(n int, r radiustest.Request) []byte {
					if n != tt.answer {
						return nil
					}
					return radiustest.ACK(r)
				})
				began := time.Now()
				out := w.d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
				if out.Answer != tt.want || out.Err != nil {
					t.Errorf("outcome %v, want %d", out, tt.want)
				}
				if end := time.Since(began); end != tt.end {
					t.Errorf("ended at %v, want %v", end, tt.end)
				}
				if diff := cmp.Diff(tt.sent, w.at); diff != "" {
					t.Error(diff)
				}
				for i := range w.b {
					if string(w.b[i]) != string(w.b[0]) {
						t.Errorf("transmission %d is another packet", i+1)
					}
				}
				time.Sleep(time.Minute) // late answers match no request
			})
		})
	}
}

func TestDisconnectEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, Config{}, 0, func(int, radiustest.Request) []byte { return nil })
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		began := time.Now()
		if out := w.d.Disconnect(ctx, firstAttempt(hostapdSession("127.0.0.2"))); out != (termination.Outcome{}) {
			t.Errorf("outcome %v", out)
		}
		if end := time.Since(began); end != 4*time.Second {
			t.Errorf("ended at %v", end)
		}
	})
}

// TestIdentifiers: 256 requests to a NAS have 256 identifiers. The next request waits for a free
// one and gets the one released longest ago. Another NAS does not wait.
func TestIdentifiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, Config{Retransmissions: -1}, 0, func(int, radiustest.Request) []byte { return nil })
		var all sync.WaitGroup
		for range radius.IdentifiersPerSocket {
			all.Go(func() { w.d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))) })
		}
		synctest.Wait()
		seen := map[byte]bool{}
		for _, b := range w.b {
			seen[b[1]] = true
		}
		if len(seen) != radius.IdentifiersPerSocket {
			t.Fatalf("%d identifiers of %d packets", len(seen), len(w.b))
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if out := w.d.Disconnect(ctx, firstAttempt(hostapdSession("127.0.0.2"))); !errors.Is(out.Err, context.DeadlineExceeded) {
			t.Errorf("outcome %v of the one too many", out)
		}
		if len(w.b) != radius.IdentifiersPerSocket {
			t.Error("the one too many was sent")
		}
		all.Go(func() { w.d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.3"))) })
		synctest.Wait()
		if len(w.b) != radius.IdentifiersPerSocket+1 {
			t.Error("another NAS had to wait")
		}
		for range 2 {
			all.Go(func() { w.d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))) })
		}
		all.Wait() // the first ones end after 3 s, then these
		if len(w.b) != radius.IdentifiersPerSocket+3 {
			t.Fatalf("%d packets", len(w.b))
		}
		if a, b := w.b[radius.IdentifiersPerSocket+1][1], w.b[radius.IdentifiersPerSocket+2][1]; a == b {
			t.Errorf("both have identifier %d", a)
		}
	})
}

// TestIdentifiersRotate: an identifier is not reused at once, even if only one is in use.
func TestIdentifiersRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, Config{}, 0, func(_ int, r radiustest.Request) []byte { return radiustest.ACK(r) })
		for range 300 {
			w.d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
		}
		for i := 1; i < len(w.b); i++ {
			if w.b[i][1] != w.b[i-1][1]+1 {
				t.Fatalf("identifier %d after %d", w.b[i][1], w.b[i-1][1])
			}
		}
	})
}
