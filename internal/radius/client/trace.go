package client

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
)

// What became of a server's answer, for the log.
const (
	outcomeAccepted         = "accepted"
	outcomeLate             = "accepted, after its timeout"
	outcomeDuplicate        = "duplicate, or its request was given up"
	outcomeUnexpected       = "unexpected"
	outcomeMalformed        = "malformed"
	outcomeWrongCode        = "wrong code"
	outcomeBadAuthenticator = "bad authenticator"
	outcomeUnsigned         = "no Message-Authenticator"
	outcomeForeign          = "from another address"
)

// trace logs a transmission of x at level debug. err is nil if the packet was sent.
func (c *Client) trace(x *exchange, t *preparedTransmission, b []byte, err error) {
	log := c.cfg.Logger
	suppressed, ok := c.tracedRequests.Allow(log, c.cfg.Now())
	if !ok {
		return
	}
	args := []any{
		"group", x.group.cfg.Name, "server", t.path.server.Name, "address", t.addr, "attempt", t.number, "suppressed", suppressed,
		"session", x.req.Session(),
	}
	if p, err := radius.Parse(b); err == nil {
		args = append(args, []any{"code", p.Code().String(), "id", p.Identifier()}...)
		if user := radius.Attributes(p.Attributes()).Text(radius.UserName); user != "" {
			args = append(args, "user", user)
		}
	}
	if err != nil {
		args = append(args, "err", err)
	}
	log.Debug("RADIUS request sent", args...)
}

// receivedAnswer is what is known of a packet from a server, for the log.
type receivedAnswer struct {
	outcome string
	addr    netip.AddrPort // of the server; the zero AddrPort means that the socket is closed, or unknown
	packet  radius.Packet  // the zero Packet means that it is malformed, or from another address
	answers transmission   // without an exchange if none waits for the answer
}

// traceAnswer logs a packet from the server at level debug.
func (p *path) traceAnswer(a *receivedAnswer) {
	c := p.server.client
	now := c.cfg.Now()
	suppressed, ok := c.tracedAnswers.Allow(c.cfg.Logger, now)
	if !ok {
		return
	}
	args := []any{"server", p.server.Name, "outcome", a.outcome, "suppressed", suppressed}
	if a.addr.IsValid() {
		args = append(args, []any{"address", a.addr}...)
	}
	if a.packet.Octets() != nil {
		args = append(args, []any{"code", a.packet.Code().String(), "id", a.packet.Identifier()}...)
	}
	if x := a.answers.exchange; x != nil {
		roundTrip := now.Sub(a.answers.sent).Round(time.Microsecond)
		args = append(args, []any{"group", x.group.cfg.Name, "session", x.req.Session(), "round_trip", roundTrip}...)
		if user := x.req.User(); user != "" { // the answer has it only if the server changes it
			args = append(args, "user", user)
		}
	}
	c.cfg.Logger.Debug("RADIUS answer received", args...)
}
