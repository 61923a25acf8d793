package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions/silence"
)

// TestStale: a client may override each key of sessions.stale.
func TestStale(t *testing.T) {
	cfg := mustParse(t, `sessions: {stale: {max-age: 24h}}
radius:
  clients:
    - {name: a, address: 192.0.2.1, secret: s}
    - {name: b, address: 192.0.2.2, secret: s, stale: {intervals: 0}}
    - {name: c, address: 192.0.2.3, secret: s, stale: {max-age: 0s}}
    - {name: d, address: 192.0.2.4, secret: s, stale: {intervals: 3, max-age: 24h}}
`, ".")
	for client, want := range map[string]silence.Limits{
		"a": {Intervals: 3, MaxAge: 24 * time.Hour}, "b": {MaxAge: 24 * time.Hour}, "c": {Intervals: 3}, "d": {Intervals: 3, MaxAge: 24 * time.Hour},
		"": {Intervals: 3, MaxAge: 24 * time.Hour},
	} {
		if got := cfg.Stale.Of(client); got != want {
			t.Errorf("client %q: %+v, want %+v", client, got, want)
		}
	}
}

// TestUnique: reboot-sign of a client, and one-per-station for all.
func TestUnique(t *testing.T) {
	const clients = `
radius:
  clients:
    - {name: a, address: 192.0.2.1, secret: s}
    - {name: b, address: 192.0.2.2, secret: s, reboot-sign: [nas-port, framed-ip-address, calling-station-id]}
    - {name: c, address: 192.0.2.3, secret: s, reboot-sign: [nas-port]}
`
	all := []radius.Type{radius.NASPort, radius.FramedIPAddress, radius.CallingStationID}
	for text, want := range map[string][][]radius.Type{
		clients: {nil, all, {radius.NASPort}},
		clients + "sessions: {one-per-station: true}\n": {{radius.CallingStationID}, all, {radius.NASPort, radius.CallingStationID}},
	} {
		cfg := mustParse(t, text, ".")
		var got [][]radius.Type
		for _, c := range cfg.Listener.Clients {
			got = append(got, c.Unique)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if n := len(cfg.Unique()); n < 4 {
			t.Errorf("%d types are unique", n)
		}
	}
}
