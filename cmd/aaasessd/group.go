package main

import (
	"log/slog"
	"net/netip"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	acctradius "aaasess/accounting/radius"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
)

// newGroup makes a group of those servers whose address is known. generation and heard are its Config's.
func newGroup(g config.Group, addrs []netip.Addr, generation uint32, heard func(), log *slog.Logger) (*acctradius.Group, error) {
	rc, err := radiusConfig(g, addrs)
	if err != nil {
		return nil, err
	}
	rc.Generation, rc.Heard, rc.Logger = generation, heard, log
	return acctradius.New(rc)
}

// radiusConfig translates what is configured.
func radiusConfig(g config.Group, addrs []netip.Addr) (acctradius.Config, error) {
	algorithm, err := acctradius.ParseAlgorithm(g.AccessAlgorithm)
	if err != nil {
		return acctradius.Config{}, err
	}
	rc := acctradius.Config{
		Name: g.Name, Algorithm: algorithm, HoldDown: g.HoldDown, Source: g.SourceAddress,
		DeadCriteria: acctradius.DeadCriteria(g.DeadCriteria), MaxInFlight: g.Window,
	}
	if g.HoldDown == 0 {
		rc.HoldDown = -1
	}
	for i, s := range g.Servers {
		if addrs[i].IsValid() {
			rc.Servers = append(rc.Servers, acctradius.Server{
				Name: s.Name, Addr: netip.AddrPortFrom(addrs[i], s.Port), Secret: radius.Secret(s.Secret.Reveal()), Schedule: schedule(s),
			})
		}
	}
	return rc, nil
}

func schedule(s config.Server) accounting.Schedule {
	return accounting.Schedule{
		Timeout: s.Timeout, Retransmit: orNone(s.Retransmit), MaxDelay: s.Backoff.MaxDelay, BackoffRetry: s.Backoff.Retry,
	}
}

// Rounds for a group with back-off: the schedule of a server has transmissions enough to tell a record
// that it does not want from one that was lost. But of several servers one may be away and another may
// answer, which does not speak against the record.
const (
	backoffRounds        = 1
	backoffRoundsSeveral = 2
)

// methodConfig is how records are delivered to a method.
func methodConfig(spec any) delivery.MethodConfig {
	g, ok := spec.(config.Group)
	if !ok {
		return delivery.MethodConfig{}
	}
	c := delivery.MethodConfig{DrainRate: float64(g.DrainRate)}
	for _, s := range g.Servers {
		if s.Backoff.Retry > 0 {
			c.Rounds = backoffRounds
			if len(g.Servers) > 1 {
				c.Rounds = backoffRoundsSeveral
			}
		}
	}
	return c
}
