package snmp

import (
	"errors"
	"hash/maphash"
	"net/netip"
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

// complain logs trouble with a source, and with a user if there is one: a line a minute for each, so that
// strangers neither fill the disk nor hide what those who are known do. Sources that are too many to tell apart
// share a line.
func (r *Responder) complain(k complaint, from netip.AddrPort, now int64, user []byte, args ...any) {
	line := r.complaints[k].Allow(r.hash(from.Addr(), user), r.began.Add(time.Duration(now)))
	if !line.Write {
		return
	}
	if len(user) > 0 {
		args = append([]any{"user", string(user)}, args...)
	}
	r.cfg.Logger.Warn(complaintTexts[k], append([]any{"from", from, "suppressed", line.Suppressed}, args...)...)
}

// hash stands for a source and a user: a user name in a key of its own would be allocated for each message.
func (r *Responder) hash(from netip.Addr, user []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	a := from.As16()
	_, _ = h.Write(a[:])
	_, _ = h.Write(user)
	return h.Sum64()
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
