// Package wire encodes and decodes SNMP messages: it parses messages of SNMPv1, SNMPv2c and SNMPv3
// and builds them. It knows no keys, users or objects: package usm does digests and privacy,
// package mib has the values.
//
// # Layout
//
// The encoding is BER, as RFC 3417 section 8 restricts it: a tag, a definite length, the content.
// Fields are in this order.
//
//	Message of SNMPv1 and v2c (RFC 1901 section 3), Version1, Version2c
//	30 SEQUENCE
//	   02 version           0, 1
//	   04 community
//	   ax data              the PDU
//
//	Message of SNMPv3 (RFC 3412 section 6), Version3
//	30 SEQUENCE
//	   02 msgVersion        3
//	   30 msgGlobalData
//	      02 msgID              0..2^31-1
//	      02 msgMaxSize         484..2^31-1 octets
//	      04 msgFlags           one octet: 1 auth, 2 priv, 4 reportable
//	      02 msgSecurityModel   1..2^31-1; USM is 3
//	   04 msgSecurityParameters
//	   30 msgData: ScopedPDU, or 04 encryptedPDU if the flags have priv
//
//	UsmSecurityParameters (RFC 3414 section 2.4), the content of msgSecurityParameters
//	30 SEQUENCE
//	   04 msgAuthoritativeEngineID
//	   02 msgAuthoritativeEngineBoots   0..2^31-1
//	   02 msgAuthoritativeEngineTime    0..2^31-1 seconds
//	   04 msgUserName                   0..32 octets
//	   04 msgAuthenticationParameters   the digest, or nothing
//	   04 msgPrivacyParameters          the salt, or nothing
//
//	ScopedPDU (RFC 3412 section 6)
//	30 SEQUENCE
//	   04 contextEngineID
//	   04 contextName
//	   ax data
//
//	PDU (RFC 3416 section 3)
//	a0 GetRequest, a1 GetNextRequest, a2 Response, a3 SetRequest, a5 GetBulkRequest,
//	a6 InformRequest, a7 SNMPv2-Trap, a8 Report
//	   02 request-id
//	   02 error-status      GetBulkRequest: non-repeaters
//	   02 error-index       GetBulkRequest: max-repetitions
//	   30 variable-bindings
//	      30 VarBind, any number of times
//	         06 name
//	         02 Integer32, 04 OCTET STRING, 06 OBJECT IDENTIFIER, 40 IpAddress, 41 Counter32,
//	         42 Gauge32, 43 TimeTicks, 44 Opaque, 46 Counter64; 05 NULL (unSpecified);
//	         80 noSuchObject, 81 noSuchInstance, 82 endOfMibView, these four without content
//
// In SNMPv1 (RFC 1157 section 4.1) a PDU has the same fields. Its type is a0 to a3, and its values
// are neither Counter64 nor exceptions, except that the values of a0 and a1 count for nothing. The
// Trap-PDU, a4, has other fields; they are checked only.
//
// # What is accepted
//
// The parsers accept the encodings that real managers send, and no others. Accepted are lengths of
// up to four octets that are not the shortest; integers that are longer than necessary, as long as
// they fit the octets of their type; unsigned values with the sign bit set if all octets of the
// type are present. Rejected are indefinite lengths; an element longer than the enclosing element;
// trailing octets at any level (except padding behind a decrypted ScopedPDU); sub-identifiers above
// 2^32-1 or with leading zeros; names of more than 128 sub-identifiers; tags that the version of
// the message does not have.
//
// Encoders always write the shortest form, as net-snmp does.
//
// # Memory and concurrency
//
// Parse results are slices of the parsed octets, which must not change while the result is in use.
// (usm decrypts in place before it parses.) A [PDU] owns its names and values; the next Parse
// reuses their memory. A [Frame] owns its octets. Once both have grown, read requests and their
// responses need no allocation. Nothing here is safe for concurrent use: a PDU and a Frame belong
// to one goroutine at a time.
package wire
