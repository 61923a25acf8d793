package radius

import (
	"log/slog"
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// Config is a group with a client of its own, for tests.
type Config struct {
	Name         string
	Servers      []Server
	Algorithm    client.Algorithm
	DeadCriteria servers.DeadCriteria
	HoldDown     time.Duration
	MaxInFlight  int
	Source       netip.Addr
	Heard        func()
	Listen       func(network string, laddr netip.AddrPort) (client.Socket, error)
	Logger       *slog.Logger
	Now          func() time.Time
}

// Server is a server with an address.
type Server struct {
	Name     string
	Addr     netip.AddrPort
	Secret   radius.Secret
	Schedule retry.Schedule
}

// ServerOf returns a member with an address.
func ServerOf(m client.Member) Server {
	return Server{m.Name, netip.AddrPortFrom(netip.MustParseAddr(m.Host), m.Port), m.Secret, m.Schedule}
}

// NewGroup returns the group.
func NewGroup(cfg Config) (*Group, error) {
	c := client.New(client.Config{Dial: client.OverUDP(cfg.Listen), Logger: cfg.Logger, Now: cfg.Now})
	gc := client.GroupConfig{
		Name: cfg.Name, Algorithm: cfg.Algorithm, DeadCriteria: cfg.DeadCriteria, HoldDown: cfg.HoldDown,
		MaxInFlight: cfg.MaxInFlight, Source: cfg.Source, Heard: cfg.Heard,
	}
	for _, s := range cfg.Servers {
		id := client.Identity{Name: s.Name, Host: s.Addr.Addr().String(), Port: s.Addr.Port(), Secret: s.Secret}
		gc.Members = append(gc.Members, client.Member{Identity: id, Schedule: s.Schedule})
	}
	return New(c, gc)
}
