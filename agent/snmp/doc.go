// Package snmp is an SNMP command responder (RFC 3413 section 3): it serves a tree of package mib
// over UDP to managers that speak SNMPv2c (RFC 3416, RFC 1901) and SNMPv3 with the User-based
// Security Model (RFC 3412, RFC 3414), without a master agent. Of SNMPv1 it counts the messages.
//
// # Layers
//
//	Responder  responder.go  sockets, goroutines, what is configured
//	endpoint   endpoint.go   one socket: datagrams in, answers out
//	           serve.go      which goroutine answers what
//	exchange   exchange.go   one request and its answer, with the memory for both
//	           process.go    message in, verdict out (RFC 3412 section 7)
//	           read.go       GetRequest, GetNextRequest, GetBulkRequest (RFC 3416 section 4.2)
//	           set.go        SetRequest
//	wire       octets        usm   authentic and private?       vacm  may it be seen?
//	snmpmib    what we tell of ourselves                        limit how much for one source
//
// An exchange has no socket and no timer in it: process takes octets, and says whether an answer is in
// its frame. So most tests, and the fuzz target, need no network.
//
// # Goroutines
//
// One goroutine reads each socket, as many datagrams as there are. The first it answers itself: a
// manager alone, asking one thing after the other, costs no switch between goroutines. When it finds
// more, helpers take them, one for each further processor; if all of them are at work it goes on
// itself. Reading the tree waits for nothing, so no request waits for more than those before it.
//
// A SET may wait for the disk. It is checked where it was read, then given to one of a few setters; a
// bounded number waits for these, and what is more is dropped and counted. Requests that a manager sends
// without waiting for answers may overtake each other.
//
// An exchange has one owner at a time and is passed on with its request. Users, policy and limits are
// read once for each request, and replaced as a whole.
//
// # What is answered to bad input
//
//	not BER, or not a message                nothing; snmpInASNParseErrs
//	SNMPv1, or no version that there is      nothing; snmpInBadVersions
//	unknown community, or not from there     nothing; snmpInBadCommunityNames, authenticationFailure
//	another security model                   nothing; snmpUnknownSecurityModels
//	privacy without authentication           nothing; snmpInvalidMsgs
//	whatever USM refuses                     a report of its counter, if the flag asks for one
//	another context engine or context        a report; snmpUnknownPDUHandlers, snmpUnknownContexts
//	a response, trap, inform or report       nothing; snmpUnknownPDUHandlers
//	a user or community without such access  authorizationError (RFC 3413 section 3.2 step 4)
//	an answer that is larger than possible   tooBig; of a GETBULK what fits
//
// # Denial of service
//
// Messages, reports to messages that are not authentic, and octets in answer to what anybody can forge
// (SNMPv2c, noAuthNoPriv) are bounded for each source and second ([Limits]). A request is answered with
// at most one datagram, however many repetitions it asks for, and a bounded number of jumps over what its
// view has not. Of a message that proves nothing no more is read than its report needs. An answer is sent at
// once or not at all: a link that takes nothing keeps nobody waiting.
package snmp
