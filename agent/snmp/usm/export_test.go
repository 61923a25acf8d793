package usm

import "hash"

// Access to internals for tests outside the package.

// Extend is the key extension of NewKeys.
var Extend = extend

// HashOf returns the hash of b by a protocol.
func HashOf(a AuthProtocol, b []byte) []byte {
	h := a.info().newHash()
	h.Write(b)
	return h.Sum(nil)
}

// NewHash returns a constructor for the hash of a protocol.
func NewHash(a AuthProtocol) func() hash.Hash { return a.info().newHash }

// KeysOf returns the keys of a user, or nil if there is no such user.
func KeysOf(u *Users, name string) *Keys {
	if local := u.byName[name]; local != nil {
		return local.keys
	}
	return nil
}

// ParseEngineFile parses the text of an engine's file.
func ParseEngineFile(text string) (id []byte, boots int32, err error) {
	s, err := parseEngineState(text)
	return s.id, s.boots, err
}

// EngineFile returns the text of an engine's file.
func EngineFile(id []byte, boots int32) string { return engineState{id, boots}.text() }
