package usm

import (
	"errors"
	"fmt"
	"sync/atomic"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// TimeWindow is how many seconds the time in a message may differ from the engine's (RFC 3414 section
// 2.2.3).
const TimeWindow = 150

// USM is the User-based Security Model of an engine that is authoritative: it is asked. All methods may
// be called from any goroutine.
type USM struct {
	engine *Engine
	users  atomic.Pointer[Users]
	stats  [numStats]atomic.Uint64
}

// New makes the model of an engine; the users' keys must be those for that engine.
func New(e *Engine, users *Users) *USM {
	u := &USM{engine: e}
	u.users.Store(users)
	return u
}

// Engine is the engine whose messages these are.
func (u *USM) Engine() *Engine { return u.engine }

// Users is the present set of users.
func (u *USM) Users() *Users { return u.users.Load() }

// SetUsers replaces the users. A request that is being answered keeps the keys that it came with.
func (u *USM) SetUsers(users *Users) { u.users.Store(users) }

// Counts are the usmStats counters of RFC 3414 section 5: how many messages were dropped, and why.
type Counts struct {
	UnsupportedSecLevels uint64
	NotInTimeWindows     uint64
	UnknownUserNames     uint64
	UnknownEngineIDs     uint64
	WrongDigests         uint64
	DecryptionErrors     uint64
}

// Counts gives the counters as they are now.
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

// stat is one of the usmStats; its number is one less than its sub-identifier.
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

// failures are what the counters are called and the errors that belong to them.
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

// What a [Failure] wraps: the errors that RFC 3414 section 3.2 names.
var (
	ErrUnsupportedSecLevel = errors.New("usm: unsupported security level")
	ErrNotInTimeWindow     = errors.New("usm: not in time window")
	ErrUnknownUserName     = errors.New("usm: unknown user name")
	ErrUnknownEngineID     = errors.New("usm: unknown engine id")
	ErrWrongDigest         = errors.New("usm: wrong digest")
	ErrDecryption          = errors.New("usm: decryption error")
)

// Failure is why [USM.Incoming] refused a message, and what the report to its sender says. It is part of
// the [Session] and valid until that is used again.
type Failure struct {
	Counter     mib.OID            // the instance of the usmStats counter; it must not be changed
	Value       uint32             // of the counter
	ReportLevel wire.SecurityLevel // with which a report is sent
	err         error
}

// Error gives the reason.
func (f *Failure) Error() string { return fmt.Sprintf("%s (%d times)", f.err, f.Value) }

// Unwrap gives the sentinel of the reason.
func (f *Failure) Unwrap() error { return f.err }

// IsWrongDigest says whether somebody used a wrong key or changed the message.
func (f *Failure) IsWrongDigest() bool { return f.err == ErrWrongDigest }

// fail counts a failure and puts it into the session.
func (u *USM) fail(s *Session, why stat, report wire.SecurityLevel) error {
	n := u.stats[why].Add(1)
	s.failure = Failure{failures[why].counter, uint32(n), report, failures[why].err}
	return &s.failure
}
