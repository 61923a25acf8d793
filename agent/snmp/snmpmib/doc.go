// Package snmpmib has the MIB modules about the SNMP engine itself, as modules of package mib. With
// them an NMS discovers the embedded responder like any other agent:
//
//	SNMPv2-MIB               1.3.6.1.2.1.1        system, sysORTable (RFC 3418)
//	                         1.3.6.1.2.1.11       snmp, the counters of RFC 1213 included
//	                         1.3.6.1.6.3.1.1.6    snmpSetSerialNo
//	SNMP-FRAMEWORK-MIB       1.3.6.1.6.3.10.2.1   snmpEngine (RFC 3411)
//	SNMP-MPD-MIB             1.3.6.1.6.3.11.2.1   snmpMPDStats (RFC 3412)
//	SNMP-TARGET-MIB          1.3.6.1.6.3.12.1     targets, sources, counters of contexts (RFC 3413)
//	SNMP-NOTIFICATION-MIB    1.3.6.1.6.3.13.1     snmpNotifyTable, without filters (RFC 3413)
//	SNMP-USER-BASED-SM-MIB   1.3.6.1.6.3.15.1     usmStats, usmUserTable (RFC 3414 section 5)
//	SNMP-VIEW-BASED-ACM-MIB  1.3.6.1.6.3.16.1     the four tables of VACM (RFC 3415 section 4)
//	SNMP-COMMUNITY-MIB       1.3.6.1.6.3.18.1     communities, masks of sources (RFC 3584 section 5.3)
//
// Users, groups, views, communities and targets come from the configuration, which alone changes
// them. Their objects have the MAX-ACCESS of their MIB modules, but every SET is notWritable, and
// all rows are readOnly(5) and active(1). A SET can change snmpSetSerialNo and, where the
// configuration has no value of its own, sysContact, sysName, sysLocation and
// snmpEnableAuthenTraps. [Settings] keeps these four in a file.
//
// # Who owns what
//
// The package stores the serial number, the [Settings], the random values of the three spin locks,
// and the rows built from the last policy, the last targets and the last users. It builds rows when a
// request first sees new ones of these, never for single cells. A pinned state always shows the
// data that it was pinned with, except the values of Settings, which are the current ones. All
// functions may be called from several goroutines.
package snmpmib
