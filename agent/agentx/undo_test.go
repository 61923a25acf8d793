package agentx

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// slowWriter is a mib.Writer of one scalar, and its own Change: its undo takes time.
type slowWriter struct {
	commitTakes, undoTakes time.Duration
	commitErr, undoErr     error
	undone                 bool
}

func (*slowWriter) Writable(mib.Def) bool                       { return true }
func (w *slowWriter) Test([]mib.Assignment) (mib.Change, error) { return w, nil }
func (*slowWriter) Cleanup()                                    {}

func (w *slowWriter) Commit() error {
	time.Sleep(w.commitTakes)
	return w.commitErr
}

func (w *slowWriter) Undo() error {
	time.Sleep(w.undoTakes)
	w.undone = w.undoErr == nil
	return w.undoErr
}

// failsLater returns the error of a commit that failed, and whose undo ends after a time.
func failsLater(after time.Duration, result error) error {
	undoing := make(chan error, 1)
	go func() { time.Sleep(after); undoing <- result }()
	return &mib.SetError{Status: mib.GenErr, Index: 1, Undoing: undoing}
}

// slowMachine returns an established machine over a writer, and the SET of its scalar.
func slowMachine(t *testing.T, w mib.Writer) (*machine, *TestSet) {
	t.Helper()
	tree, err := mib.New(&mib.Module[int]{
		Name: "slow", Root: FixtureRoot, Pin: func() int { return 0 }, Writer: w,
		Objects: []mib.Object[int]{mib.Scalar[int]{
			Def: def("slow", FixtureRoot.Append(1), mib.Integer32, mib.ReadWrite),
			Get: func(_ int, v *mib.Value) { v.SetInteger32(5) },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(tree, Open{}, bigEndian)
	m.sessionID, m.opened = 7, true
	return m, testOf(Varbind(FixtureRoot.Append(1, 0), 1))
}

// TestUndoIsAwaited: an UndoSet is answered after the undo, but never later than a master waits.
func TestUndoIsAwaited(t *testing.T) {
	const ms = time.Millisecond
	broken := errors.New("broken")
	type answer struct {
		code  string
		index uint16
		after time.Duration
	}
	undoFailed := func(after time.Duration) answer { return answer{"undoFailed", 1, after} }
	tests := []struct {
		name   string
		writer slowWriter
		later  func() error // the error of Commit, if it is made in the test
		commit answer
		undo   []answer // of UndoSet, and of its repetitions
	}{
		{"at once", slowWriter{}, nil, answer{code: "noError"}, []answer{{code: "noError"}, {code: "noError"}}},
		{"within the limit", slowWriter{undoTakes: 300 * ms}, nil, answer{code: "noError"}, []answer{{"noError", 0, 300 * ms}, {code: "noError"}}},
		{"fails within the limit", slowWriter{undoTakes: 300 * ms, undoErr: broken}, nil, answer{code: "noError"}, []answer{{"undoFailed", 1, 300 * ms}, {"undoFailed", 1, 0}}},
		{
			"later than the limit",
			slowWriter{undoTakes: 2000 * ms},
			nil,
			answer{code: "noError"},
			[]answer{undoFailed(700 * ms), undoFailed(700 * ms), {"noError", 0, 600 * ms}, {code: "noError"}},
		},
		{
			"a failed commit is undone within its limit",
			slowWriter{},
			func() error { return failsLater(100*ms, nil) },
			answer{"commitFailed", 1, 100 * ms},
			[]answer{{code: "noError"}},
		},
		{
			"a failed commit is undone later",
			slowWriter{},
			func() error { return failsLater(800*ms, nil) },
			answer{"commitFailed", 1, 600 * ms},
			[]answer{{"noError", 0, 200 * ms}, {code: "noError"}},
		},
		{
			"a failed commit is undone much later",
			slowWriter{},
			func() error { return failsLater(2000*ms, nil) },
			answer{"commitFailed", 1, 600 * ms},
			[]answer{undoFailed(300 * ms), undoFailed(700 * ms), {"noError", 0, 400 * ms}},
		},
		{
			"a failed commit cannot be undone",
			slowWriter{},
			func() error { return failsLater(800*ms, broken) },
			answer{"commitFailed", 1, 600 * ms},
			[]answer{{"undoFailed", 1, 200 * ms}, {"undoFailed", 1, 0}},
		},
		{"a slow commit", slowWriter{commitTakes: 500 * ms}, nil, answer{"noError", 0, 500 * ms}, []answer{{code: "noError"}}},
		{
			"a late commit is undone",
			slowWriter{commitTakes: 700 * ms, undoTakes: 100 * ms},
			nil,
			answer{"commitFailed", 1, 600 * ms},
			[]answer{{"noError", 0, 200 * ms}, {code: "noError"}},
		},
		{
			"a commit that hangs",
			slowWriter{commitTakes: 2000 * ms, undoTakes: 100 * ms},
			nil,
			answer{"commitFailed", 1, 600 * ms},
			[]answer{undoFailed(300 * ms), undoFailed(700 * ms), {"noError", 0, 500 * ms}, {code: "noError"}},
		},
		{
			"a late commit that fails",
			slowWriter{commitTakes: 700 * ms, commitErr: broken},
			nil,
			answer{"commitFailed", 1, 600 * ms},
			[]answer{{"noError", 0, 100 * ms}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := tt.writer
				m, test := slowMachine(t, &w)
				check := func(p Payload, packet uint32, want answer) {
					t.Helper()
					begin := time.Now()
					r := ask(t, m, session7(1, packet), p)
					if got := (answer{codeName(r.Error), r.Index, time.Since(begin)}); got != want {
						t.Errorf("%s: %+v, want %+v", typeName(p.Type()), got, want)
					}
				}
				check(test, 1, answer{code: "noError"})
				if tt.later != nil {
					w.commitErr = tt.later()
				}
				check(&CommitSet{}, 2, tt.commit)
				for _, want := range tt.undo {
					check(&UndoSet{}, 3, want)
					if want.code == "noError" && tt.later == nil && w.commitErr == nil && !w.undone {
						t.Error("answered before the undo was done")
					}
				}
				m.end()
			})
		})
	}
}

// TestCommitTogether: all TestSets of a SET share the time of its CommitSet. If it is not enough, all of
// them are undone, and none is committed after the answer that is not undone.
func TestCommitTogether(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		takes  time.Duration
		commit string
		after  time.Duration
		undo   time.Duration // the UndoSet is answered noError after it
	}{
		"in time":           {90 * ms, "noError", 540 * ms, 0},
		"the last is late":  {110 * ms, "commitFailed", 600 * ms, 60 * ms},
		"the third is late": {250 * ms, "commitFailed", 600 * ms, 150 * ms},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &countingWriter{takes: tt.takes}
				m, test := slowMachine(t, w)
				const sets = 6
				for n := range uint32(sets) {
					ask(t, m, session7(1, n+1), test)
				}
				begin := time.Now()
				if r := ask(t, m, session7(1, 10), &CommitSet{}); codeName(r.Error) != tt.commit || time.Since(begin) != tt.after {
					t.Errorf("%s after %s, want %s after %s", codeName(r.Error), time.Since(begin), tt.commit, tt.after)
				}
				if n := w.committed.Load(); tt.commit == "noError" && n != sets {
					t.Errorf("%d of %d are committed", n, sets)
				}
				begin = time.Now()
				if r := ask(t, m, session7(1, 11), &UndoSet{}); r.Error != pdu.ErrorNone || time.Since(begin) != tt.undo {
					t.Errorf("undo: %s after %s, want noError after %s", codeName(r.Error), time.Since(begin), tt.undo)
				}
				time.Sleep(time.Minute)
				if n := w.committed.Load(); n != 0 {
					t.Errorf("%d are still committed", n)
				}
			})
		})
	}
}

