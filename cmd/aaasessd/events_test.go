package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2866"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// eventReader reads the accountable events that a filter selects.
type eventReader struct {
	t    *testing.T
	next func() (api.EventLine, error, bool)
}

// watchEvents shows the events from now on. ctx limits the time.
func (l *inProcess) watchEvents(ctx context.Context, f api.EventFilter) *eventReader {
	l.t.Helper()
	stream, err := l.client().Events(ctx, f)
	if err != nil {
		l.t.Fatal(err)
	}
	next, stop := iter.Pull2(stream.All())
	l.t.Cleanup(func() { stop(); _ = stream.Close() })
	return &eventReader{l.t, next}
}

// read returns the next events: "alice Start network/default: group isp".
func (r *eventReader) read(n int) (out []string) {
	r.t.Helper()
	for range n {
		line, err, _ := r.next()
		if err != nil {
			r.t.Fatalf("after %q: %v", out, err)
		}
		e := line.AccountableEvent
		out = append(out, fmt.Sprintf("%s %s %s: %s%s", e.User, e.Type, e.List, strings.Join(e.Methods, ", "), e.NotRecorded))
	}
	return out
}

// onLine7 sets the NAS-Port of the list quiet.
var onLine7 = onPort(7)

func outOctets(n uint32) func(*layeh.Packet) error {
	return func(p *layeh.Packet) error { return rfc2866.AcctOutputOctets_Set(p, rfc2866.AcctOutputOctets(n)) }
}

// TestEvents: S2 "Displays information on accountable events as they occur." Packets of a NAS become
// lines, with what is decided about them, until the daemon ends. A copy is no event.
func TestEvents(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	l := launch(t, with(
		t, relayConfig(t, "isp", server),
		"  network: {", "  apply: [{nas-port: [7], network: quiet}]\n  network: {quiet: {record: none}, ",
	), environment{})
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	all := l.watchEvents(ctx, api.EventFilter{})
	bob := l.watchEvents(ctx, api.EventFilter{Filter: api.Filter{User: "bob", NAS: "loopback"}})
	isp := l.watchEvents(ctx, api.EventFilter{Group: "isp"})

	start := packet(acctStart, "S1", "alice")
	l.mustAccount(start, start)
	l.mustAccount(packet(acctStart, "S2", "bob", onLine7), packet(acctStop, "S1", "alice", outOctets(960)), packet(acctStop, "S2", "bob", onLine7))
	const (
		aliceStart, aliceStop = "alice Start network/default: group isp", "alice Stop network/default: group isp"
		bobStart, bobStop     = "bob Start : no list records it", "bob Stop : no list records it"
	)
	for _, tt := range []struct {
		name   string
		reader *eventReader
		want   []string
	}{
		{"all", all, []string{aliceStart, bobStart, aliceStop, bobStop}},
		{"a user", bob, []string{bobStart, bobStop}},
		{"a group", isp, []string{aliceStart, aliceStop}},
	} {
		if diff := cmp.Diff(tt.want, tt.reader.read(len(tt.want))); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	for _, r := range []*eventReader{all, bob, isp} {
		if line, err, _ := r.next(); !errors.Is(err, apiclient.ErrEnded) {
			t.Errorf("after the end: %+v, %v", line, err)
		}
	}
}
