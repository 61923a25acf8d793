package snmp

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"aaasess/agent/snmp/usm"
)

// complaint is a kind of trouble that an operator may want to look into.
type complaint uint8

const (
	badCommunity complaint = iota
	notAuthentic           // wrong digest, unknown user, a level that the user has not
	malformed
	overLimit
	notSent
	complaints
)

var complaintTexts = [complaints]string{
	badCommunity: "snmp: unknown community, or not from there",
	notAuthentic: "snmp: message refused",
	malformed:    "snmp: not a message",
	overLimit:    "snmp: over a limit, dropped",
	notSent:      "snmp: answer not sent",
}

// complainEvery is how often trouble of one kind is logged: what makes it must not fill the disk.
const complainEvery = time.Minute

// grievance is one kind of trouble so far.
type grievance struct {
	last       atomic.Int64 // when it was logged, on the limiters' clock and 1 behind it; 0: never
	suppressed atomic.Uint64
}

// complain logs trouble with a source, one line a minute for each kind. Whatever else came meanwhile is
// in the counters.
func (r *Responder) complain(k complaint, from netip.AddrPort, now int64, args ...any) {
	g := &r.grievances[k]
	last := g.last.Load()
	if last != 0 && now-last < int64(complainEvery) || !g.last.CompareAndSwap(last, now+1) {
		g.suppressed.Add(1)
		return
	}
	r.cfg.Logger.Warn(complaintTexts[k], append([]any{"from", from, "suppressed", g.suppressed.Swap(0)}, args...)...)
}

// complainRefused tells of what the security model refused. That a manager must learn our engine, boots
// or time first is no trouble.
func (e *exchange) complainRefused(f *usm.Failure) {
	if errors.Is(f, usm.ErrUnknownEngineID) || errors.Is(f, usm.ErrNotInTimeWindow) || len(e.session.Params.UserName) == 0 {
		return
	}
	e.r.complain(notAuthentic, e.from, e.now, "user", string(e.session.Params.UserName), "err", f.Unwrap())
}
