package usm

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"strings"

	"aaasess/mib"
)

// AuthProtocol is an authentication protocol of the User-based Security Model: the hash for keys
// and for the digests of messages.
type AuthProtocol uint8

// The authentication protocols of RFC 3414 sections 6 and 7 and of RFC 7860. HMACMD5 exists for old
// devices; the configuration may reject it.
const (
	NoAuth     AuthProtocol = iota
	HMACMD5                 // HMAC-MD5-96
	HMACSHA                 // HMAC-SHA-96
	HMACSHA224              // HMAC-128-SHA-224
	HMACSHA256              // HMAC-192-SHA-256
	HMACSHA384              // HMAC-256-SHA-384
	HMACSHA512              // HMAC-384-SHA-512
)

// maxDigest is the largest TruncatedLen.
const maxDigest = 48

type authInfo struct {
	name      string
	oid       mib.OID
	newHash   func() hash.Hash
	size      int // octets of the hash and of a key
	truncated int // octets of the digest in a message
}

var authProtocols = [...]authInfo{
	NoAuth:     {name: "none", oid: mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 1, 1}},
	HMACMD5:    {"MD5", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 1, 2}, md5.New, md5.Size, 12},
	HMACSHA:    {"SHA", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 1, 3}, sha1.New, sha1.Size, 12},
	HMACSHA224: {"SHA-224", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 1, 4}, sha256.New224, sha256.Size224, 16},
	HMACSHA256: {"SHA-256", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 1, 5}, sha256.New, sha256.Size, 24},
	HMACSHA384: {"SHA-384", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 1, 6}, sha512.New384, sha512.Size384, 32},
	HMACSHA512: {"SHA-512", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 1, 7}, sha512.New, sha512.Size, 48},
}

// info returns the data of NoAuth for an undefined protocol.
func (a AuthProtocol) info() *authInfo {
	if int(a) < len(authProtocols) {
		return &authProtocols[a]
	}
	return &authProtocols[NoAuth]
}

// String returns the name that net-snmp's tools use, "none" for NoAuth.
func (a AuthProtocol) String() string {
	if int(a) < len(authProtocols) {
		return authProtocols[a].name
	}
	return fmt.Sprintf("AuthProtocol(%d)", uint8(a))
}

// OID returns the object that identifies the protocol (RFC 3414 section 5, RFC 7860 section 7), a
// value of usmUserAuthProtocol. It must not be changed.
func (a AuthProtocol) OID() mib.OID { return a.info().oid }

// KeyLen is the length of a key Ku or Kul in octets, 0 for NoAuth.
func (a AuthProtocol) KeyLen() int { return a.info().size }

// TruncatedLen is the length of the digest in a message in octets (RFC 3414 section 6.1.2, RFC 7860
// section 4.1), 0 for NoAuth.
func (a AuthProtocol) TruncatedLen() int { return a.info().truncated }

// ParseAuthProtocol parses the result of String. It ignores case and hyphens, and accepts SHA1 for
// SHA.
func ParseAuthProtocol(s string) (AuthProtocol, error) {
	name := normalize(s)
	if name == "SHA1" {
		name = "SHA"
	}
	for a, info := range authProtocols {
		if name == normalize(info.name) {
			return AuthProtocol(a), nil
		}
	}
	return NoAuth, fmt.Errorf("usm: unknown authentication protocol %q, want none, MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512", s)
}

// UnmarshalText is [ParseAuthProtocol].
func (a *AuthProtocol) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAuthProtocol(string(text))
	return err
}

// PrivProtocol is a privacy protocol of the User-based Security Model: the encryption of
// scopedPDUs.
type PrivProtocol uint8

// The privacy protocols. AES-192 and AES-256 need longer keys than short hashes provide, and there
// are two ways to extend a key: AES192 and AES256 follow draft-blumenthal-aes-usm-04, AES192C and
// AES256C follow draft-reeder-snmpv3-usm-3desede as Cisco's devices do. With a long enough hash
// they are equal. DES exists for old devices; the configuration may reject it.
const (
	NoPriv  PrivProtocol = iota
	DES                  // CBC-DES, RFC 3414 section 8
	AES128               // CFB128-AES-128, RFC 3826
	AES192               // CFB128-AES-192, Blumenthal
	AES256               // CFB128-AES-256, Blumenthal
	AES192C              // CFB128-AES-192, Reeder
	AES256C              // CFB128-AES-256, Reeder
)

type privInfo struct {
	name   string
	oid    mib.OID
	keyLen int // octets used of the localized key; DES uses a key and a pre-IV
	reeder bool
}

// net-snmp's OIDs are used for the protocols that no RFC defines.
var privProtocols = [...]privInfo{
	NoPriv:  {name: "none", oid: mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 2, 1}},
	DES:     {"DES", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 2, 2}, 16, false},
	AES128:  {"AES-128", mib.OID{1, 3, 6, 1, 6, 3, 10, 1, 2, 4}, 16, false},
	AES192:  {"AES-192", mib.OID{1, 3, 6, 1, 4, 1, 14832, 1, 3}, 24, false},
	AES256:  {"AES-256", mib.OID{1, 3, 6, 1, 4, 1, 14832, 1, 4}, 32, false},
	AES192C: {"AES-192-C", mib.OID{1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 1}, 24, true},
	AES256C: {"AES-256-C", mib.OID{1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 2}, 32, true},
}

// info returns the data of NoPriv for an undefined protocol.
func (p PrivProtocol) info() *privInfo {
	if int(p) < len(privProtocols) {
		return &privProtocols[p]
	}
	return &privProtocols[NoPriv]
}

// String returns the name that net-snmp's tools use, "none" for NoPriv.
func (p PrivProtocol) String() string {
	if int(p) < len(privProtocols) {
		return privProtocols[p].name
	}
	return fmt.Sprintf("PrivProtocol(%d)", uint8(p))
}

// OID returns the object that identifies the protocol (RFC 3414 section 5, RFC 3826 section 2), a
// value of usmUserPrivProtocol. It must not be changed.
func (p PrivProtocol) OID() mib.OID { return p.info().oid }

// KeyLen is the number of key octets used, 0 for NoPriv.
func (p PrivProtocol) KeyLen() int { return p.info().keyLen }

// ParsePrivProtocol parses the result of String. It ignores case and hyphens, and accepts AES for
// AES-128.
func ParsePrivProtocol(s string) (PrivProtocol, error) {
	name := normalize(s)
	if name == "AES" {
		name = "AES128"
	}
	for p, info := range privProtocols {
		if name == normalize(info.name) {
			return PrivProtocol(p), nil
		}
	}
	return NoPriv, fmt.Errorf("usm: unknown privacy protocol %q, want none, DES, AES-128, AES-192, AES-256, AES-192-C, AES-256-C", s)
}

// UnmarshalText is [ParsePrivProtocol].
func (p *PrivProtocol) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePrivProtocol(string(text))
	return err
}

// normalize removes hyphens and converts to upper case.
func normalize(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "")) }
