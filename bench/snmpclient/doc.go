// Package snmpclient is the SNMP client that measures agents: walks and GETs of casnActiveTable, by SNMPv2c or by SNMPv3
// with authPriv. [Run] is the program; it prints a [Measurement] as JSON. A request is sent once, because a retransmission
// would hide a lost answer in a rate.
package snmpclient
