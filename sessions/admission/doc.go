// Package admission keeps what authentication says of users whose accounting has not begun, and tells
// the session table. It has no socket: the authentication relay calls [Store.Ask] for each
// Access-Request, and [Store.Accept] or [Store.Reject] for its answer.
//
// # Logins
//
// A login is an authentication that no session has followed yet. It has the NAS, the user and the line
// of its Access-Request, and what the Access-Accept grants. Rounds of one login (EAP, RFC 3579) and
// repetitions are equal in all of these, so they are one. A session that begins, with whatever packet,
// takes its login: the one at the same NAS (R25) and of the same user with its
//
//   - Acct-Session-Id, else
//   - Calling-Station-Id, else
//   - NAS-Port or NAS-Port-Id, else
//   - the one that nothing contradicts, if there is only one, or all were granted the same.
//
// The user is that of the request or of the Accept, whose name a NAS should use in accounting (RFC 2865
// section 5.1). Of several logins the newest counts. If both packets have an Acct-Session-Id, it must be
// equal (RFC 2866 section 5.5).
//
// The Accept of a user whose session lives already (a re-authentication, or a start that overtook it)
// goes to that session. It is found by its Acct-Session-Id. A NAS that sends none in Access-Requests may
// mean its live session on the line or a new one: if none begins within ten seconds, it was the live
// one.
//
// A Reject becomes the stop record of R49, and an Accept that no session follows within
// [Config.StartWait] that of R45a; the policy decides whether they are recorded.
//
// # Numbers
//
// With [Config.IncludeInAccessReq] a login reserves the number of its session, and servers are told the
// Acct-Session-Id at once. A number that was told is never that of another session: the table keeps
// blocks of numbers durable. With [Config.SyncWithClient] the NAS's own Acct-Session-Id goes upstream,
// and a session gets the number at its end if that is free.
//
// # Calls
//
// A login of kind [sessions.Resource] is the preauthentication of a call (RFC 2865 section 5.6,
// Call-Check). Its Class goes to the call's records, and to the Access-Requests of users on its line
// (R56).
//
// # What is lost
//
// Logins are in memory only, and bounded in number, octets and time. What a session was granted is
// durable with it. A restart between an Accept and its start loses what was granted to this one session,
// and with IncludeInAccessReq the session gets another number than servers were told. A NAS that echoes
// Class in its accounting (RFC 2865 section 5.25) still has it in its records.
//
// # Layout
//
// A hundred thousand logins may be kept. As objects with pointers, the garbage collector would mark each of
// them in every collection, and packets would wait for it. So what is kept has no pointers, and is in few
// large pieces:
//
//	Store.logins
//	  kept    slab of entry    numbers, flags, and where the values of who are in the text
//	  texts   octets           attributes, what was granted, Acct-Session-Id upstream; in chunks
//	    places  slab of place  where each text is
//	  nases   slab of NAS      equal ones once, with the number of their logins
//	  index   hash -> ref      the newest link of each hash
//	    links   slab of link   which login, and the next links of the hash and of the login
//
// A [slab] gives a number in place of a pointer. Numbers are used again. Who looks for a login later,
// without the lock between, has a handle: a number and a serial that no other login has.
//
// To look at a login, the Store makes a login value, whose strings are parts of the chunks. No chunk is
// written to where it has been written already, and one that is given back lives as long as a string is
// in it. So such a value stays right without the lock, but only what is copied may go to the table.
//
// # Concurrency
//
// One mutex guards the logins. The table calls [Store.Admit] under its own lock, so the Store never calls
// the table under the mutex. Where a login changes between two steps, the later step looks again. Times
// are compared by the monotonic clock.
package admission
