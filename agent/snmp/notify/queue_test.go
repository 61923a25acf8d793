package notify

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// TestQueueModel compares a queue with a slice.
func TestQueueModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		q := newQueue(limit)
		var model []*notification
		var dropped uint64
		closed := false
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				n := &notification{}
				err := q.push(n)
				switch {
				case closed && !errors.Is(err, ErrStopped):
					t.Fatalf("closed: %v", err)
				case !closed && len(model) == limit && !errors.Is(err, ErrQueueFull):
					t.Fatalf("full: %v", err)
				case !closed && len(model) < limit && err != nil:
					t.Fatal(err)
				case err == nil:
					model = append(model, n)
				default:
					dropped++
				}
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("empty")
				}
				q.pop()
				model = model[1:]
			},
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 20).Draw(t, "really") > 0 {
					return
				}
				if got := q.close(epoch); got != len(model) {
					t.Fatalf("close dropped %d, want %d", got, len(model))
				}
				dropped += uint64(len(model))
				closed, model = true, nil
			},
			"": func(t *rapid.T) {
				var first *notification
				if len(model) > 0 {
					first = model[0]
				}
				waiting, lost := q.counts()
				if q.peek() != first || waiting != len(model) || lost != dropped {
					t.Fatalf("first is right %t, %d wait, %d dropped; want %d and %d",
						q.peek() == first, waiting, lost, len(model), dropped)
				}
			},
		})
	})
}

func TestQueueWakeUp(t *testing.T) {
	q := newQueue(1)
	q.wakeUp()
	q.wakeUp() // does not block
	<-q.wake
	select {
	case <-q.wake:
		t.Error("woken twice")
	default:
	}
}
