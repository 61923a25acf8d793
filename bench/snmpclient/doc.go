// Package snmpclient is the SNMP client that measures agents: walks and GETs of casnActiveTable,
// with SNMPv2c or with SNMPv3 and authPriv. [Run] is the program, which prints a [Measurement] as
// JSON. A request is sent once, because a retransmission would hide a lost answer in a rate.
package snmpclient
