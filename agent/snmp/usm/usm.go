package usm

import (
	"errors"
	"fmt"
	"sync/atomic"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// TimeWindow is how many seconds the time in a message may differ from the engine's time (RFC 3414
// section 2.2.3).
const TimeWindow = 150

// USM is the User-based Security Model of an authoritative engine, one that receives requests. Its
// methods may be called from any goroutine.
type USM struct {
	engine *Engine
	users  atomic.Pointer[Users]
	stats  [numStats]atomic.Uint64
}

// New creates the model of an engine. The users' keys must be localized for that engine.
func New(e *Engine, users *Users) *USM {
	u := &USM{engine: e}
	u.users.Store(users)
	return u
}

// Engine returns the authoritative engine.
func (u *USM) Engine() *Engine { return u.engine }

// Users returns the current set of users.
func (u *USM) Users() *Users { return u.users.Load() }

// SetUsers replaces the users. A request in progress keeps its keys.
func (u *USM) SetUsers(users *Users) { u.users.Store(users) }

// Counts are the usmStats counters of RFC 3414 section 5: the number of dropped messages for each
// reason.
type Counts struct {
	UnsupportedSecLevels uint64
	NotInTimeWindows     uint64
	UnknownUserNames     uint64
	UnknownEngineIDs     uint64
	WrongDigests         uint64
	DecryptionErrors     uint64
}

// Counts returns the current counters.
func (u *USM) Counts() Counts {
	return Counts{
		UnsupportedSecLevels: u.stats[unsupportedSecLevels].Load(),
		NotInTimeWindows:     u.stats[notInTimeWindows].Load(),
		UnknownUserNames:     u.stats[unknownUserNames].Load(),
		UnknownEngineIDs:     u.stats[unknownEngineIDs].Load(),
		WrongDigests:         u.stats[wrongDigests].Load(),
		DecryptionErrors:     u.stats[decryptionErrors].Load(),
	}
}

// stat is the index of a usmStats counter; it is one less than its sub-identifier.
type stat uint8

const (
	unsupportedSecLevels stat = iota
	notInTimeWindows
	unknownUserNames
	unknownEngineIDs
	wrongDigests
	decryptionErrors
	numStats
)

// failures has the OID of each counter and the error for it.
var failures = [numStats]struct {
	counter mib.OID
	err     error
}{
	unsupportedSecLevels: {mib.OID{1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0}, ErrUnsupportedSecLevel},
	notInTimeWindows:     {mib.OID{1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0}, ErrNotInTimeWindow},
	unknownUserNames:     {mib.OID{1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0}, ErrUnknownUserName},
	unknownEngineIDs:     {mib.OID{1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0}, ErrUnknownEngineID},
	wrongDigests:         {mib.OID{1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0}, ErrWrongDigest},
	decryptionErrors:     {mib.OID{1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0}, ErrDecryption},
}

// The errors of RFC 3414 section 3.2. A [Failure] wraps one of them.
var (
	ErrUnsupportedSecLevel = errors.New("usm: unsupported security level")
	ErrNotInTimeWindow     = errors.New("usm: not in time window")
	ErrUnknownUserName     = errors.New("usm: unknown user name")
	ErrUnknownEngineID     = errors.New("usm: unknown engine id")
	ErrWrongDigest         = errors.New("usm: wrong digest")
	ErrDecryption          = errors.New("usm: decryption error")
)

// Failure is the reason why [USM.Incoming] rejected a message, with the content of the report to
// its sender. It is part of the [Session] and valid until the next use of the session.
type Failure struct {
	Counter     mib.OID            // instance of the usmStats counter; must not be changed
	Value       uint32             // of the counter
	ReportLevel wire.SecurityLevel // security level of the report
	err         error
}

// Error returns the reason.
func (f *Failure) Error() string { return fmt.Sprintf("%s (%d times)", f.err, f.Value) }

// Unwrap returns the error for errors.Is.
func (f *Failure) Unwrap() error { return f.err }

// IsWrongDigest reports whether the sender used a wrong key or the message was changed.
func (f *Failure) IsWrongDigest() bool { return f.err == ErrWrongDigest }

// fail counts a failure and stores it in the session.
func (u *USM) fail(s *Session, why stat, report wire.SecurityLevel) error {
	n := u.stats[why].Add(1)
	s.failure = Failure{failures[why].counter, uint32(n), report, failures[why].err}
	return &s.failure
}
