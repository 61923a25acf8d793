package main

import (
	"errors"
	"slices"
	"testing"

	"aaasess/accounting"
	"aaasess/cmd/internal/control"
)

// TestRouteFor: which queue may be moved where, before and after a reload and a restart that take its group away.
func TestRouteFor(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	server.setSilent(true)
	old := with(t, relayConfig(t, "old", server), "methods: [group old]}}",
		"methods: [group old, local]}}\n  exec: {default: {record: none}}\n  connection: {default: {record: stop-only, methods: [local]}}")
	l := launch(t, old, outside{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	refusals := func(when string, queue, list string, want error) {
		t.Helper()
		if _, err := l.d.methods.routeFor(queue, list); !errors.Is(err, want) {
			t.Errorf("%s, %s to %s: %v, want %v", when, queue, list, err, want)
		}
	}
	leads := func(when, queue, list string, want ...accounting.MethodName) {
		t.Helper()
		if got, err := l.d.methods.routeFor(queue, list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s, %s to %s: %q %v, want %q", when, queue, list, got, err, want)
		}
	}
	refusals("at first", "group/old", "connection/default", control.ErrConfigured)
	refusals("at first", "local", "network/default", control.ErrConfigured)
	refusals("at first", "group/old", "network/default", control.ErrSameQueue)
	refusals("at first", "group/old", "exec/default", control.ErrNoList) // records nothing
	refusals("at first", "group/old", "default", control.ErrNoList)
	refusals("at first", "group/none", "network/default", control.ErrNoQueue)
	refusals("at first", "old", "network/default", control.ErrNoQueue)
	refusals("at first", accounting.RefusedQueue, "network/default", control.ErrNoQueue)

	renamed := relayConfig(t, "new", server)
	l.reload(renamed, "configuration loaded")
	leads("after a reload", "group/old", "network/default", accounting.Group("new"))
	refusals("after a reload", "group/new", "network/default", control.ErrSameQueue)
	refusals("after a reload", "group/old", "connection/default", control.ErrNoList)
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	l.start(outside{})
	l.reload(renamed, "configuration loaded") // the daemon runs
	leads("after a restart", "group/old", "network/default", accounting.Group("new"))
	l.reload(old, "configuration loaded")
	refusals("when it is back", "group/old", "connection/default", control.ErrConfigured)
}
