// Package tacacs delivers accounting records to TACACS+ servers (RFC 8907 section 7). A [Group] is
// the servers of one server group as an [accounting.Method]. Package aaasess/internal/tacacs/client
// sends the packets; this package has the parts that are specific to accounting.
//
// [Arguments] makes a request of a record: its fields, and the arguments in the order of the
// examples of S1 and S2. It does so anew for each transmission, because the delay changes.
//
// Only a reply with status SUCCESS delivers a record. After ERROR and FOLLOW from all servers the
// record has no response, and goes to the next method of its list (R42). If that happens to one
// record again and again while others are accepted, the delivery sets it aside.
//
// A system record ([Group.Announce], R52, R63) gets the normal transmissions to each server, dead or
// not, and no back-off.
package tacacs
