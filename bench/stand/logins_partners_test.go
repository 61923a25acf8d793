//go:build partners

package stand

import (
	"fmt"
	"testing"
	"time"
)

// loginsHost is a host with the programs for logins.
func loginsHost(t *testing.T) Host {
	t.Helper()
	h := Host{CPUs: fmt.Sprintf("0-%d", OnlineCPUs()-1), Dir: t.TempDir()}
	if err := BuildLogins(t.Context(), h.Dir); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestAuthRelays: through each peer every login is accepted, of both kinds, in both loops, and the
// server finds nothing wrong in what arrives.
func TestAuthRelays(t *testing.T) {
	h := loginsHost(t)
	for _, who := range []string{PeerAccepter, PeerRadsec, PeerProxy} {
		t.Run(who, func(t *testing.T) {
			r, err := OpenAuthRelay(t.Context(), h, who)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for _, kind := range []Login{PAP, EAP} {
				for _, l := range []Load{
					{Count: 1000, InFlight: InFlight, Timeout: 3 * time.Second, Tries: 4},
					{First: 1000, Count: 200, Rate: 400, Timeout: 3 * time.Second, Tries: 4},
				} {
					got, err := h.SendLogins(t.Context(), kind, r.Port, l)
					if err != nil {
						t.Fatal(err)
					}
					if want := l.Count * kind.Requests(); got.Answered != want || got.Sent != want || got.P50 <= 0 || got.Took <= 0 {
						t.Errorf("%s: %+v, want %d answers", kind, got, want)
					}
				}
			}
			if err := r.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}
