//go:build partners

package partner

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nwaples/tacplus"
)

func TestTacquito(t *testing.T) {
	p := Tacquito(t, TacquitoOptions{Key: `special "$" {key}`, Users: []string{"alice", "zoë"}})
	if got := p.Records(); got != nil {
		t.Errorf("records before the first request: %v", got)
	}
	send := func(key, user string) uint8 {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c := tacplus.Client{Addr: p.Addr, ConnConfig: tacplus.ConnConfig{Secret: []byte(key), Log: func(...any) {}}}
		r, err := c.SendAcctRequest(ctx, &tacplus.AcctRequest{
			Flags: tacplus.AcctFlagStop, AuthenMethod: tacplus.AuthenMethodTACACSPlus, PrivLvl: 1, AuthenType: tacplus.AuthenTypePAP, AuthenService: tacplus.AuthenServicePPP,
			User: user, Port: "tty3", RemAddr: "192.0.2.1", Arg: []string{"task_id=13", "service=ppp"},
		})
		if err != nil {
			t.Logf("%v", err)
			return 0
		}
		return r.Status
	}
	for user, want := range map[string]uint8{"alice": tacplus.AcctStatusSuccess, "zoë": tacplus.AcctStatusError, "bob": tacplus.AcctStatusError} {
		if got := send(p.Key, user); got != want {
			t.Errorf("%s: status %d, want %d", user, got, want)
		}
	}
	if got := send("another", "alice"); got == tacplus.AcctStatusSuccess {
		t.Error("it answers clients with another key")
	}
	p.Kill()
	if got := send(p.Key, "alice"); got != 0 {
		t.Errorf("after Kill: status %d", got)
	}
	p.Start()
	if got := send(p.Key, "alice"); got != tacplus.AcctStatusSuccess {
		t.Errorf("after Start: status %d", got)
	}
	want := TacquitoRecord{4, 6, 1, 2, 3, "alice", "tty3", "192.0.2.1", []string{"task_id=13", "service=ppp"}}
	if diff := cmp.Diff([]TacquitoRecord{want, want}, p.Records()); diff != "" {
		t.Error(diff)
	}
	if p.Received() != 2 {
		t.Errorf("it received %d", p.Received())
	}
}
