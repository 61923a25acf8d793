// Package snmpmanager reads casnActiveTable of CISCO-AAA-SESSION-MIB from SNMP agents, and ends
// sessions by a SET of casnDisconnect (spec R12). The agents are other machines: routers, or other
// hosts that run aaasessd. It speaks SNMPv2c and SNMPv3 with the library gosnmp.
//
// An [Agent] is one agent; one goroutine at a time uses it. [Each] runs a function for several agents
// at the same time, so that one that does not answer delays no other.
//
// Texts of agents are not trusted: names are octets of any value. A reply that breaks a rule of the
// protocol or of the MIB is [ErrInvalid]; no reply makes a walk endless or the memory unbounded.
package snmpmanager
