// Package radiustest is the other side of package radius for tests: a NAS that
// is a func. It speaks real octets over loopback and is built on another RADIUS
// implementation, so that the two check each other.
//
// A [NAS] hears Disconnect-Requests (RFC 5176); [Account] sends one
// Accounting-Request (RFC 2866). Both are for one test at a time; the NAS's
// goroutine ends with its test.
package radiustest
