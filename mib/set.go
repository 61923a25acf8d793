package mib

import (
	"errors"
	"fmt"
	"time"
)

// ErrorStatus is the reason why a SET fails (RFC 3416 section 3; RFC 2741 uses the same numbers).
type ErrorStatus uint8

// The error-status values of a SET.
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
	NoError: "noError", 1: "tooBig", 2: "noSuchName", 3: "badValue", 4: "readOnly", GenErr: "genErr", NoAccess: "noAccess", WrongType: "wrongType", WrongLength: "wrongLength",
	WrongEncoding: "wrongEncoding", WrongValue: "wrongValue", NoCreation: "noCreation",
	InconsistentValue: "inconsistentValue", ResourceUnavailable: "resourceUnavailable", CommitFailed: "commitFailed",
	UndoFailed: "undoFailed", 16: "authorizationError", NotWritable: "notWritable", InconsistentName: "inconsistentName",
}

// String returns the name as RFC 3416 writes it.
func (s ErrorStatus) String() string {
	if n, ok := statusNames[s]; ok {
		return n
	}
	return fmt.Sprintf("error-status(%d)", uint8(s))
}

// SetError is the error of a failed SET: the error-status and the variable binding that caused it.
type SetError struct {
	Status ErrorStatus
	Index  int   // error-index, from 1
	Err    error // for the log; may be nil
	// Undoing gets one value when a commit that failed is undone: nil, or why it could not be. A
	// Change that cannot undo at once sets it, in the error of Commit, and so does
	// [Set.CommitWithin]. It always gets its value, but perhaps late: a manager waits for about a
	// second. nil means that nothing is left to undo.
	Undoing <-chan error
}

func (e *SetError) Error() string {
	s := fmt.Sprintf("mib: variable %d: %s", e.Index, e.Status)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *SetError) Unwrap() error { return e.Err }

// Reason returns why a SET was refused, for a log that names the variable itself: the error-status, and
// the Err of a *[SetError] if it has one.
func Reason(err error) string {
	refused, ok := errors.AsType[*SetError](err)
	switch {
	case !ok:
		return err.Error()
	case refused.Err == nil:
		return refused.Status.String()
	}
	return refused.Status.String() + ": " + refused.Err.Error()
}

// Assignment is one variable binding of a SET. Its object is writable and its value has the right
// type.
type Assignment struct {
	Object   Def
	Instance OID // after the object's OID: for a column the index
	Value    Value
	Position int // in the request, from 1: the error-index for it
	By       Requester
}

// Requester is the sender of a SET, for logs.
type Requester struct {
	// Name is the SNMPv3 user or the security name of a community, never the community itself,
	// which is a secret. It is "agentx" if the SET comes from a master agent, which does not pass
	// on the sender.
	Name string
	// Address is the address of the manager, or of the master agent.
	Address string
}

// Writer performs the assignments of one request to one module. Several requests may be in progress
// at once, each on its own goroutine.
type Writer interface {
	// Writable reports whether an object can be written now (the configuration may forbid it).
	Writable(o Def) bool
	// Test checks that all assignments can be made together, and changes nothing. It returns a
	// *[SetError]; any other error counts as genErr of the first assignment. The Writer may keep
	// as.
	Test(as []Assignment) (Change, error)
}

// Change is a module's part of a tested SET. Its methods are called one at a time: Commit, then
// Undo or Cleanup; or none, if the test failed elsewhere.
type Change interface {
	// Commit makes all assignments, or makes none and returns an error like Test.
	Commit() error
	// Undo reverts Commit, because another module or agent failed, or because Commit was late. It
	// returns after that is done, or with an error. If it takes long, the agents answer undoFailed before
	// that, and a manager cannot know what holds: an Undo that can still succeed should go on.
	Undo() error
	// Cleanup ends the request; its assignments are final.
	Cleanup()
}

// Set is a SET between its phases.
type Set struct {
	changes []Change
	firsts  []int // for each change, the position of its first assignment
	done    int   // number of committed changes
}

// Test is TestBy for an unknown requester.
func (t *Tree) Test(vbs []Varbind) (*Set, error) { return t.TestBy(Requester{}, vbs) }

// TestBy is the first phase: it checks all variable bindings and changes nothing. The error is a
// *[SetError].
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

// testOne makes the checks of RFC 3416 section 4.2.5 that need no row, in that order.
func (t *Tree) testOne(vb *Varbind) (*leaf, ErrorStatus) {
	i := t.holding(vb.Name)
	if i < 0 {
		return nil, NotWritable
	}
	l := &t.leaves[i]
	w := t.parts[l.part].writer()
	if !l.def.Access.Writable() || w == nil || !w.Writable(l.def) {
		return nil, NotWritable
	}
	if vb.Value.Type != l.def.Type {
		return nil, WrongType
	}
	return l, l.test(&vb.Value)
}

// Commit is the second phase. It makes all assignments or none. The error is a *[SetError]. A
// repeated call after success does nothing: a master agent repeats a PDU if the answer is late.
func (s *Set) Commit() error {
	for s.done < len(s.changes) {
		if err := s.changes[s.done].Commit(); err != nil {
			cause := asSetError(err, s.firsts[s.done])
			if undo := s.Undo(); undo != nil {
				cause.Status, cause.Err = UndoFailed, errors.Join(cause.Err, undo)
			}
			return cause
		}
		s.done++
	}
	return nil
}

// CommitWithin is Commit for a caller that can wait for a limited time only; several Changes share
// it. If the commit takes longer, the error is commitFailed with Undoing: the commit goes on, and is
// undone whatever its result. The caller must not use the Set then. Nothing is started if limit is 0
// or less.
func (s *Set) CommitWithin(limit time.Duration) error {
	if len(s.changes) == 0 {
		return nil
	}
	late := &SetError{Status: CommitFailed, Index: s.firsts[0], Err: fmt.Errorf("mib: not committed within %s", limit.Round(time.Millisecond))}
	if limit <= 0 {
		return late
	}
	committed := make(chan error, 1)
	go func() { committed <- s.Commit() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-committed:
		return err
	case <-timer.C:
	}
	undoing := make(chan error, 1)
	go func() { undoing <- s.undoLate(<-committed) }()
	late.Undoing = undoing
	return late
}

// undoLate undoes a commit whose caller has stopped waiting. err is the result of the commit.
func (s *Set) undoLate(err error) error {
	if err == nil {
		return s.Undo()
	}
	failed := asSetError(err, s.firsts[0])
	if failed.Undoing != nil {
		if err := <-failed.Undoing; err != nil {
			return err
		}
	}
	if failed.Status == UndoFailed {
		return failed
	}
	return nil
}

// Undo reverts a commit. The error is a *[SetError] with UndoFailed. A repeated call does nothing.
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

// Cleanup is the last phase: the committed changes are final. A repeated call does nothing.
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
