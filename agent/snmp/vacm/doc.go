// Package vacm is the View-based Access Control Model (RFC 3415): it decides who may read and write
// which objects, and who is notified about them. It also has the communities, because SNMPv1 and
// SNMPv2c identify their users by them (RFC 3584 section 5.2). Message processing asks for
// decisions; the MIB tables show the configuration.
//
// # From a message to a view
//
//	community, model, source address   Policy.Community   RFC 3584 snmpCommunityTable
//	    -> securityName
//	securityModel, securityName        Policy.Access      RFC 3415 section 3.2, steps 2 to 4
//	    -> groupName                                      vacmSecurityToGroupTable
//	groupName, model, level
//	    -> AccessEntry                                    vacmAccessTable
//
//	entry's Read, Write or Notify      the caller         step 5: without a view, noSuchView
//	OID                                View.Contains      step 6: outside the view, notInView
//
// There is one context, the default context with the empty name (RFC 3411 section 3.3.1). The
// caller does step 1, noSuchContext, because it knows the context name of the message.
//
// # Views
//
// A view consists of families: subtrees that are included or excluded. The family with the longest
// subtree that contains an OID decides. An OID in no family is outside the view (RFC 3415 section
// 4). There are no masks. A subtree is the interval from its OID up to the next OID that does not
// begin with it. So a view can be stored as a sorted list of OIDs, its edges, where it begins and
// ends in turn:
//
//	included 1.3.6, excluded 1.3.6.1.2        begins 1.3.6  ends 1.3.6.1.2  begins 1.3.6.1.3  ends 1.3.7
//
// Contains searches this list; After returns its next entry.
//
// # Secrets
//
// A community is a password. A [Policy] finds it by a digest with a key of its own. [Community] and
// Policy do not reveal the names when they are printed, logged or marshalled. snmpCommunityTable shows
// them, so [Policy.CommunityNames] has them; a request can read that column, [CommunityName], at
// authPriv only, whatever its view includes.
//
// # Concurrency
//
// Views and policies are immutable and may be used from any number of goroutines. A new
// configuration is a new Policy. The results of accessors are shared and must not be changed.
package vacm
