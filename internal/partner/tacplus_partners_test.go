//go:build partners

package partner

import (
	"fmt"
	"sync"
	"testing"

	"github.com/nwaples/tacplus"
)

func TestTacplus(t *testing.T) {
	for _, single := range []bool{false, true} {
		s := Tacplus(t, TacplusOptions{Key: "k", SingleConnect: single})
		c := tacplus.Client{Addr: s.Addr, ConnConfig: tacplus.ConnConfig{Mux: single, Secret: []byte("k"), Log: func(...any) {}}}
		send := func(user string) uint8 {
			r, err := c.SendAcctRequest(t.Context(), &tacplus.AcctRequest{User: user})
			if err != nil {
				return 0
			}
			return r.Status
		}
		var all sync.WaitGroup
		for n := range 10 {
			all.Go(func() {
				if got := send(fmt.Sprint(n)); got != tacplus.AcctStatusSuccess {
					t.Errorf("status %d", got)
				}
			})
		}
		all.Wait()
		s.Answer(tacplus.AcctStatusError)
		if got := send("b"); got != tacplus.AcctStatusError {
			t.Errorf("status %d", got)
		}
		s.Kill()
		if got := send("c"); got != 0 {
			t.Errorf("after Kill: status %d", got)
		}
		s.Start()
		s.Answer(tacplus.AcctStatusSuccess)
		if got := send("d"); got != tacplus.AcctStatusSuccess {
			t.Errorf("after Start: status %d", got)
		}
		if len(s.Records()) != 11 || s.Received() != 12 {
			t.Errorf("%d records, %d received", len(s.Records()), s.Received())
		}
	}
}
