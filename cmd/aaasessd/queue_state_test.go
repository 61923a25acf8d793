package main

import (
	"testing"

	"aaasess/cmd/internal/api"
)

// TestQueueState: a queue is unknown until a server of its group has answered, then up or down. The
// file needs no answer. A group with another server is unknown again.
func TestQueueState(t *testing.T) {
	old, fresh := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	fresh.setSilent(true)
	both := func(server *upstream) string {
		return with(t, relayConfig(t, "isp", server), "  local: {file", "  exec: {default: {record: start-stop, methods: [local]}}\n  local: {file")
	}
	l := launch(t, both(old), environment{})
	state := func(queue string) string {
		t.Helper()
		q := l.queue(queue)
		if (q.OperState == "down") != !q.DownSince.IsZero() {
			t.Errorf("%s is %s, and down since %v", queue, q.OperState, q.DownSince)
		}
		return q.OperState
	}
	for queue, want := range map[string]string{"group/isp": "unknown", "local": "up"} {
		if got := state(queue); got != want {
			t.Errorf("%s at the start: %s, want %s", queue, got, want)
		}
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "the server has answered", func() bool { return state("group/isp") == "up" })
	l.reload(both(fresh), "configuration loaded")
	if got := state("group/isp"); got != "unknown" {
		t.Errorf("with a new server: %s", got)
	}
	l.mustAccount(packet(acctStop, "S1", "alice"))
	eventually(t, "the new server is silent", func() bool { return state("group/isp") == "down" })
	fresh.setSilent(false)
	l.mustAccount(packet(acctStart, "S2", "bob"))
	eventually(t, "the new server has answered", func() bool { return state("group/isp") == "up" })
	if q := l.queue("group/gone"); q != (api.Queue{}) {
		t.Errorf("%+v", q)
	}
}
