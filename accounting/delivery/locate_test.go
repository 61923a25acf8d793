package delivery

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/sessions"
)

func TestLocate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(8, func(rec *accounting.Record, done func(error)) {
			switch rec.Session {
			case 1: // never answered
				time.AfterFunc(20*time.Second, func() { done(accounting.ErrNoResponse) })
			case 2: // answered late
				time.AfterFunc(15*time.Second, func() { done(nil) })
			default:
				done(nil)
			}
		})
		d := b.deliver(setup{}, accounting.Group("g"), m)
		located := func(id sessions.ID) []Place {
			places, err := d.Locate(context.Background(), "group/g", id)
			if err != nil {
				t.Fatal(err)
			}
			return places
		}
		check := func(when string, id sessions.ID, want ...Place) {
			t.Helper()
			if diff := cmp.Diff(want, located(id)); diff != "" {
				t.Errorf("%s: want (-) and got (+):\n%s", when, diff)
			}
		}
		b.add("group/g", rec(9, start))
		b.advance(0) // an answer has opened the window to two
		b.add("group/g", rec(1, start), rec(1, stop), rec(2, start), rec(3, start))
		b.advance(time.Second)
		first := located(1)[0].Seq
		check("sent", 1, Place{Seq: first, State: InFlight, Method: accounting.Group("g")}, Place{Seq: first + 1, State: Behind})
		check("sent", 2, Place{Seq: first + 2, State: InFlight, Method: accounting.Group("g")})
		check("not sent yet", 3, Place{Seq: first + 3, State: Ready, Method: accounting.Group("g")})
		check("unknown", 4)
		b.advance(19500 * time.Millisecond)
		check("delivered", 2)
		check("not answered while others were", 1,
			Place{Seq: first, State: Retrying, Next: time.Unix(946684821, 0), Tries: 1}, Place{Seq: first + 1, State: Behind})
		d.SetHold(Held)
		b.add("group/g", rec(6, start))
		b.advance(0)
		check("held", 6, Place{Seq: first + 4, State: NoMethod})
		if places, err := d.Locate(context.Background(), "group/other", 1); places != nil || err != nil {
			t.Error(places, err)
		}
		b.stop()
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(gone)
		if _, err := d.Locate(ctx, "group/g", 1); !errors.Is(err, gone) {
			t.Error(err)
		}
	})
}
