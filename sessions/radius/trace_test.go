package radius

import (
	"log/slog"
	"strings"
	"testing"

	"aaasess/internal/radius"
)

// TestTrace: at level debug each packet has a line with client, code, identifier, Acct-Session-Id
// and what became of it.
func TestTrace(t *testing.T) {
	sink := newRecorder()
	h, cfg := configFor(t, "127.0.0.1:0", []Client{local()})
	cfg.Log = slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	inner, err := New(cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	h.run(inner.Run)
	l := &runningListener{inner, h}
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
	l.stop()
	log := l.log.String()
	for _, want := range []string{
		`outcome=answered suppressed=0 code=Accounting-Request id=1 nas_session=a`,
		`outcome="duplicate of a request in flight" suppressed=0 code=Accounting-Request id=1 nas_session=a`,
		`outcome="duplicate, answered again" suppressed=0 code=Accounting-Request id=1 nas_session=a`,
		`outcome=dropped suppressed=0 code=Accounting-Request id=2 nas_session=b err="` + errBusy.Error() + `"`,
		`outcome=dropped suppressed=0 code=Accounting-Request id=3 nas_session="" err="wrong authenticator`,
		`outcome=dropped suppressed=0 err=`,
		`outcome=answered suppressed=0 code=Status-Server id=9 nas_session=""`,
	} {
		if n := strings.Count(log, want); n != 1 {
			t.Errorf("%q is there %d times:\n%s", want, n, log)
		}
	}
	if n := strings.Count(log, "client=local"); n < 7 {
		t.Errorf("%d lines have the client", n)
	}
}

// TestAccessTrace: at level debug each Access-Request has a line with what became of it.
func TestAccessTrace(t *testing.T) {
	relay := newRelayed()
	h, cfg := configFor(t, "127.0.0.1:0", []Client{local()})
	cfg.Log = slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l, err := NewAuthListener(cfg, relay)
	if err != nil {
		t.Fatal(err)
	}
	handle := h.idle(&l.endpoint)
	first, again, other := access(1, attr(radius.AcctSessionID, "a")), accessOf(randomOf(1, 1), 1), access(2)
	for _, b := range [][]byte{first, first, again, other, unsignedAccess(3)} {
		handle(b, noon)
	}
	relay.next(t).Answer(radius.CodeAccessReject, nil)
	relay.next(t).Answer(radius.CodeAccessAccept, nil)
	relay.next(t).Drop(errNoServer)
	handle(again, noon)
	for _, want := range []string{
		`outcome="duplicate of a request in flight" suppressed=0 code=Access-Request id=1 nas_session=""`,
		`outcome="answer not sent, the NAS has reused the identifier" suppressed=0 code=Access-Request id=1 nas_session=a`,
		`outcome=answered suppressed=0 code=Access-Request id=1 nas_session=""`,
		`outcome=dropped suppressed=0 code=Access-Request id=2 nas_session="" err="no server answers"`,
		`outcome=dropped suppressed=0 code=Access-Request id=3 nas_session="" err="no Message-Authenticator`,
		`outcome="duplicate, answered again" suppressed=0 code=Access-Request id=1`,
	} {
		if n := strings.Count(h.log.String(), want); n != 1 {
			t.Errorf("%q is there %d times:\n%s", want, n, h.log)
		}
	}
	if n := strings.Count(h.log.String(), `msg="access request"`); n != 6 {
		t.Errorf("%d lines", n)
	}
}
