package radius

import (
	"errors"
	"testing"
	"time"

	"aaasess/internal/radius"
)

// bucketOf returns the upper bound of the only bucket with a duration, and how many it has.
func bucketOf(t *testing.T, a AnswerTime) (bound time.Duration, n uint64) {
	t.Helper()
	for i, count := range a.Counts {
		if count > 0 && n > 0 {
			t.Fatalf("several buckets: %v", a.Counts)
		}
		if count > 0 {
			bound, n = a.Bounds[i], count
		}
	}
	if n != a.Total {
		t.Errorf("%d in the buckets, %d in total", n, a.Total)
	}
	return bound, n
}

// TestAnswerTimes: the time of the first answer counts. Copies, Status-Servers and requests without an
// answer do not. A client that stays keeps its times over a reload.
func TestAnswerTimes(t *testing.T) {
	sink := newRecorder()
	l, receive := newIdleListener(t, sink, local(), Client{Name: "other", Prefix: prefix("192.0.2.0/24"), Secret: "x"})
	before := time.Now().Add(-1500 * time.Millisecond)
	one := start(1, "a")
	receive(one, before)
	sink.next(t).done(nil)
	receive(one, time.Now()) // answered again
	receive(start(2, "b"), before)
	sink.next(t).done(errors.New("broken"))
	receive(statusRequest(3), time.Now())
	if err := l.SetClients([]Client{local()}); err != nil {
		t.Fatal(err)
	}
	all := l.AnswerTimes()
	if len(all) != 1 || all[0].Name != "local" || all[0].Prefix != "127.0.0.0/8" {
		t.Fatalf("%+v", all)
	}
	if bound, n := bucketOf(t, all[0]); n != 1 || bound != 2500*time.Millisecond {
		t.Errorf("%d at most %v", n, bound)
	}
	if s := all[0].Sum; s < 1500*time.Millisecond || s > 10*time.Second {
		t.Errorf("the sum is %v", s)
	}
}

// TestAnswerTimesOfLogins: the time of an Access-Request contains that of the server.
func TestAnswerTimesOfLogins(t *testing.T) {
	relay := newRelayed()
	l, receive := newIdleAuth(t, relay, local())
	receive(access(1, attr(radius.UserName, "alice")), time.Now().Add(-200*time.Millisecond))
	relay.next(t).Answer(radius.CodeAccessReject, nil)
	receive(access(2, attr(radius.UserName, "bob")), time.Now())
	relay.next(t).Drop(errors.New("no server answers"))
	if bound, n := bucketOf(t, l.AnswerTimes()[0]); n != 1 || bound != 250*time.Millisecond {
		t.Errorf("%d at most %v", n, bound)
	}
}
