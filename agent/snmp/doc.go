// Package snmp is an SNMP command responder (RFC 3413 section 3). It serves a tree of package mib
// over UDP, without a master agent, to managers that use SNMPv2c (RFC 3416, RFC 1901) or SNMPv3
// with the User-based Security Model (RFC 3412, RFC 3414). Communities that allow it are also
// answered in SNMPv1 (RFC 1157, RFC 3584).
//
// # Layers
//
//	Responder  responder.go  sockets, goroutines, configuration
//	endpoint   endpoint.go   one socket: receives datagrams, sends answers
//	           serve.go      assigns requests to goroutines
//	exchange   exchange.go   one request and its answer, with the memory for both
//	           process.go    turns a message into a verdict (RFC 3412 section 7)
//	           admit.go      who sent it, and whether a limit allows an answer
//	           read.go       GetRequest, GetNextRequest, GetBulkRequest (RFC 3416 section 4.2)
//	           set.go        SetRequest
//	           v1.go         what differs in SNMPv1
//	           problemlog.go limits the log lines about bad messages
//	wire       encoding      usm   authentication, privacy      vacm  access control
//	snmpmib    MIB objects of the SNMP engine                   limit limits for each source
//
// An exchange uses no socket and no timer: process reads octets and reports whether its frame holds
// an answer. So most tests, and the fuzz target, need no network.
//
// # Goroutines
//
// One goroutine reads each socket, as many datagrams at once as are available. It answers the last
// one itself, so a manager that sends one request after the other causes no switch between
// goroutines. It passes the others to idle helpers, one for each further processor. If no helper is
// idle, the reader answers the request itself. Reading the tree never blocks, so a request waits
// only for the requests before it.
//
// A SET may wait for the disk. The goroutine that received it checks it, then queues it for one of
// a few setters. The queue is bounded; a SET that finds it full is dropped and counted. If the disk
// hangs, a SET is answered after 0.8 s, but keeps its setter until it is undone. If a manager sends
// several requests without waiting for answers, one may overtake another.
//
// An exchange has one owner at a time, which changes with the request. Users, policy and limits are
// read once for each request and replaced as a whole.
//
// # Answers to bad input
//
//	not BER, or not a message                nothing; snmpInASNParseErrs
//	an undefined version                     nothing; snmpInBadVersions
//	SNMPv1, and no community allows it       nothing; snmpInBadVersions
//	unknown community, or a wrong source     nothing; snmpInBadCommunityNames, authenticationFailure
//	SNMPv1 or v2c, not of this community     nothing; the same
//	another security model                   nothing; snmpUnknownSecurityModels
//	privacy without authentication           nothing; snmpInvalidMsgs
//	a message that USM rejects               a report of its counter, if the flag asks for one
//	another context engine or context        a report; snmpUnknownPDUHandlers, snmpUnknownContexts
//	a response, trap, inform or report       nothing; snmpUnknownPDUHandlers
//	a user or community without access       authorizationError (RFC 3413 section 3.2 step 4)
//	an answer larger than the limit          tooBig; for a GETBULK, the part that fits
//
// # SNMPv1
//
// SNMPv1 has neither exceptions nor Counter64. A GetRequest for a variable that does not exist or
// is a Counter64 is answered with noSuchName and the index of the first such variable. A
// GetNextRequest skips Counter64, and is answered with noSuchName at the end of the view. Every
// other error-status becomes one that SNMPv1 has (RFC 3584 section 4.4). Answers with an
// error-status, including tooBig, echo the variable bindings of the request.
//
// # Denial of service
//
// Three things are limited for each source and second ([Limits]): requests, reports to
// unauthenticated messages, and octets in answers to requests whose source can be forged (SNMPv1,
// SNMPv2c, noAuthNoPriv). These octets are also limited for all sources together, because one
// sender can forge many. Answers to unknown senders are not in that total: otherwise anybody could
// use it up. They are small: a report has less than 200 octets, and an authorizationError repeats
// the request.
//
// A message is checked before it spends anything, and what it has proved decides what it spends
// (admit.go). So wrong messages with the source of a manager take none of its requests; they cost
// the responder the check, for which no limit is needed that forged sources could not evade. Only
// messages that USM accepts take requests of authenticated users. Among these are recorded ones
// that are sent again within the time window (RFC 3414 section 2.2.3): SNMPv3 cannot tell them.
//
// A request is answered with at most one datagram, however many
// repetitions it asks for. It may skip a bounded number of ranges outside its view. The responder
// reads no more of an unauthenticated message than the report needs. An answer is sent at once or
// dropped: a congested link delays nobody.
package snmp
