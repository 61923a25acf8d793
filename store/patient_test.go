package store

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestPatient: a patient change waits for the sync of another change, but not longer than patience,
// and is durable before that change.
func TestPatient(t *testing.T) {
	calm, hasty := Change{Puts: []Put{put("k", "v")}, Patient: true}, Change{Puts: []Put{put("k", "v")}}
	huge := Change{Puts: []Put{{Key: []byte("k"), Value: make([]byte, maxBatch)}}, Patient: true}
	type step struct {
		after  time.Duration
		change Change
	}
	for _, tt := range []struct {
		name    string
		steps   []step
		durable []time.Duration // when each change is durable
		batches uint64
	}{
		{"alone", []step{{0, calm}}, []time.Duration{patience}, 1},
		{"others do not wait", []step{{0, hasty}}, []time.Duration{0}, 1},
		{"with the next one", []step{{0, calm}, {patience / 4, hasty}}, []time.Duration{patience / 4, patience / 4}, 1},
		{"the first decides", []step{{0, calm}, {patience / 2, calm}, {patience / 4, calm}}, []time.Duration{patience, patience, patience}, 1},
		{"one after the other", []step{{0, calm}, {2 * patience, calm}}, []time.Duration{patience, 3 * patience}, 2},
		{
			"it waits anew behind a batch",
			[]step{{0, calm}, {patience / 2, hasty}, {patience / 4, calm}},
			[]time.Duration{patience / 2, patience / 2, patience/2 + patience/4 + patience},
			2,
		},
		{"a full batch does not wait", []step{{0, huge}}, []time.Duration{0}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, NewDisk(), Config{})
				defer s.Close()
				before, _ := s.Batches()
				type answer struct {
					i  int
					at time.Duration
				}
				answers, start := make(chan answer, len(tt.steps)), time.Now()
				for i, step := range tt.steps {
					time.Sleep(step.after)
					s.Commit(step.change, func(err error) {
						if err != nil {
							t.Error(err)
						}
						answers <- answer{i, time.Since(start)}
					})
					synctest.Wait()
				}
				for i, want := range tt.durable {
					if got := <-answers; got != (answer{i, want}) {
						t.Errorf("got %v, want %v", got, answer{i, want})
					}
				}
				if after, _ := s.Batches(); after-before != tt.batches {
					t.Errorf("%d batches, want %d", after-before, tt.batches)
				}
			})
		})
	}
}

// TestPatientDiscards: a patient change is on time although the store already waits for longer, with
// discards.
func TestPatientDiscards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, NewDisk(), Config{})
		defer s.Close()
		commit(t, s, Change{Appends: appends("q", "a")})
		s.Discard([]Ack{{"q", 1}})
		synctest.Wait()
		start := time.Now()
		commit(t, s, Change{Puts: []Put{put("k", "v")}, Patient: true})
		if took := time.Since(start); took != patience {
			t.Errorf("it waited %v", took)
		}
	})
}

// TestPatientClose: Close does not wait for the time of a patient change.
func TestPatientClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, done, start := open(t, NewDisk(), Config{}), make(chan error, 1), time.Now()
		s.Commit(Change{Puts: []Put{put("k", "v")}, Patient: true}, func(err error) { done <- err })
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestPatientFailure: patient changes after a failure are answered too.
func TestPatientFailure(t *testing.T) {
	s, done := open(t, NewDisk(), Config{}), make(chan error, 2)
	s.fail(errors.New("broken"))
	for range 2 {
		s.Commit(Change{Puts: []Put{put("k", "v")}, Patient: true}, func(err error) { done <- err })
	}
	for range 2 {
		if err := <-done; !errors.Is(err, ErrFailed) {
			t.Error(err)
		}
	}
}
