package servers

import (
	"fmt"
	"net/netip"
)

// Overlay is what managers have changed by SNMP on top of the configuration file (casConfigTable of
// CISCO-AAA-SERVER-MIB). It survives a restart; the file is never changed.
type Overlay struct {
	Created   []Created
	Destroyed []Key // servers of the file
}

// Created is a server that a manager has created. It is in the group of all servers of its protocol
// only.
type Created struct {
	Protocol Protocol
	Index    uint32 // casIndex
	Addr     netip.Addr
	// AuthPort and AcctPort are casAuthenPort and casAcctPort. For TACACS+, AuthPort is the TCP port and
	// AcctPort has no effect.
	AuthPort, AcctPort uint16
	Key                string // "" means the key of all servers of the protocol
}

// Name is the name of the server, as in a configuration file.
func (c *Created) Name() string { return fmt.Sprintf("snmp-%s-%d", c.Protocol, c.Index) }

// Fault returns why the server fits no configuration, or "".
func (c *Created) Fault() string {
	switch {
	case c.Protocol != RADIUS && c.Protocol != TACACS:
		return "its protocol is not known"
	case c.Index == 0:
		return "its casIndex is 0"
	case !c.Addr.Unmap().Is4(): // it would have no row, so no manager could destroy it
		return fmt.Sprintf("%s is not an IPv4 address", c.Addr)
	case !IsHost(c.Addr):
		return fmt.Sprintf("%s is not the address of a server", c.Addr)
	case c.Protocol == TACACS && c.AuthPort == 0:
		return "it has no port"
	case c.Protocol == RADIUS && c.AuthPort == 0 && c.AcctPort == 0:
		return "it has neither a port for authentication nor one for accounting"
	case c.Protocol == RADIUS && c.AuthPort == c.AcctPort:
		return fmt.Sprintf("port %d is that for authentication and that for accounting", c.AuthPort)
	}
	return ""
}

// broadcast is the address of all hosts of a network (RFC 919).
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// IsHost reports whether an address can be that of one host.
func IsHost(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsValid() && !addr.IsUnspecified() && !addr.IsMulticast() && addr != broadcast
}
