package mib

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// slowWriter is a fakeWriter whose commit takes time.
type slowWriter struct {
	fakeWriter
	takes time.Duration
	fails func() error // returns the error of the commit; may be nil
}

func (w *slowWriter) Test(as []Assignment) (Change, error) {
	if _, err := w.fakeWriter.Test(as); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *slowWriter) Commit() error {
	time.Sleep(w.takes)
	if w.fails != nil {
		w.commitErr = w.fails()
	}
	return w.fakeWriter.Commit()
}

// TestCommitWithin: two modules, whose commits together may take a second. After that the commit goes
// on, and is undone.
func TestCommitWithin(t *testing.T) {
	const ms = time.Millisecond
	broken := errors.New("broken")
	later := func(d time.Duration, result error) func() error {
		return func() error {
			undoing := make(chan error, 1)
			time.AfterFunc(d, func() { undoing <- result })
			return &SetError{Status: GenErr, Index: 2, Undoing: undoing}
		}
	}
	fails := func(err error) func() error { return func() error { return err } }
	commit, undone := []string{"commit"}, []string{"commit", "undo"}
	type want struct {
		status ErrorStatus
		index  int
		after  time.Duration
		undone time.Duration // when Undoing got its value, after the start
		undo   error
		a, b   []string
	}
	tests := map[string]struct {
		a, b    time.Duration
		bErr    func() error // of the second commit
		undoErr error        // of the first
		want    want
	}{
		"at once":                       {0, 0, nil, nil, want{a: commit, b: commit}},
		"in time":                       {500 * ms, 400 * ms, nil, nil, want{after: 900 * ms, a: commit, b: commit}},
		"fails in time":                 {500 * ms, 400 * ms, fails(broken), nil, want{status: GenErr, index: 2, after: 900 * ms, a: undone, b: commit}},
		"late":                          {500 * ms, 700 * ms, nil, nil, want{CommitFailed, 1, 1000 * ms, 1200 * ms, nil, undone, undone}},
		"the first is late":             {1500 * ms, 0, nil, nil, want{CommitFailed, 1, 1000 * ms, 1500 * ms, nil, undone, undone}},
		"late, and cannot be undone":    {0, 1100 * ms, nil, broken, want{CommitFailed, 1, 1000 * ms, 1100 * ms, broken, undone, undone}},
		"late, and fails":               {500 * ms, 700 * ms, fails(broken), nil, want{CommitFailed, 1, 1000 * ms, 1200 * ms, nil, undone, commit}},
		"late, fails, is not undone":    {500 * ms, 700 * ms, fails(broken), broken, want{CommitFailed, 1, 1000 * ms, 1200 * ms, broken, undone, commit}},
		"late, fails, is undone later":  {0, 1100 * ms, later(300*ms, nil), nil, want{CommitFailed, 1, 1000 * ms, 1400 * ms, nil, undone, commit}},
		"late, fails, fails later":      {0, 1100 * ms, later(300*ms, broken), nil, want{CommitFailed, 1, 1000 * ms, 1400 * ms, broken, undone, commit}},
		"late, the first is not undone": {0, 1100 * ms, later(300*ms, nil), broken, want{CommitFailed, 1, 1000 * ms, 1400 * ms, broken, undone, commit}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := &slowWriter{takes: tt.a}, &slowWriter{takes: tt.b, fails: tt.bErr}
				a.undoFailed = tt.undoErr
				s, err := twoModules(t, a, b).Test([]Varbind{setting(testEntry.Append(5, 1), Integer32, 1), setting(otherFlag, Integer32, 2)})
				if err != nil {
					t.Fatal(err)
				}
				a.log, b.log = nil, nil
				begin := time.Now()
				err = s.CommitWithin(time.Second)
				after := time.Since(begin)
				se, _ := errors.AsType[*SetError](err)
				if se == nil {
					se = &SetError{}
				}
				if se.Status != tt.want.status || se.Index != tt.want.index || after != tt.want.after || (se.Undoing != nil) != (tt.want.undone > 0) {
					t.Errorf("%v after %s, want %+v", err, after, tt.want)
				}
				if se.Undoing != nil {
					undo := <-se.Undoing
					if at := time.Since(begin); !errors.Is(undo, tt.want.undo) || at != tt.want.undone {
						t.Errorf("undone: %v after %s, want %v after %s", undo, at, tt.want.undo, tt.want.undone)
					}
				}
				if !slices.Equal(a.log, tt.want.a) || !slices.Equal(b.log, tt.want.b) {
					t.Errorf("calls %q and %q, want %q and %q", a.log, b.log, tt.want.a, tt.want.b)
				}
			})
		})
	}
}

// TestCommitWithinNothing: without time nothing is started, and without changes no time is needed.
func TestCommitWithinNothing(t *testing.T) {
	a, b := &fakeWriter{}, &fakeWriter{}
	s, err := twoModules(t, a, b).Test([]Varbind{setting(testEntry.Append(5, 1), Integer32, 1)})
	if err != nil {
		t.Fatal(err)
	}
	a.log = nil
	if se, _ := errors.AsType[*SetError](s.CommitWithin(0)); se == nil || se.Status != CommitFailed || se.Index != 1 || se.Undoing != nil || len(a.log) > 0 {
		t.Errorf("%v, calls %q", se, a.log)
	}
	if err := new(Set).CommitWithin(0); err != nil {
		t.Errorf("nothing to commit: %v", err)
	}
}
