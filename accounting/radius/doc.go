// Package radius delivers accounting records to RADIUS servers (RFC 2866). A [Group] is the servers
// of one server group as an [accounting.Method]. Package aaasess/internal/radius/client sends the
// packets; this package has the parts that are specific to accounting.
//
// A request has the attributes of the record and then Acct-Delay-Time, which is new in each attempt
// (R61). A group can add the NAS's own Acct-Session-Id before it, and User-Id and NAS-Identifier
// after it, where the examples of S1 and S2 have them (R46). A request has no Proxy-State and no
// Message-Authenticator. The attributes of a response are ignored (RFC 2866 section 4.2).
//
// An Accounting-On or -Off ([Group.Announce], R63) gets the normal transmissions to each server,
// dead or not, and no back-off.
package radius
