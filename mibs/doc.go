// Package mibs has the MIB modules of aaasess as text, for people, for SNMP tools, and for tests
// that compare our code with them.
//
// These modules are complete: CISCO-AAA-SESSION-MIB; RADIUS-ACC-CLIENT-MIB (RFC 4670),
// RADIUS-AUTH-CLIENT-MIB (RFC 4668) and RADIUS-DYNAUTH-CLIENT-MIB (RFC 4672); and, about the embedded
// responder, SNMPv2-MIB (RFC 3418), SNMP-FRAMEWORK-MIB (RFC 3411), SNMP-MPD-MIB (RFC 3412),
// SNMP-TARGET-MIB (RFC 3413), SNMP-USER-BASED-SM-MIB (RFC 3414), SNMP-VIEW-BASED-ACM-MIB (RFC 3415),
// SNMP-COMMUNITY-MIB (RFC 3584), SNMP-USM-AES-MIB (RFC 3826) and SNMP-USM-HMAC-SHA2-MIB (RFC 7860).
// AAASESS-MIB is our own module, and its enterprise number is replaced by that of the configuration.
// CISCO-AAA-SERVER-MIB and SNMP-NOTIFICATION-MIB (RFC 3413) lack what no agent of ours serves. The
// others are imported by these, so that net-snmp and libsmi can load them on a host without other
// modules: Debian ships none, because of their licenses. SNMPv2-SMI, SNMPv2-TC, SNMPv2-CONF and
// INET-ADDRESS-MIB have every name of RFC 2578, 2579, 2580 and 4001; IF-MIB (RFC 2863), SNMPv2-TM (RFC
// 3417), TRANSPORT-ADDRESS-MIB (RFC 3419) and CISCO-SMI are abridged. README.md says how to use the folder.
//
// Names, numbers, types and access are those of the published modules; the descriptions are our
// own. A file has the name of its module with the suffix ".txt". testdata/published.txt has the facts
// of the published modules, with which tests compare ours.
//
// [Objects] reads the object types of a module from its text. It supports the part of SMIv2 (RFC
// 2578, 2579) that these modules use and rejects everything else. It is for tests and tools; the
// SNMP agents do not call it.
//
// lex.go splits the text into tokens, parse.go parses one module, resolve.go resolves OIDs and base
// types across modules. No state is kept between calls, so all functions may be called from several
// goroutines.
package mibs
