// Package snmpmib describes what an SNMP engine says of itself, as modules of
// the tree (package mib), so that an NMS discovers the embedded responder as it
// does any agent:
//
//	SNMPv2-MIB               1.3.6.1.2.1.1        system, sysORTable (RFC 3418)
//	                         1.3.6.1.2.1.11       snmp, the counters of RFC 1213 included
//	                         1.3.6.1.6.3.1.1.6    snmpSetSerialNo
//	SNMP-FRAMEWORK-MIB       1.3.6.1.6.3.10.2.1   snmpEngine (RFC 3411)
//	SNMP-MPD-MIB             1.3.6.1.6.3.11.2.1   snmpMPDStats (RFC 3412)
//	SNMP-TARGET-MIB          1.3.6.1.6.3.12.1     the two counters of contexts (RFC 3413)
//	SNMP-USER-BASED-SM-MIB   1.3.6.1.6.3.15.1     usmStats, usmUserTable (RFC 3414 section 5)
//	SNMP-VIEW-BASED-ACM-MIB  1.3.6.1.6.3.16.1     the four tables of VACM (RFC 3415 section 4)
//
// Users, groups and views are what the configuration says, and only it changes
// them: their objects have the MAX-ACCESS of their modules, but every SET is
// notWritable, all rows are readOnly(5) and active(1). The one object that can
// be set is snmpSetSerialNo.
//
// # Who owns what
//
// The package keeps nothing but the serial number, the random values of the two
// spin locks, and for each of the policy and the users the rows made of the one
// seen last. Rows are made when a request first meets another policy or other
// users, never for a cell; a pinned state goes on showing what it was pinned
// from. All may be used by several goroutines.
package snmpmib
