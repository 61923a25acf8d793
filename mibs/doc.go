// Package mibs holds the MIB modules of aaasess as text, for people, for SNMP
// tools and for the tests that hold our code against them.
//
// CISCO-AAA-SESSION-MIB is complete, and so are the modules by which the embedded
// responder tells of itself: SNMPv2-MIB (RFC 3418), SNMP-FRAMEWORK-MIB (RFC 3411),
// SNMP-MPD-MIB (RFC 3412), SNMP-USER-BASED-SM-MIB (RFC 3414),
// SNMP-VIEW-BASED-ACM-MIB (RFC 3415), SNMP-USM-AES-MIB (RFC 3826) and
// SNMP-USM-HMAC-SHA2-MIB (RFC 7860); SNMP-TARGET-MIB (RFC 3413) is cut. The others
// are what these import, so that net-snmp and libsmi can load them where no other
// module is installed: Debian ships none, for their licenses. SNMPv2-SMI, SNMPv2-TC
// and SNMPv2-CONF have every name of RFC 2578, 2579 and 2580; IF-MIB (RFC 2863) and
// CISCO-SMI are cut. README.md says how to use the folder.
//
// Names, numbers, types and access are those of the published modules; the
// descriptions are our own. A file is called after its module, plus ".txt".
//
// [Objects] reads the object types of a module out of its text. The reader
// knows the part of SMIv2 (RFC 2578, 2579) that these modules use and refuses
// all else; it is for tests and tools, nothing on the SNMP path calls it.
//
// lex.go makes tokens, parse.go one module of them, resolve.go the OIDs and
// base types that go through several modules. Nothing is kept between calls,
// so all functions can be called from several goroutines.
package mibs
