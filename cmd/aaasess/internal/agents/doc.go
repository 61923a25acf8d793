// Package agents has the command snmp: the sessions of other agents that serve CISCO-AAA-SESSION-MIB.
// It does not use the daemon.
package agents
