package servers

import (
	"net/netip"
	"time"
)

// Protocol is what a server understands, with the numbers of CiscoAAAProtocol (CISCO-AAA-SERVER-MIB).
type Protocol uint8

// The protocols of our servers.
const (
	TACACS Protocol = 1
	RADIUS Protocol = 2
)

// String returns the name as the configuration has it.
func (p Protocol) String() string {
	if p == TACACS {
		return "tacacs"
	}
	return "radius"
}

// Key identifies a server: its statistics and its numbers stay as long as the configuration has the key,
// whatever else changes.
type Key struct {
	Protocol Protocol
	Name     string
}

// Identity is a server of the configuration, whether a group uses it or not.
type Identity struct {
	Protocol Protocol
	Name     string
	Host     string // an address, or a name that is resolved
	// AuthPort and AcctPort are 0 if the server is not used for that. For TACACS+ both are its TCP port.
	AuthPort, AcctPort uint16
	// Index is the casIndex of a server that a manager has created; 0: the server is in the file.
	Index uint32
	// Private reports that the group of all servers of its protocol does not have the server.
	Private bool
	// Listed reports whether a group of the file has the server, other than that of all servers of its
	// protocol. A manager cannot destroy it.
	Listed bool
}

// Key returns what identifies the server.
func (id *Identity) Key() Key { return Key{id.Protocol, id.Name} }

// Entry is a server as network management sees it.
type Entry struct {
	Identity
	// Index is casIndex, unique for the protocol, and never 0.
	Index uint32
	// Number is radiusAccServerIndex and radiusAuthServerIndex (RFC 4670, RFC 4668), 1..2^31-1, unique
	// for the protocol. It equals Index where that is possible.
	Number uint32
	// Priority is casPriority: 1 is the first server of the protocol.
	Priority uint32
	// Addr is the current address; the zero Addr means that the name is not resolved.
	Addr netip.Addr
	// Authentication and Accounting are the statistics of each purpose. They are zero for a purpose that
	// the server is not used for.
	Authentication, Accounting Stats
	// State is that of the server as a whole: dead if a port that it is used by is dead.
	State Lifetime
}

// Lifetime is the state of a server and its history (casState to casDeadCount, CISCO-AAA-SERVER-MIB).
type Lifetime struct {
	Dead      bool
	Since     time.Time     // of the state
	Previous  time.Duration // how long the state before lasted; 0: there was none
	TotalDead time.Duration // until the time of the View
	Deaths    uint64
}

// Duration is how long the state has lasted (casCurrentStateDuration).
func (l *Lifetime) Duration(now time.Time) time.Duration { return max(0, now.Sub(l.Since)) }

// View is what management sees of all servers at one moment. It is immutable.
type View struct {
	Now     time.Time
	Entries []Entry // sorted by Protocol, then Index
	// InvalidAuthAddresses and InvalidAcctAddresses count packets from addresses of no server
	// (radiusAuthClientInvalidServerAddresses, radiusAccClientInvalidServerAddresses).
	InvalidAuthAddresses, InvalidAcctAddresses uint64
	// NASIdentifier is radiusAccClientIdentifier and radiusAuthClientIdentifier.
	NASIdentifier string
}

// Change is that a server became dead, or answers again.
type Change struct {
	Protocol Protocol
	Name     string
	Lifetime // after the change
}

// Key returns the server that has changed.
func (c *Change) Key() Key { return Key{c.Protocol, c.Name} }
