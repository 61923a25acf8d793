package agentx

import (
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// refusedSet is a SET that is refused before its CommitSet, for the log.
type refusedSet struct {
	sessionID uint32
	context   string // "" means the default context
	reason    string
	object    mib.OID // the variable that is refused; nil if there is none
}

// test answers a TestSet. The first one of a transaction that is refused is kept for the loop, which
// logs it: the answers to further ones only repeat that.
func (m *machine) test(h *Header, p *TestSet) (pdu.Error, int) {
	t := m.sets.find(h.TransactionID)
	known := t != nil && (t.phase == refused || t.phase == tooMany)
	code, index := m.sets.test(m.tree, m.by, h, p.Varbinds)
	if code != pdu.ErrorNone && !known {
		m.keepRefused(h, p, code, index)
	}
	return code, index
}

// keepRefused keeps a request that is refused for the log, if it is a TestSet. index counts its
// variables from 1.
func (m *machine) keepRefused(h *Header, p Payload, code pdu.Error, index int) {
	test, ok := p.(*TestSet)
	if !ok {
		return
	}
	r := &refusedSet{sessionID: h.SessionID, context: test.Context, reason: codeName(code)}
	if t := m.sets.find(h.TransactionID); t != nil && t.reason != "" {
		r.reason = t.reason
	}
	if index > 0 && index <= len(test.Varbinds) {
		r.object = test.Varbinds[index-1].Name
	}
	m.setRefused = r
}

// logRefusedSet writes a line for a SET that is refused, at most one a minute. The master tells
// neither who sent the SET nor from where; its own log may.
func (s *Subagent) logRefusedSet(r *refusedSet) {
	suppressed, ok := s.refusedLine.Allow(time.Now())
	if !ok {
		return
	}
	args := []any{
		"network", s.cfg.Network, "address", s.cfg.Address, "agentx_session", r.sessionID, "err", r.reason,
		"suppressed", suppressed,
	}
	if r.object != nil {
		args = append(args, []any{"object", s.tree.Describe(r.object)}...)
	}
	if r.context != "" {
		args = append(args, []any{"context", r.context}...)
	}
	s.cfg.Logger.Warn("agentx: SET refused", args...)
}
