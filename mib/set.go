package mib

import (
	"errors"
	"fmt"
)

// ErrorStatus is why a SET fails (RFC 3416 section 3; RFC 2741 uses the same numbers).
type ErrorStatus uint8

// The error-status values that a SET can meet.
const (
	NoError             ErrorStatus = 0
	GenErr              ErrorStatus = 5
	NoAccess            ErrorStatus = 6
	WrongType           ErrorStatus = 7
	WrongLength         ErrorStatus = 8
	WrongEncoding       ErrorStatus = 9
	WrongValue          ErrorStatus = 10
	NoCreation          ErrorStatus = 11
	InconsistentValue   ErrorStatus = 12
	ResourceUnavailable ErrorStatus = 13
	CommitFailed        ErrorStatus = 14
	UndoFailed          ErrorStatus = 15
	NotWritable         ErrorStatus = 17
	InconsistentName    ErrorStatus = 18
)

var statusNames = map[ErrorStatus]string{
	NoError: "noError", GenErr: "genErr", NoAccess: "noAccess", WrongType: "wrongType", WrongLength: "wrongLength",
	WrongEncoding: "wrongEncoding", WrongValue: "wrongValue", NoCreation: "noCreation",
	InconsistentValue: "inconsistentValue", ResourceUnavailable: "resourceUnavailable", CommitFailed: "commitFailed",
	UndoFailed: "undoFailed", NotWritable: "notWritable", InconsistentName: "inconsistentName",
}

// String gives the name as RFC 3416 writes it.
func (s ErrorStatus) String() string {
	if n, ok := statusNames[s]; ok {
		return n
	}
	return fmt.Sprintf("error-status(%d)", uint8(s))
}

// SetError is a SET refused: the error-status and the variable binding that caused it.
type SetError struct {
	Status ErrorStatus
	Index  int   // error-index, from 1
	Err    error // more for the log, may be nil
}

func (e *SetError) Error() string {
	s := fmt.Sprintf("mib: variable %d: %s", e.Index, e.Status)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *SetError) Unwrap() error { return e.Err }

// Assignment is one variable binding of a SET, found to name a writable object and to have its type.
type Assignment struct {
	Object   Def
	Instance OID // behind the object's OID: for a column the index
	Value    Value
	Position int // in the request, from 1: the error-index that concerns it
	By       Requester
}

// Requester is who sends a SET, for logs.
type Requester struct {
	// Name is the user of SNMPv3 or the security name of a community, never the community, which is a
	// secret; "agentx" for whomever a master agent speaks: it does not tell.
	Name string
	// Address is that of the manager, or of the master agent.
	Address string
}

// Writer carries out the assignments of one request that concern one module. Several requests may be
// under way at once, each on a goroutine of its own.
type Writer interface {
	// Writable says whether an object can be written at present (a configuration may forbid it).
	Writable(o Def) bool
	// Test checks that the assignments can be made together, and changes nothing. An error is a
	// *[SetError]; any other counts as genErr of the first assignment. as is the Writer's to keep.
	Test(as []Assignment) (Change, error)
}

// Change is a module's part of a SET that has been tested. Its methods are called one at a time:
// Commit, then Undo or Cleanup; or none, when the test failed elsewhere.
type Change interface {
	// Commit makes all assignments, or none and returns an error as Test does.
	Commit() error
	// Undo takes back what Commit did, because another module or agent failed.
	Undo() error
	// Cleanup tells that the request is over, its assignments final.
	Cleanup()
}

// Set is a SET between its phases.
type Set struct {
	changes []Change
	firsts  []int // by change: the position of its first assignment
	done    int   // how many changes are committed
}

// Test is TestBy for a requester that is not known.
func (t *Tree) Test(vbs []Varbind) (*Set, error) { return t.TestBy(Requester{}, vbs) }

// TestBy is the first phase: all variable bindings are checked, nothing changes. An error is a *[SetError].
func (t *Tree) TestBy(by Requester, vbs []Varbind) (*Set, error) {
	byPart := make([][]Assignment, len(t.parts))
	for i := range vbs {
		l, status := t.testOne(&vbs[i])
		if status != NoError {
			return nil, &SetError{Status: status, Index: i + 1}
		}
		byPart[l.part] = append(byPart[l.part], Assignment{
			Object: l.def, Instance: vbs[i].Name[len(l.def.OID):], Value: vbs[i].Value, Position: i + 1, By: by,
		})
	}
	s := &Set{}
	for p, as := range byPart {
		if len(as) == 0 {
			continue
		}
		c, err := t.parts[p].writer().Test(as)
		if err != nil {
			return nil, asSetError(err, as[0].Position)
		}
		s.changes, s.firsts = append(s.changes, c), append(s.firsts, as[0].Position)
	}
	return s, nil
}

// testOne makes the checks of RFC 3416 section 4.2.5 that need no row, in its order.
func (t *Tree) testOne(vb *Varbind) (*leaf, ErrorStatus) {
	i := t.holding(vb.Name)
	if i < 0 {
		return nil, NotWritable
	}
	l := &t.leaves[i]
	w := t.parts[l.part].writer()
	if l.def.Access != ReadWrite || w == nil || !w.Writable(l.def) {
		return nil, NotWritable
	}
	if vb.Value.Type != l.def.Type {
		return nil, WrongType
	}
	return l, l.test(&vb.Value)
}

// Commit is the second phase. It makes all assignments or none. An error is a *[SetError]. Called
// again after success, it does nothing: a master agent repeats a PDU whose answer was late.
func (s *Set) Commit() error {
	for s.done < len(s.changes) {
		if err := s.changes[s.done].Commit(); err != nil {
			cause := asSetError(err, s.firsts[s.done])
			if undo := s.Undo(); undo != nil {
				cause.Status = UndoFailed
			}
			return cause
		}
		s.done++
	}
	return nil
}

// Undo takes back a commit. An error is a *[SetError] with UndoFailed. Called again, it does nothing.
func (s *Set) Undo() error {
	var failed error
	for ; s.done > 0; s.done-- {
		i := s.done - 1
		if err := s.changes[i].Undo(); err != nil && failed == nil {
			failed = &SetError{Status: UndoFailed, Index: s.firsts[i], Err: err}
		}
	}
	return failed
}

// Cleanup is the end: what has been committed is final. Called again, it does nothing.
func (s *Set) Cleanup() {
	for i := range s.done {
		s.changes[i].Cleanup()
	}
	s.changes, s.firsts, s.done = nil, nil, 0
}

func asSetError(err error, position int) *SetError {
	if se, ok := errors.AsType[*SetError](err); ok {
		return se
	}
	return &SetError{Status: GenErr, Index: position, Err: err}
}
