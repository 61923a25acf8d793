// Package usm is the User-based Security Model of SNMPv3 (RFC 3414, RFC 7860, RFC 3826): who sent a
// message, whether it is whole, recent and meant for this engine, and what stands in it when it is
// encrypted. Messages are taken apart and put together by package wire.
//
// # Parts
//
//	AuthProtocol, PrivProtocol  protocol.go    names, OIDs, lengths
//	PasswordToKey, Localize     kul.go         passwords to keys (RFC 3414 sections 2.6 and A.2)
//	Keys                        keys.go        digests (RFC 3414 sections 6 and 7, RFC 7860 section 4)
//	                            privacy.go     CFB-AES (RFC 3826), CBC-DES (RFC 3414 section 8)
//	User, Secret                user.go        a user as configured, and its keys at any engine
//	Users                       users.go       the users of one engine
//	Engine                      engine.go, enginefile.go  id, boots, time (RFC 3414 section 2.2)
//	USM, Counts, Failure        usm.go         users, usmStats
//	Session                     session.go     a message in, a message out (RFC 3414 sections 3.2, 3.1)
//
// USM is the side that is asked. Who asks, or sends informs, makes [Keys] for the other engine with
// [User.Keys] and follows that engine's time itself.
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
// MD5 and DES are complete here, as is all else; whether they are allowed is decided by the configuration.
// The two ways to AES-192 and AES-256 differ in how they lengthen keys that are too short: those of SHA
// and of MD5 in both, that of SHA-224 in AES-256.
//
// # Octets
//
// The salt is what msgPrivacyParameters has, in network byte order. n is random at first and one more in
// each message.
//
//	AES   salt = n (8)                           IV = boots (4), time (4), salt (8)
//	DES   salt = boots (4), n (4)                IV = salt xor the last 8 of the key's 16 octets
//
// A digest is the first octets of the HMAC of the whole message, in which the digest itself is zeros.
//
// The engine's file is text:
//
//	# comment
//	engineID 80007ed905...        hexadecimal, 5 to 32 octets
//	boots 17                      1 to 2147483647
//
// # What is refused
//
// Checks come in the order of RFC 3414 section 3.2: engine id, user, level, digest, time, and then only
// decryption. So a message that is not authentic changes nothing but a counter. A digest must have all
// the octets that its protocol has. A plaintext that is no scopedPDU counts as a decryption error and
// is reported, because a wrong privacy password is the usual cause (snmpd drops it silently). Reports of
// notInTimeWindow and of decryption errors are signed; those of all else go to who has proved nothing.
//
// The window is 150 seconds both ways. Within it, a message that was recorded can be sent again: USM
// does not prevent that, and a SET must stand it (RFC 3414 section 1.4, snmpSetSerialNo).
//
// # Concurrency and memory
//
// Keys, Engine, Users and USM are shared by all; a Session belongs to one goroutine. Counters are
// atomic, the set of users is replaced as a whole. Incoming and Outgoing allocate nothing once their
// memory has grown, and take no lock. Passwords and keys that are not localized are not kept; what is
// kept is in the memory of the process, and never in a text that this package makes.
//
// The time of the engine is that of the monotonic clock. Under Linux it stands still while the machine is
// suspended, after which managers synchronize again by themselves.
package usm
