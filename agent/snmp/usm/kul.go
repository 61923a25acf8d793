package usm

import (
	"bytes"
	"fmt"
)

// MinPassword is the minimum length of a password in octets (RFC 3414 section 11.2).
const MinPassword = 8

// PasswordToKey computes the key Ku of a password: the hash of the password repeated to 1 MiB (RFC
// 3414 section A.2). It returns nil for NoAuth. A password shorter than [MinPassword] is an error.
func PasswordToKey(a AuthProtocol, password []byte) ([]byte, error) {
	if len(password) < MinPassword {
		return nil, fmt.Errorf("usm: password has %d octets, want at least %d", len(password), MinPassword)
	}
	return stretch(a, password), nil
}

// stretch is PasswordToKey for a password of any length except 0.
func stretch(a AuthProtocol, password []byte) []byte {
	if a.KeyLen() == 0 {
		return nil
	}
	const expanded = 1 << 20
	h := a.info().newHash()
	// The chunk is a whole number of passwords and of hash blocks, so the hash never copies.
	chunk := bytes.Repeat(password, h.BlockSize())
	for left := expanded; left > 0; {
		n, _ := h.Write(chunk[:min(left, len(chunk))])
		left -= n
	}
	return h.Sum(nil)
}

// Localize computes the key Kul of a user at one engine from the user's key Ku (RFC 3414 section
// 2.6).
func Localize(a AuthProtocol, ku, engineID []byte) []byte {
	if a.KeyLen() == 0 {
		return nil
	}
	h := a.info().newHash()
	h.Write(ku)
	h.Write(engineID)
	h.Write(ku)
	return h.Sum(nil)
}

// extend extends kul to the key length of p. Blumenthal appends the hash of all octets so far.
// Reeder uses the last key as a password, localizes the resulting key, and appends it.
func extend(a AuthProtocol, kul []byte, p PrivProtocol, engineID []byte) []byte {
	key, last := bytes.Clone(kul), kul
	for len(key) < p.KeyLen() {
		if p.info().reeder {
			last = Localize(a, stretch(a, last), engineID)
		} else {
			h := a.info().newHash()
			h.Write(key)
			last = h.Sum(nil)
		}
		key = append(key, last...)
	}
	return key[:p.KeyLen()]
}
