package snmp

import (
	"time"

	"aaasess/mib"
)

// trace logs a request and its error-status at level debug.
func (e *exchange) trace(status mib.ErrorStatus) {
	log := e.r.cfg.Logger
	suppressed, ok := e.r.traced.Allow(log, time.Now())
	if !ok {
		return
	}
	args := []any{"from", e.from, "user", e.requester().Name, "version", e.msg.Version, "pdu", e.pdu.Type, "id", e.pdu.RequestID, "suppressed", suppressed}
	if len(e.pdu.Varbinds) > 0 {
		args = append(args, "object", e.r.tree.Describe(e.pdu.Varbinds[0].Name))
	}
	log.Debug("snmp: request answered", append(args, "outcome", status)...)
}

// traceProblem logs a message that is rejected at level debug. The log has at most one line a minute of
// each kind at its usual level.
func (e *exchange) traceProblem(k problem, user []byte, args []any) {
	log := e.r.cfg.Logger
	suppressed, ok := e.r.traced.Allow(log, time.Now())
	if !ok {
		return
	}
	log.Debug("snmp: message not answered, or rejected", append([]any{"from", e.from, "user", string(user), "reason", problemTexts[k], "suppressed", suppressed}, args...)...)
}