// countingWriter is a mib.Writer, and its own Change, that counts what is committed and not undone.
type countingWriter struct {
	takes     time.Duration // of a commit
	committed atomic.Int32
}

func (*countingWriter) Writable(mib.Def) bool                       { return true }
func (w *countingWriter) Test([]mib.Assignment) (mib.Change, error) { return w, nil }
func (w *countingWriter) Undo() error                               { w.committed.Add(-1); return nil }
func (*countingWriter) Cleanup()                                    {}

func (w *countingWriter) Commit() error {
	time.Sleep(w.takes)
	w.committed.Add(1)
	return nil
}

// TestUndoOctets has the octets of an UndoSet and of its answers.
func TestUndoOctets(t *testing.T) {
	const undoSet = `01 0a 10 00  00000007 00000008 00000003 00000000`
	const answer = `01 12 10 00  00000007 00000008 00000003 00000008  00000000 `
	tests := []struct {
		name   string
		writer slowWriter
		want   string
	}{
		{"undone", slowWriter{undoTakes: time.Millisecond}, answer + `0000 0000`},
		{"undoFailed(15)", slowWriter{undoErr: errors.New("broken")}, answer + `000f 0001`},
		{"late", slowWriter{undoTakes: time.Minute}, answer + `000f 0001`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, test := slowMachine(t, &tt.writer)
				ask(t, m, session7(8, 1), test)
				ask(t, m, session7(8, 2), &CommitSet{})
				request := unhex(t, undoSet)
				h, _, err := nextPDU(request)
				if err != nil {
					t.Fatal(err)
				}
				got, err := m.handle(h, request, nil, testTime)
				if want := unhex(t, tt.want); err != nil || string(got) != string(want) {
					t.Errorf("answered with\n%x, want\n%x, error %v", got, want, err)
				}
				time.Sleep(tt.writer.undoTakes) // until its goroutine ends
			})
		})
	}
}

// TestUndoLost: the connection is lost during an undo. The undo goes on, and nothing is cleaned up.
func TestUndoLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWriter{undoTakes: time.Minute}
		m, test := slowMachine(t, w)
		ask(t, m, session7(1, 1), test)
		ask(t, m, session7(1, 2), &CommitSet{})
		if r := ask(t, m, session7(1, 3), &UndoSet{}); r.Error != pdu.Error(mib.UndoFailed) {
			t.Errorf("%s, want undoFailed", codeName(r.Error))
		}
		m.end()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if !w.undone {
			t.Error("not undone")
		}
	})
}
