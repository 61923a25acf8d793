package radius

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

// AuthPort is the UDP port that NASes send Access-Requests to (RFC 2865 section 3).
const AuthPort = 1812

// AuthConfig configures an AuthListener.
type AuthConfig struct {
	// Addresses to listen on, as in [Config].
	Addresses []netip.AddrPort
	// Clients that may send Access-Requests; SetClients replaces them.
	Clients []Client
	// Log receives warnings and errors; nil discards them.
	Log *slog.Logger
}

// AuthListener receives Access-Requests from NASes. Its methods may be called from any goroutine.
type AuthListener struct {
	listener *Listener
	relay    Relay
}

// NewAuthListener opens the sockets of an AuthListener.
func NewAuthListener(cfg AuthConfig, relay Relay) (*AuthListener, error) {
	l, err := New(Config(cfg), nil)
	if err != nil {
		return nil, err
	}
	return &AuthListener{listener: l, relay: relay}, nil
}

// SetClients replaces all clients.
func (l *AuthListener) SetClients(list []Client) error { return l.listener.SetClients(list) }

// ForgetAnswered frees memory of answered requests.
func (l *AuthListener) ForgetAnswered(now time.Time) int { return l.listener.ForgetAnswered(now) }

// Addr returns the first address.
func (l *AuthListener) Addr() netip.AddrPort { return l.listener.Addr() }

// Addrs returns all addresses.
func (l *AuthListener) Addrs() []netip.AddrPort { return l.listener.Addrs() }

// Stats returns a copy of the statistics.
func (l *AuthListener) Stats() AuthStats { return AuthStats{} }

// Close closes the sockets of an AuthListener whose Run is never called.
func (l *AuthListener) Close() error { return l.listener.Close() }

// String names the AuthListener for a log.
func (l *AuthListener) String() string { return "radius authentication listener" }

// Ready is closed when Run receives requests.
func (l *AuthListener) Ready() <-chan struct{} { return l.listener.Ready() }

// Run receives requests until ctx ends.
func (l *AuthListener) Run(ctx context.Context) error { return l.listener.Run(ctx) }
