package usm

import (
	"errors"
	"fmt"

	"aaasess/agent/snmp/wire"
)

// User is a configured user. Its protocols determine its level: none, authentication, or
// authentication and privacy.
type User struct {
	Name                   string // 1 to 32 octets
	Auth                   AuthProtocol
	Priv                   PrivProtocol // NoPriv if Auth is NoAuth
	AuthSecret, PrivSecret Secret       // set exactly if the protocol is
}

// Secret is the source of a key. Exactly one of its fields is set.
type Secret struct {
	Password     string // at least 8 octets
	MasterKey    []byte // Ku, not localized: AuthProtocol.KeyLen octets
	LocalizedKey []byte // Kul, valid for one engine: as many octets as NewKeys requires
}

// String hides the secret, also in logs.
func (Secret) String() string { return "<secret>" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "<secret>" }

// MarshalText hides the secret from JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte("<secret>"), nil }

// Level is the highest security level that the user supports.
func (u *User) Level() wire.SecurityLevel { return levelOf(u.Auth, u.Priv) }

func levelOf(a AuthProtocol, p PrivProtocol) wire.SecurityLevel {
	switch {
	case p != NoPriv:
		return wire.AuthPriv
	case a != NoAuth:
		return wire.AuthNoPriv
	default:
		return wire.NoAuthNoPriv
	}
}

// Keys computes the keys of the user at an engine, or returns the user's configuration error. It
// hashes 1 MiB for each password, which takes one or two milliseconds.
func (u *User) Keys(engineID []byte) (*Keys, error) {
	if n := len(u.Name); n == 0 || n > wire.MaxUserNameSize {
		return nil, fmt.Errorf("usm: user %q: name has %d octets, want 1 to %d", u.Name, n, wire.MaxUserNameSize)
	}
	authKul, err := u.AuthSecret.localize(u.Auth, u.Auth != NoAuth, engineID)
	if err != nil {
		return nil, fmt.Errorf("usm: user %q: authentication: %w", u.Name, err)
	}
	privKul, err := u.PrivSecret.localize(u.Auth, u.Priv != NoPriv, engineID)
	if err != nil {
		return nil, fmt.Errorf("usm: user %q: privacy: %w", u.Name, err)
	}
	k, err := NewKeys(u.Auth, authKul, u.Priv, privKul, engineID)
	if err != nil {
		return nil, fmt.Errorf("usm: user %q: %w", u.Name, err)
	}
	return k, nil
}

// localize returns Kul, or nil if no protocol needs it.
func (s *Secret) localize(a AuthProtocol, wanted bool, engineID []byte) ([]byte, error) {
	set := 0
	for _, n := range []int{len(s.Password), len(s.MasterKey), len(s.LocalizedKey)} {
		set += min(n, 1)
	}
	switch {
	case !wanted && set == 0:
		return nil, nil
	case !wanted:
		return nil, errors.New("a secret is configured, but no protocol uses it")
	case set != 1:
		return nil, errors.New("exactly one of password, master key and localized key is needed")
	case len(s.LocalizedKey) > 0:
		return s.LocalizedKey, nil
	case len(s.MasterKey) > 0 && len(s.MasterKey) != a.KeyLen():
		return nil, fmt.Errorf("master key has %d octets, %s needs %d", len(s.MasterKey), a, a.KeyLen())
	case len(s.MasterKey) > 0:
		return Localize(a, s.MasterKey, engineID), nil
	}
	ku, err := PasswordToKey(a, []byte(s.Password))
	if err != nil {
		return nil, err
	}
	return Localize(a, ku, engineID), nil
}
