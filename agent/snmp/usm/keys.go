package usm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" // for devices that support nothing else
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
)

// Keys are the localized keys of one user at one engine, ready to use: the cipher has its key
// schedule, the hash its padded key. They may be used from any number of goroutines.
type Keys struct {
	auth   AuthProtocol
	priv   PrivProtocol
	block  cipher.Block  // nil for NoPriv
	preIV  [8]byte       // DES
	salt   atomic.Uint64 // the last salt (RFC 3826 section 3.1.2.1; DES: RFC 3414 section 8.1.1.1)
	spares sync.Pool     // of *scratch
}

// scratch is the working memory of one goroutine that uses keys. It is not on the stack because it
// passes through interfaces, and not in Keys because they are shared.
type scratch struct {
	keys   *Keys
	mac    hash.Hash
	sum    [64]byte
	field  [maxDigest]byte
	iv, ks [aes.BlockSize]byte
}

// NewKeys creates Keys from localized keys (see [Localize]). authKul has AuthProtocol.KeyLen
// octets. privKul either has as many and is extended for p, or has PrivProtocol.KeyLen octets.
// Privacy requires authentication. The slices are copied.
func NewKeys(a AuthProtocol, authKul []byte, p PrivProtocol, privKul, engineID []byte) (*Keys, error) {
	switch {
	case int(a) >= len(authProtocols) || int(p) >= len(privProtocols):
		return nil, fmt.Errorf("usm: unknown protocol: %s and %s", a, p)
	case p != NoPriv && a == NoAuth:
		return nil, fmt.Errorf("usm: %s without authentication (RFC 3411 section 3.4.3)", p)
	case len(authKul) != a.KeyLen():
		return nil, fmt.Errorf("usm: authentication key has %d octets, %s needs %d", len(authKul), a, a.KeyLen())
	case p == NoPriv && len(privKul) != 0:
		return nil, fmt.Errorf("usm: privacy key has %d octets, but no privacy protocol is configured", len(privKul))
	case p != NoPriv && len(privKul) != a.KeyLen() && len(privKul) != p.KeyLen():
		return nil, fmt.Errorf("usm: privacy key has %d octets, %s has %d and %s has %d", len(privKul), a, a.KeyLen(), p, p.KeyLen())
	}
	k := &Keys{auth: a, priv: p}
	if a != NoAuth {
		key := append([]byte(nil), authKul...)
		k.spares.New = func() any { return &scratch{keys: k, mac: hmac.New(a.info().newHash, key)} }
	}
	if p == NoPriv {
		return k, nil
	}
	var err error
	if key := extend(a, privKul, p, engineID); p == DES {
		copy(k.preIV[:], key[8:])
		k.block, err = des.NewCipher(key[:8])
	} else {
		k.block, err = aes.NewCipher(key)
	}
	if err != nil {
		return nil, fmt.Errorf("usm: keys for %s: %w", p, err)
	}
	// A random start: no salt repeats after a restart, or in another process with the same key.
	var seed [8]byte
	rand.Read(seed[:])
	k.salt.Store(binary.BigEndian.Uint64(seed[:]))
	return k, nil
}

// Auth is the authentication protocol of the keys.
func (k *Keys) Auth() AuthProtocol { return k.auth }

// Priv is the privacy protocol of the keys.
func (k *Keys) Priv() PrivProtocol { return k.priv }

func (k *Keys) borrow() *scratch { return k.spares.Get().(*scratch) }

func (s *scratch) release() { s.keys.spares.Put(s) }

// Digest writes the digest of a message into dst, which has TruncatedLen octets. Usually dst is the
// digest's place in the message, which must be zero until then.
func (k *Keys) Digest(dst, message []byte) {
	if k.auth == NoAuth {
		return
	}
	s := k.borrow()
	s.sign(dst, message)
	s.release()
}

// Verify reports whether the digest in a message is right. digestField is the digest's place in the
// message, in the same memory; it is zeroed during the computation and restored. A digest of
// another length than the protocol's is wrong (CVE-2008-0960: implementations that compared only
// the octets present accepted a digest of one octet). The comparison takes constant time.
func (k *Keys) Verify(message, digestField []byte) bool {
	if k.auth == NoAuth {
		return false
	}
	s := k.borrow()
	ok := s.verify(message, digestField)
	s.release()
	return ok
}

// digest returns the whole HMAC of a message, valid until the next call.
func (s *scratch) digest(message []byte) []byte {
	s.mac.Reset()
	s.mac.Write(message)
	return s.mac.Sum(s.sum[:0])
}

// sign is Digest.
func (s *scratch) sign(dst, message []byte) {
	copy(dst, s.digest(message)[:s.keys.auth.TruncatedLen()])
}

// verify is Verify.
func (s *scratch) verify(message, digestField []byte) bool {
	n := s.keys.auth.TruncatedLen()
	if len(digestField) != n {
		return false
	}
	copy(s.field[:], digestField)
	clear(digestField)
	sum := s.digest(message)
	copy(digestField, s.field[:])
	return subtle.ConstantTimeCompare(sum[:n], s.field[:n]) == 1
}
