// Package vacm is the View-based Access Control Model (RFC 3415): who may read, write and be told of
// which objects. It also knows the communities, since SNMPv2c names its users by them (RFC 3584 section
// 5.2). It decides; message processing asks, and the MIB tables show it.
//
// # From a message to a view
//
//	community, source address          Policy.Community   RFC 3584 snmpCommunityTable
//	    -> securityName
//	securityModel, securityName        Policy.Access      RFC 3415 section 3.2, steps 2 to 4
//	    -> groupName                                      vacmSecurityToGroupTable
//	groupName, model, level
//	    -> AccessEntry                                    vacmAccessTable
//	entry's Read, Write or Notify      the caller         step 5: no view is noSuchView
//	OID                                View.Contains      step 6: outside is notInView
//
// There is one context, the default one with the empty name (RFC 3411 section 3.3.1). Step 1,
// noSuchContext, is for the caller, who has the name of the message.
//
// # Views
//
// Of the families of a view (a subtree, included or excluded) the one with the longest subtree that an
// OID lies in decides; an OID in none is outside (RFC 3415 section 4). There are no masks. A subtree is
// the interval from its OID up to the next OID that does not begin with it, so a view is a list of OIDs,
// its edges, at which it begins and ends in turn:
//
//	included 1.3.6, excluded 1.3.6.1.2        begins 1.3.6  ends 1.3.6.1.2  begins 1.3.6.1.3  ends 1.3.7
//
// Contains is a search in this list, After is its next entry.
//
// # Secrets
//
// A community is a password. A [Policy] keeps no names, only digests with a key of its own, and
// [Community] and Policy do not tell them however they are printed, logged or marshalled.
//
// # Concurrency
//
// Views and policies never change once made, and may be used by any number of goroutines. Another
// configuration is another Policy. What accessors return is shared, and must not be changed.
package vacm
