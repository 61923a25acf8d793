// Package radius delivers accounting records to RADIUS servers (RFC 2866): a [Group] is the servers of one server group
// as an [accounting.Method]. Package aaasess/internal/radius/client does the sending; here is what accounting is about.
//
// A request is the record's attributes and, last, Acct-Delay-Time, which grows with each attempt (R61). It has no
// Proxy-State and no Message-Authenticator. The attributes of an answer mean nothing (RFC 2866 section 4.2).
//
// An Accounting-On or -Off ([Group.Announce], R63) has the normal transmissions of each server, dead or not, and no
// back-off.
package radius
