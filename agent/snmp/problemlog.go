package snmp

import (
	"errors"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"aaasess/agent/snmp/usm"
)

// problem is a kind of bad message or failure that an operator may want to know about.
type problem uint8

const (
	badCommunity  problem = iota // or not for this source address or version
	notAuthentic                 // wrong digest, unknown user, or a level above the user's
	notAuthorized                // the group has no access
	setRefused                   // a SET that its sender may not make, or that an object refused
	badVersion
	malformed
	overLimit
	notSent
	setFailed // at its commit; a SET that a test refuses is setRefused
	setNotUndone
	numProblems
)

var problemTexts = [numProblems]string{
	badCommunity:  "snmp: message dropped, unknown community, source address or version",
	notAuthentic:  "snmp: message rejected, authentication or privacy failed",
	notAuthorized: "snmp: request rejected, user or community has no access",
	setRefused:    "snmp: SET refused",
	badVersion:    "snmp: message dropped, version not accepted",
	malformed:     "snmp: malformed message dropped",
	overLimit:     "snmp: message dropped, limit exceeded",
	notSent:       "snmp: sending the answer failed",
	setFailed:     "snmp: a SET failed, nothing is changed",
	setNotUndone:  "snmp: a SET failed and could not be undone, some of its values may have changed",
}

// logProblem logs a problem with the source of the message, and with a user if there is one: at
// most one line a minute for each kind, source and user. So bad messages cannot fill the disk. The
// counters include all problems.
//
// For each kind and each [sender], [throttle.MaxKeys] sources and users have lines of their own; the
// others share one. So a flood from forged sources can push a manager onto the shared line only if
// it proves as much as the manager does: the right key, a right community, or nothing from an
// address of the same kind, listed or not.
func (e *exchange) logProblem(k problem, user []byte, args ...any) {
	e.traceProblem(k, user, args)
	r, by := e.r, e.sender
	if by == unknown && r.policy.Load().HasSource(e.from.Addr()) {
		by = listed
	}
	line := r.problemLines[k][by].Allow(r.logKey(e.from.Addr(), user), r.started.Add(time.Duration(e.now)))
	if !line.Write {
		return
	}
	r.problems.add(Problem{At: time.Now(), From: e.from, User: string(user), What: problemTexts[k], Detail: detail(args)})
	if len(user) > 0 {
		args = append([]any{"user", string(user)}, args...)
	}
	r.cfg.Logger.Warn(problemTexts[k], append([]any{"from", e.from, "suppressed", line.Suppressed}, args...)...)
}

// maxProblems is how many problems a Responder remembers.
const maxProblems = 16

// Problem is a message that was rejected, or could not be answered, as the log tells of it.
type Problem struct {
	At     time.Time
	From   netip.AddrPort
	User   string // user or security name of the sender, from the network; "" if unknown
	What   string // text of the log
	Detail string // what the log has besides, such as "pdu SetRequest, object 1.3.6"; may be from the network
}

// problemList has the last problems. The log limits how many there are, so a flood of bad messages costs
// no more here, and cannot push out all that others have sent.
type problemList struct {
	mu   sync.Mutex
	list []Problem // oldest first
}

func (l *problemList) add(p Problem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == maxProblems {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, p)
}

// Problems returns the last problems, newest first: those that the log has, at most one a minute for each
// kind, source and user.
func (r *Responder) Problems() []Problem {
	r.problems.mu.Lock()
	defer r.problems.mu.Unlock()
	list := slices.Clone(r.problems.list)
	slices.Reverse(list)
	return list
}

// detail formats the arguments of a line of the log.
func detail(args []any) string {
	var parts []string
	for pair := range slices.Chunk(args, 2) {
		parts = append(parts, fmt.Sprint(pair[0], " ", pair[len(pair)-1]))
	}
	return strings.Join(parts, ", ")
}

// logSet logs why a SET was not carried out, with its sender (for a community, its security name) and
// the object that err is about. index counts from 1; 0 means no object.
func (e *exchange) logSet(k problem, err any, index int) {
	args := []any{"err", err}
	if index > 0 && index <= len(e.pdu.Varbinds) {
		args = append(args, "object", e.r.tree.Describe(e.pdu.Varbinds[index-1].Name))
	}
	e.logProblem(k, []byte(e.requester().Name), args...)
}

// logKey is a hash of a source and a user: a key that had the user name would be allocated for each
// message.
func (r *Responder) logKey(from netip.Addr, user []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	a := from.As16()
	_, _ = h.Write(a[:])
	_, _ = h.Write(user)
	return h.Sum64()
}

// logRejected logs a message that the security model rejected. A manager that must learn our engine
// id, boots or time first is no problem.
func (e *exchange) logRejected(f *usm.Failure) {
	user := e.session.Params.UserName
	if errors.Is(f, usm.ErrUnknownEngineID) || errors.Is(f, usm.ErrNotInTimeWindow) || len(user) == 0 {
		return
	}
	e.logProblem(notAuthentic, user, "err", f.Unwrap())
}
