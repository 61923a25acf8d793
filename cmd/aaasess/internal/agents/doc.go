// Package agents has the command snmp: the sessions of other agents that serve CISCO-AAA-SESSION-MIB.
// It does not use the daemon: it sends SNMP to the hosts of its arguments (package snmpmanager), and reads
// the files and the environment variables that have secrets.
package agents
