package acctcontrol

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/internal/servers"
)

// TestServerStatistics: each counter is shown as it is.
func TestServerStatistics(t *testing.T) {
	at := time.Unix(1700000000, 0)
	st := servers.Stats{
		CountedSince: at, RoundTripTime: 1 * time.Second, Requests: 2, Retransmissions: 3, Responses: 4, MalformedResponses: 5, BadAuthenticators: 6, PendingRequests: 7,
		Timeouts: 8, UnknownTypes: 9, PacketsDropped: 10, Tests: 11, TestsFailed: 12, StatusServer: servers.StatusServer{Sent: 13, Responses: 14, Timeouts: 15},
		LateResponses: 16, DownUntil: at.Add(17), StateSince: at.Add(18), PreviousState: 19 * time.Second, TotalDeadTime: 20 * time.Second, DeadCount: 21,
		Successes: 22, Failures: 23, TimedResponses: 24, ResponseTime: 24 * 25 * time.Second, MaxResponseTime: 26 * time.Second,
	}
	want := api.ServerStatistics{
		ServerCounters: api.ServerCounters{
			CountedSince: at.UTC(), RoundTripTime: 1, Requests: 2, Retransmissions: 3, Responses: 4, MalformedResponses: 5, BadAuthenticators: 6, PendingRequests: 7,
			Timeouts: 8, Unexpected: 19, UnknownTypes: 9, PacketsDropped: 10, Tests: 11, TestsFailed: 12, StatusServer: &api.StatusServerCounters{Sent: 13, Responses: 14, Timeouts: 15},
			LateResponses: 16, Successes: 22, Failures: 23, TimedResponses: 24, AverageResponseTime: 25, MaxResponseTime: 26,
		},
		DownUntil: at.Add(17).UTC(), StateSince: at.Add(18).UTC(), PreviousStateDuration: 19, TotalDeadTime: 20, DeadCount: 21,
	}
	if d := cmp.Diff(want, serverStatistics(&st)); d != "" {
		t.Error(d)
	}
	life := servers.Lifetime{Dead: true, Since: at, Previous: 1 * time.Second, TotalDead: 2 * time.Second, Deaths: 3}
	state := &api.ServerState{OperState: "down", Since: at.UTC(), PreviousDuration: 1, TotalDeadTime: 2, DeadCount: 3}
	if d := cmp.Diff(state, serverState(&life)); d != "" {
		t.Error(d)
	}
	life.Dead, state.OperState = false, "up"
	if d := cmp.Diff(state, serverState(&life)); d != "" {
		t.Error(d)
	}
	if got := serverStatistics(&servers.Stats{}); got.StatusServer != nil {
		t.Errorf("without Status-Servers: %+v", got.StatusServer)
	}
}
