package overlay

import (
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/servers"
)

// wait is the limit of changes in tests.
const wait = 500 * time.Millisecond

// TestRestore: an undo waits for the owner as long as it takes, unless it has ended.
func TestRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue()
		go func() {
			time.Sleep(time.Hour)
			r := <-q.Requests()
			if !r.Undo || !r.Begin() {
				t.Errorf("%+v", r)
			}
			time.Sleep(time.Hour)
			r.Done(nil)
			q.Close()
		}()
		if err := q.Restore(servers.Overlay{}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := q.Restore(servers.Overlay{}); !errors.Is(err, ErrEnding) {
			t.Error(err)
		}
	})
}

// TestQueue: a change has the result of the owner, or the error of a SET that has given up, in time.
func TestQueue(t *testing.T) {
	refused := errors.New("refused")
	next := servers.Overlay{Destroyed: []servers.Key{{Protocol: servers.RADIUS, Name: "r1"}}}
	for _, tt := range []struct {
		name  string
		owner func(t *testing.T, q *Queue)
		want  error
		after time.Duration
	}{
		{"applied", func(t *testing.T, q *Queue) {
			r := <-q.Requests()
			if !reflect.DeepEqual(r.Next, next) || !r.Begin() {
				t.Errorf("%+v", r)
			}
			r.Done(nil)
		}, nil, 0},
		{"applied just in time", func(_ *testing.T, q *Queue) {
			r := <-q.Requests()
			time.Sleep(wait - 1)
			r.Begin()
			time.Sleep(10 * time.Millisecond)
			r.Done(nil)
		}, nil, wait - 1 + 10*time.Millisecond},
		{"refused", func(_ *testing.T, q *Queue) { (<-q.Requests()).Done(refused) }, refused, 0},
		{"the owner is busy", func(*testing.T, *Queue) {}, ErrLate, wait},
		{"late", func(t *testing.T, q *Queue) {
			r := <-q.Requests()
			time.Sleep(wait + 1)
			if r.Begin() {
				t.Error("the change may be put in use, but the SET has given up")
			}
			r.Done(ErrLate)
		}, ErrLate, wait},
		{"ending", func(_ *testing.T, q *Queue) { q.Close(); q.Close() }, ErrEnding, 0},
		{"the owner ends while it is busy", func(_ *testing.T, q *Queue) { time.Sleep(time.Millisecond); q.Close() }, ErrEnding, time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := NewQueue()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					tt.owner(t, q)
				}()
				began := time.Now()
				err := q.Apply(next, wait)
				if after := time.Since(began); !errors.Is(err, tt.want) || after != tt.after {
					t.Errorf("%v after %v, want %v after %v", err, after, tt.want, tt.after)
				}
				<-ended
			})
		})
	}
}
