package radius

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

// TestTrace: at level debug each packet has a line with client, code, identifier, Acct-Session-Id
// and what became of it.
func TestTrace(t *testing.T) {
	log, sink := &lockedBuffer{}, newRecorder()
	inner, err := New(Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Clients: []Client{local()},
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, sink)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- inner.Run(ctx) }()
	l := &runningListener{Listener: inner, t: t}
	n := l.dial(l.Addr())
	one, two, status := start(1, "a"), start(2, "b"), statusRequest(9)
	forged := start(3, "c")
	forged[4] ^= 1
	n.send(one, one)
	call := sink.next(t)
	n.send(two)
	sink.next(t).done(errBusy)
	call.done(nil)
	n.receive(one)
	n.send(one)
	n.receive(one)
	n.send(forged, []byte("x"), status)
	n.receive(status)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`outcome=answered suppressed=0 code=Accounting-Request id=1 nas_session=a`,
		`outcome="duplicate of a request that waits for the disk" suppressed=0 code=Accounting-Request id=1 nas_session=a`,
		`outcome="duplicate, answered again" suppressed=0 code=Accounting-Request id=1 nas_session=a`,
		`outcome=dropped suppressed=0 code=Accounting-Request id=2 nas_session=b err="` + errBusy.Error() + `"`,
		`outcome=dropped suppressed=0 code=Accounting-Request id=3 nas_session="" err="wrong authenticator`,
		`outcome=dropped suppressed=0 err=`,
		`outcome=answered suppressed=0 code=Status-Server id=9 nas_session=""`,
	} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("%q is there %d times:\n%s", want, n, log)
		}
	}
	if n := strings.Count(log.String(), "client=local"); n < 7 {
		t.Errorf("%d lines have the client", n)
	}
}
