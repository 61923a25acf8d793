package radius

import (
	"net/netip"
	"time"
)

// Stats is what a Group has counted since New.
type Stats struct {
	// InvalidServerAddresses is datagrams from elsewhere than a server (radiusAccClientInvalidServerAddresses).
	InvalidServerAddresses uint64
	Servers                []ServerStats // in the order of Config.Servers
}

// ServerStats is what is known of one server, by the names of radiusAccServerExtTable (RFC 4670).
// A record that is answered late is among both Timeouts and Responses.
type ServerStats struct {
	Name string
	Addr netip.AddrPort
	// RoundTripTime is the time between the latest right answer and the attempt that it answers.
	RoundTripTime time.Duration
	// Requests is the records that were sent to the server, without retransmissions.
	Requests uint64
	// Retransmissions is the further attempts with the same server.
	Retransmissions uint64
	// Responses is all datagrams from the server, right or wrong.
	Responses uint64
	// MalformedResponses is those whose framing is wrong.
	MalformedResponses uint64
	// BadAuthenticators is those with a wrong authenticator or Message-Authenticator: another secret
	// mostly, or the answer to an attempt so old that its identifier had to be used again.
	BadAuthenticators uint64
	// PendingRequests is attempts that wait for their answer, without those that timed out.
	PendingRequests int
	// Timeouts is attempts that got no answer in time.
	Timeouts uint64
	// UnknownTypes is datagrams that are no Accounting-Response.
	UnknownTypes uint64
	// PacketsDropped is answers to an identifier that waits for none: copies, mostly.
	PacketsDropped uint64
	// SendErrors is attempts that the system did not send, and sockets that could not be opened. No
	// object of the MIB counts them.
	SendErrors uint64
	// LastResponse is when the latest right answer came; zero: never.
	LastResponse time.Time
	// DownUntil is until when the server is held down; zero: it is not.
	DownUntil time.Time
}

// Stats is a copy of the statistics.
func (g *Group) Stats() Stats {
	now := g.cfg.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	all := Stats{InvalidServerAddresses: g.invalid, Servers: make([]ServerStats, len(g.servers))}
	for i, s := range g.servers {
		all.Servers[i] = s.stats
		all.Servers[i].Name, all.Servers[i].Addr = s.Name, s.Addr
		if g.states[i].down(now) {
			all.Servers[i].DownUntil = g.states[i].downUntil
		}
	}
	return all
}
