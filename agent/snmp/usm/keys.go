package usm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" // for devices that have nothing else
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
)

// Keys are the localized keys of one user at one engine, ready to use: the cipher has its schedule, the
// hash its padded key. Any number of goroutines may use them at the same time.
type Keys struct {
	auth   AuthProtocol
	priv   PrivProtocol
	block  cipher.Block  // nil for NoPriv
	preIV  [8]byte       // DES
	salt   atomic.Uint64 // the next salt (RFC 3826 section 3.1.2.1; DES: RFC 3414 section 8.1.1.1)
	spares sync.Pool     // of *scratch
}

// scratch is what one goroutine needs while it uses keys. It is not on the stack because it goes
// through interfaces, and not in Keys because those are shared.
type scratch struct {
	keys   *Keys
	mac    hash.Hash
	sum    [64]byte
	field  [maxDigest]byte
	iv, ks [aes.BlockSize]byte
}

// NewKeys makes Keys of localized keys (see [Localize]). authKul has AuthProtocol.KeyLen octets.
// privKul has as many, and is extended as p wants, or has the PrivProtocol.KeyLen octets that are used.
// Privacy without authentication does not exist. The slices are copied.
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
	// A random beginning: no salt is used again after a restart, nor by others that have the same key.
	var seed [8]byte
	rand.Read(seed[:])
	k.salt.Store(binary.BigEndian.Uint64(seed[:]))
	return k, nil
}

// Auth and Priv are the protocols that the keys are for.
func (k *Keys) Auth() AuthProtocol { return k.auth }

// Priv is the privacy protocol that the keys are for.
func (k *Keys) Priv() PrivProtocol { return k.priv }

func (k *Keys) borrow() *scratch { return k.spares.Get().(*scratch) }

func (s *scratch) giveBack() { s.keys.spares.Put(s) }

// Digest puts the digest of a message into dst, which has TruncatedLen octets and is, as a rule, the
// place in the message itself, zero until now.
func (k *Keys) Digest(dst, message []byte) {
	if k.auth == NoAuth {
		return
	}
	s := k.borrow()
	s.sign(dst, message)
	s.giveBack()
}

// Verify says whether the digest in a message is right. digestField is the place of the digest in the
// message, a part of the same memory; it is zeroed for the computation and restored. One that is not
// exactly as long as the protocol's digest is wrong (CVE-2008-0960: a digest of one octet, compared as
// far as it went). The comparison takes the same time wherever the digests differ.
func (k *Keys) Verify(message, digestField []byte) bool {
	if k.auth == NoAuth {
		return false
	}
	s := k.borrow()
	ok := s.verify(message, digestField)
	s.giveBack()
	return ok
}

// digest gives the whole HMAC of a message, valid until the next call.
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
