// Package radiustest is a fake NAS for tests of package radius; a function decides its answers. It
// sends real octets over loopback. It uses another RADIUS implementation, so that the two check
// each other.
//
// A [NAS] receives Disconnect-Requests (RFC 5176); [Account] sends one Accounting-Request (RFC
// 2866). Each is for one test at a time; the NAS's goroutine ends with its test. [Run], [Log] and
// [WaitFor] are for tests of everything that runs until its context ends.
package radiustest
