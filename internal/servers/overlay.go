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
