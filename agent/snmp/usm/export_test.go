package usm

import "hash"

// What tests look at from outside.

// Extend is what NewKeys does with privKul.
var Extend = extend

// HashOf is the hash of a protocol.
func HashOf(a AuthProtocol, b []byte) []byte {
	h := a.info().newHash()
	h.Write(b)
	return h.Sum(nil)
}

// NewHash makes hashes of a protocol.
func NewHash(a AuthProtocol) func() hash.Hash { return a.info().newHash }

// KeysOf are the keys of a user, nil if there is none of that name.
func KeysOf(u *Users, name string) *Keys {
	if local := u.byName[name]; local != nil {
		return local.keys
	}
	return nil
}

// ParseEngineFile reads what the engine's file says.
func ParseEngineFile(text string) (id []byte, boots int32, err error) {
	s, err := parseEngineState(text)
	return s.id, s.boots, err
}

// EngineFile is what the engine's file says.
func EngineFile(id []byte, boots int32) string { return engineState{id, boots}.text() }
