package snmp

import (
	"errors"
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"aaasess/agent/snmp/usm"
)

// complaint is a kind of trouble that an operator may want to look into.
type complaint uint8

const (
	badCommunity  complaint = iota
	notAuthentic            // wrong digest, unknown user, a level that the user has not
	notAuthorized           // of a group that may not do so
	badVersion
	malformed
	overLimit
	notSent
	complaints
)

var complaintTexts = [complaints]string{
	badCommunity:  "snmp: community refused",
	notAuthentic:  "snmp: message refused",
	notAuthorized: "snmp: request refused, authorizationError",
	badVersion:    "snmp: only SNMPv2c and SNMPv3 are answered",
	malformed:     "snmp: not a message",
	overLimit:     "snmp: over a limit, dropped",
	notSent:       "snmp: answer not sent",
}

const (
	// complainEvery is how often the same trouble of one source is logged, and grievances how many
	// sources are told apart for each kind: what makes trouble must not fill the disk, and strangers
	// must not hide what those who are known do.
	complainEvery = time.Minute
	grievances    = 16
)

// grievance is the trouble of those sources that share a place.
type grievance struct {
	last       atomic.Int64 // when it was logged, on the limiters' clock and 1 behind it; 0: never
	suppressed atomic.Uint64
}

// complain logs trouble with a source, and with a user if there is one. Whatever else came of them within a
// minute is in the counters.
func (r *Responder) complain(k complaint, from netip.AddrPort, now int64, user []byte, args ...any) {
	g := r.grievance(k, from.Addr(), user)
	last := g.last.Load()
	if last != 0 && now-last < int64(complainEvery) || !g.last.CompareAndSwap(last, now+1) {
		g.suppressed.Add(1)
		return
	}
	if len(user) > 0 {
		args = append([]any{"user", string(user)}, args...)
	}
	r.cfg.Logger.Warn(complaintTexts[k], append([]any{"from", from, "suppressed", g.suppressed.Swap(0)}, args...)...)
}

func (r *Responder) grievance(k complaint, from netip.Addr, user []byte) *grievance {
	var h maphash.Hash
	h.SetSeed(r.seed)
	a := from.As16()
	_, _ = h.Write(a[:])
	_, _ = h.Write(user)
	return &r.grievances[k][h.Sum64()%grievances]
}

// complainRefused tells of what the security model refused. That a manager must learn our engine, boots
// or time first is no trouble.
func (e *exchange) complainRefused(f *usm.Failure) {
	user := e.session.Params.UserName
	if errors.Is(f, usm.ErrUnknownEngineID) || errors.Is(f, usm.ErrNotInTimeWindow) || len(user) == 0 {
		return
	}
	e.r.complain(notAuthentic, e.from, e.now, user, "err", f.Unwrap())
}
