package mib

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeWriter records its calls and fails as configured.
type fakeWriter struct {
	log                            []string
	readOnly                       bool
	testErr, commitErr, undoFailed error
}

func (w *fakeWriter) Writable(Def) bool { return !w.readOnly }

func (w *fakeWriter) Test(as []Assignment) (Change, error) {
	for _, a := range as {
		w.log = append(w.log, fmt.Sprintf("test %s%s=%d@%d", a.Object.Name, a.Instance, a.Value.Int32(), a.Position))
	}
	if w.testErr != nil {
		return nil, w.testErr
	}
	return w, nil
}

func (w *fakeWriter) Commit() error { w.log = append(w.log, "commit"); return w.commitErr }
func (w *fakeWriter) Undo() error   { w.log = append(w.log, "undo"); return w.undoFailed }
func (w *fakeWriter) Cleanup()      { w.log = append(w.log, "cleanup") }

func setting(oid OID, t Type, n int32) Varbind {
	return Varbind{Name: oid, Value: Value{Type: t, Num: uint64(uint32(n))}}
}

// twoModules returns a tree of two writable modules.
func twoModules(t *testing.T, a, b Writer) *Tree {
	t.Helper()
	second := func() *cells { return &cells{index: []OID{{1}}} }
	other := MustOID("1.3.6.1.4.1.99999.2")
	tree, err := New(testModule(second, a), &Module[*cells]{
		Name: "OTHER-MIB", Root: other, Pin: second, Writer: b,
		Objects: []Object[*cells]{Scalar[*cells]{Def: Def{"flag", other.Append(1), Integer32, ReadWrite}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

var otherFlag = MustOID("1.3.6.1.4.1.99999.2.1.0")

// TestAccess: which values of MAX-ACCESS let a SET pass.
func TestAccess(t *testing.T) {
	for access, want := range map[Access]ErrorStatus{NotAccessible: NotWritable, ReadOnly: NotWritable, ReadWrite: NoError, ReadCreate: NoError} {
		t.Run(access.String(), func(t *testing.T) {
			root := MustOID("1.3.6.1.4.1.99999.2")
			tree, err := New(&Module[int]{Root: root, Pin: func() int { return 0 }, Writer: &fakeWriter{}, Objects: []Object[int]{
				Scalar[int]{Def: Def{"flag", root.Append(1), Integer32, access}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = tree.Test([]Varbind{setting(otherFlag, Integer32, 1)})
			if se, _ := errors.AsType[*SetError](err); want == NoError && err != nil || want != NoError && (se == nil || se.Status != want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestSetIsTested(t *testing.T) {
	colB := testEntry.Append(5, 1)
	tests := []struct {
		name   string
		writer *fakeWriter
		vbs    []Varbind
		status ErrorStatus
		index  int
	}{
		{"good", &fakeWriter{}, []Varbind{setting(colB, Integer32, 1)}, NoError, 0},
		{"no such object", &fakeWriter{}, []Varbind{setting(MustOID("1.3.9"), Integer32, 1)}, NotWritable, 1},
		{"read-only object", &fakeWriter{}, []Varbind{setting(colB, Integer32, 1), setting(testEntry.Append(2, 1), Gauge32, 1)}, NotWritable, 2},
		{"not writable at present", &fakeWriter{readOnly: true}, []Varbind{setting(colB, Integer32, 1)}, NotWritable, 1},
		{"wrong type", &fakeWriter{}, []Varbind{setting(colB, Gauge32, 1)}, WrongType, 1},
		{"wrong value", &fakeWriter{}, []Varbind{setting(colB, Integer32, -1)}, WrongValue, 1},
		{"the module refuses", &fakeWriter{testErr: &SetError{Status: NoCreation, Index: 2}}, []Varbind{setting(otherFlag, Integer32, 1), setting(colB, Integer32, 1)}, NoCreation, 2},
		{"the module fails", &fakeWriter{testErr: errors.New("broken")}, []Varbind{setting(otherFlag, Integer32, 1), setting(colB, Integer32, 1)}, GenErr, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := twoModules(t, tt.writer, &fakeWriter{}).Test(tt.vbs)
			if tt.status == NoError {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			se, ok := errors.AsType[*SetError](err)
			if !ok || se.Status != tt.status || se.Index != tt.index {
				t.Errorf("got %v, want %s at %d", err, tt.status, tt.index)
			}
		})
	}
}

func TestSetPhases(t *testing.T) {
	vbs := []Varbind{setting(testEntry.Append(5, 1), Integer32, 1), setting(otherFlag, Integer32, 2), setting(testEntry.Append(5, 2), Integer32, 3)}
	tests := []struct {
		name         string
		a, b         *fakeWriter
		run          func(s *Set) error
		wantA, wantB []string
		status       ErrorStatus
		index        int
	}{
		{
			"commit and cleanup, each repeated", &fakeWriter{}, &fakeWriter{},
			func(s *Set) error {
				err := errors.Join(s.Commit(), s.Commit())
				s.Cleanup()
				s.Cleanup()
				return errors.Join(err, s.Commit())
			},
			[]string{"commit", "cleanup"},
			[]string{"commit", "cleanup"},
			NoError, 0,
		},
		{
			"commit and undo, repeated", &fakeWriter{}, &fakeWriter{},
			func(s *Set) error { return errors.Join(s.Commit(), s.Undo(), s.Undo()) },
			[]string{"commit", "undo"},
			[]string{"commit", "undo"},
			NoError, 0,
		},
		{
			"the second commit fails", &fakeWriter{}, &fakeWriter{commitErr: &SetError{Status: CommitFailed, Index: 2}},
			(*Set).Commit,
			[]string{"commit", "undo"},
			[]string{"commit"},
			CommitFailed, 2,
		},
		{
			"and so does the undo of the first", &fakeWriter{undoFailed: errors.New("no")}, &fakeWriter{commitErr: &SetError{Status: CommitFailed, Index: 2}},
			(*Set).Commit,
			[]string{"commit", "undo"},
			[]string{"commit"},
			UndoFailed, 2,
		},
		{
			"the undo fails", &fakeWriter{undoFailed: errors.New("no")}, &fakeWriter{},
			func(s *Set) error { return errors.Join(s.Commit(), s.Undo()) },
			[]string{"commit", "undo"},
			[]string{"commit", "undo"},
			UndoFailed, 1,
		},
		{
			"given up after the test", &fakeWriter{}, &fakeWriter{},
			func(s *Set) error { s.Cleanup(); return nil }, nil, nil, NoError, 0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := twoModules(t, tt.a, tt.b).Test(vbs)
			if err != nil {
				t.Fatal(err)
			}
			tested := []string{"test colB.1=1@1", "test colB.2=3@3"}
			if diff := cmp.Diff(tested, tt.a.log); diff != "" {
				t.Error(diff)
			}
			tt.a.log, tt.b.log = nil, nil
			err = tt.run(s)
			if se, _ := errors.AsType[*SetError](err); tt.status == NoError && err != nil ||
				tt.status != NoError && (se == nil || se.Status != tt.status || se.Index != tt.index) {
				t.Errorf("got %v, want %s at %d", err, tt.status, tt.index)
			}
			if tt.status == UndoFailed && !errors.Is(err, tt.a.undoFailed) {
				t.Errorf("got %v, which does not tell why the undo failed", err)
			}
			if diff := cmp.Diff(tt.wantA, tt.a.log); diff != "" {
				t.Error("first module:", diff)
			}
			if diff := cmp.Diff(tt.wantB, tt.b.log); diff != "" {
				t.Error("second module:", diff)
			}
		})
	}
}

func TestReason(t *testing.T) {
	for want, err := range map[string]error{
		"wrongValue":                &SetError{Status: WrongValue, Index: 2},
		"inconsistentValue: no key": fmt.Errorf("test: %w", &SetError{Status: InconsistentValue, Index: 2, Err: errors.New("no key")}),
		"mib: something else":       errors.New("mib: something else"),
	} {
		if got := Reason(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
