// Package usm is the User-based Security Model of SNMPv3 (RFC 3414, RFC 7860, RFC 3826). It checks
// who sent a message, whether it is unchanged, recent and addressed to this engine, and it decrypts
// messages. Package wire parses and builds the messages.
//
// # Parts
//
//	AuthProtocol, PrivProtocol  protocol.go    names, OIDs, lengths
//	PasswordToKey, Localize     kul.go         passwords to keys (RFC 3414 sections 2.6 and A.2)
//	Keys                        keys.go        digests (RFC 3414 sections 6 and 7, RFC 7860 section 4)
//	                            privacy.go     CFB-AES (RFC 3826), CBC-DES (RFC 3414 section 8)
//	User, Secret                user.go        a configured user, and its keys at any engine
//	Users                       users.go       the users of one engine
//	Engine                      engine.go, enginefile.go  id, boots, time (RFC 3414 section 2.2)
//	USM, Counts, Failure        usm.go         users, usmStats
//	Session                     session.go     processes messages (RFC 3414 sections 3.2, 3.1)
//
// USM is the authoritative side: it receives requests. A sender of requests or informs makes [Keys]
// for the other engine with [User.Keys] and keeps track of that engine's time itself.
//
// # Protocols
//
//	                octets of    key  digest
//	MD5                           16      12  RFC 3414 section 6; broken, for old devices
//	SHA                           20      12  RFC 3414 section 7
//	SHA-224                       28      16  RFC 7860
//	SHA-256                       32      24
//	SHA-384                       48      32
//	SHA-512                       64      48
//	DES                            8          RFC 3414 section 8; broken, for old devices
//	AES-128                       16          RFC 3826
//	AES-192, AES-256          24, 32          draft-blumenthal-aes-usm-04: net-snmp, most agents
//	AES-192-C, AES-256-C      24, 32          draft-reeder-snmpv3-usm-3desede: Cisco
//
// MD5 and DES are fully supported; the configuration decides whether they are allowed. The two
// variants of AES-192 and AES-256 differ in how they extend keys that are too short: the keys of
// SHA and MD5 for both lengths, the key of SHA-224 for AES-256.
//
// # Octets
//
// The salt is msgPrivacyParameters, in network byte order. n starts at a random number and is
// incremented for each message.
//
//	AES   salt = n (8)                           IV = boots (4), time (4), salt (8)
//	DES   salt = boots (4), n (4)                IV = salt xor the last 8 of the key's 16 octets
//
// A digest is the first octets of the HMAC of the whole message, computed with zeros in place of
// the digest.
//
// The engine's file is text:
//
//	# comment
//	engineID 80007ed905...        hexadecimal, 5 to 32 octets
//	boots 17                      1 to 2147483647
//
// # Rejected messages
//
// Checks have the order of RFC 3414 section 3.2: engine id, user, level, digest, time, and only
// then decryption. So an unauthenticated message changes nothing except a counter. A digest must
// have exactly the length of its protocol. A plaintext that is no scopedPDU counts as a decryption
// error and is reported, because the usual cause is a wrong privacy password (snmpd drops it
// silently). Reports of notInTimeWindow and of decryption errors are authenticated; all others are
// not, because their receiver has not proved its identity.
//
// The time window is 150 seconds in both directions. Within it, a recorded message can be replayed.
// USM does not prevent that, and a SET must tolerate it (RFC 3414 section 1.4, snmpSetSerialNo).
//
// # Concurrency and memory
//
// Keys, Engine, Users and USM may be shared by any number of goroutines; a Session belongs to one.
// Counters are atomic, and the set of users is replaced as a whole. Incoming and Outgoing take no
// lock and, once their memory has grown, allocate nothing. Passwords and keys that are not
// localized are not stored. Localized keys stay in the memory of the process and never appear in a
// text of this package.
//
// The engine's time uses the monotonic clock. On Linux that clock stops while the machine is
// suspended; managers synchronize again by themselves.
package usm
