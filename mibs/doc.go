// Package mibs has the MIB modules of aaasess as text, for people, for SNMP tools, and for tests
// that compare our code with them.
//
// CISCO-AAA-SESSION-MIB is complete, and so are the modules about the embedded responder itself:
// SNMPv2-MIB (RFC 3418), SNMP-FRAMEWORK-MIB (RFC 3411), SNMP-MPD-MIB (RFC 3412),
// SNMP-USER-BASED-SM-MIB (RFC 3414), SNMP-VIEW-BASED-ACM-MIB (RFC 3415), SNMP-USM-AES-MIB (RFC
// 3826) and SNMP-USM-HMAC-SHA2-MIB (RFC 7860). SNMP-TARGET-MIB (RFC 3413) is abridged. The others
// are imported by these, so that net-snmp and libsmi can load them on a host without other modules:
// Debian ships none, because of their licenses. SNMPv2-SMI, SNMPv2-TC and SNMPv2-CONF have every
// name of RFC 2578, 2579 and 2580; IF-MIB (RFC 2863) and CISCO-SMI are abridged. README.md says how
// to use the folder.
//
// Names, numbers, types and access are those of the published modules; the descriptions are our
// own. A file has the name of its module with the suffix ".txt".
//
// [Objects] reads the object types of a module from its text. It supports the part of SMIv2 (RFC
// 2578, 2579) that these modules use and rejects everything else. It is for tests and tools; the
// SNMP agents do not call it.
//
// lex.go splits the text into tokens, parse.go parses one module, resolve.go resolves OIDs and base
// types across modules. No state is kept between calls, so all functions may be called from several
// goroutines.
package mibs
