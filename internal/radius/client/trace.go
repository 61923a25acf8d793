package client

import (
	"context"
	"log/slog"
	"time"

	"aaasess/internal/radius"
)

// tracedPerSecond is the most transmissions that are logged at level debug in a second.
const tracedPerSecond = 200

// trace logs a transmission at level debug. err is nil if the packet was sent.
func (c *Client) trace(g *Group, t *preparedTransmission, b []byte, err error) {
	log := c.cfg.Logger
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	suppressed, ok := c.traced.Allow(time.Now())
	if !ok {
		return
	}
	args := []any{"group", g.cfg.Name, "server", t.path.server.Name, "address", t.addr, "attempt", t.number, "suppressed", suppressed}
	if p, err := radius.Parse(b); err == nil {
		session := radius.Attributes(p.Attributes()).Text(radius.AcctSessionID)
		args = append(args, []any{"code", p.Code().String(), "id", p.Identifier(), "session", session}...)
	}
	if err != nil {
		args = append(args, "err", err)
	}
	log.Debug("RADIUS request sent", args...)
}
