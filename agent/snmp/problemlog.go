package snmp

import (
	"errors"
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"aaasess/agent/snmp/usm"
)

// problem is a kind of bad message or failure that an operator may want to know about.
type problem uint8

const (
	badCommunity  problem = iota
	notAuthentic          // wrong digest, unknown user, or a level above the user's
	notAuthorized         // the group has no access
	badVersion
	malformed
	overLimit
	notSent
	numProblems
)

var problemTexts = [numProblems]string{
	badCommunity:  "snmp: message dropped, unknown community or source address",
	notAuthentic:  "snmp: message rejected, authentication or privacy failed",
	notAuthorized: "snmp: request rejected, user or community has no access",
	badVersion:    "snmp: message dropped, version is not SNMPv2c or SNMPv3",
	malformed:     "snmp: malformed message dropped",
	overLimit:     "snmp: message dropped, limit exceeded",
	notSent:       "snmp: sending the answer failed",
}

const (
	// Each kind of problem has logSlots log slots. A hash of source and user selects one; each slot
	// logs at most one line in logEvery. So bad messages cannot fill the disk, and unknown sources
	// hardly ever hide the lines about known ones.
	logEvery = time.Minute
	logSlots = 16
)

// logSlot limits the log lines of the sources that share it.
type logSlot struct {
	last       atomic.Int64 // time of the last line on the limiters' clock, plus 1; 0 means never
	suppressed atomic.Uint64
}

// logProblem logs a problem with a source, and with a user if there is one, unless the slot has
// logged within logEvery. The counters include all problems.
func (r *Responder) logProblem(k problem, from netip.AddrPort, now int64, user []byte, args ...any) {
	g := r.slotOf(k, from.Addr(), user)
	last := g.last.Load()
	if last != 0 && now-last < int64(logEvery) || !g.last.CompareAndSwap(last, now+1) {
		g.suppressed.Add(1)
		return
	}
	if len(user) > 0 {
		args = append([]any{"user", string(user)}, args...)
	}
	r.cfg.Logger.Warn(problemTexts[k], append([]any{"from", from, "suppressed", g.suppressed.Swap(0)}, args...)...)
}

func (r *Responder) slotOf(k problem, from netip.Addr, user []byte) *logSlot {
	var h maphash.Hash
	h.SetSeed(r.seed)
	a := from.As16()
	_, _ = h.Write(a[:])
	_, _ = h.Write(user)
	return &r.logSlots[k][h.Sum64()%logSlots]
}

// logRejected logs a message that the security model rejected. A manager that must learn our engine
// id, boots or time first is no problem.
func (e *exchange) logRejected(f *usm.Failure) {
	user := e.session.Params.UserName
	if errors.Is(f, usm.ErrUnknownEngineID) || errors.Is(f, usm.ErrNotInTimeWindow) || len(user) == 0 {
		return
	}
	e.r.logProblem(notAuthentic, e.from, e.now, user, "err", f.Unwrap())
}
