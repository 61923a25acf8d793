package usm

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"aaasess/agent/snmp/wire"
)

// Users are the users of one engine with their localized keys. A set is immutable. It has no
// passwords or master keys, only fingerprints, by which NewUsers detects that a user has not
// changed.
type Users struct {
	engineID []byte
	seed     [sha256.Size]byte // for the fingerprints; random for each process
	byName   map[string]*localUser
	all      []UserInfo
}

// UserInfo is the public part of a user.
type UserInfo struct {
	Name string
	Auth AuthProtocol
	Priv PrivProtocol
}

// Level is the highest security level that the user supports.
func (u UserInfo) Level() wire.SecurityLevel { return levelOf(u.Auth, u.Priv) }

type localUser struct {
	UserInfo
	keys        *Keys
	fingerprint [sha256.Size]byte
}

// NewUsers localizes users for the engine with the given id. It reuses the keys of users that are
// unchanged in old; old may be nil. Two users with one name are an error, like everything that
// [User.Keys] rejects.
func NewUsers(engineID []byte, users []User, old *Users) (*Users, error) {
	u := &Users{engineID: bytes.Clone(engineID), byName: make(map[string]*localUser, len(users))}
	if old != nil {
		u.seed = old.seed
	} else {
		rand.Read(u.seed[:])
	}
	for i := range users {
		user := &users[i]
		if u.byName[user.Name] != nil {
			return nil, fmt.Errorf("usm: user %q is configured twice", user.Name)
		}
		local, err := u.local(user, old)
		if err != nil {
			return nil, err
		}
		u.byName[user.Name] = local
		u.all = append(u.all, local.UserInfo)
	}
	slices.SortFunc(u.all, func(a, b UserInfo) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return u, nil
}

func (u *Users) local(user *User, old *Users) (*localUser, error) {
	print := u.fingerprint(user)
	if old != nil {
		if same := old.byName[user.Name]; same != nil && hmac.Equal(same.fingerprint[:], print[:]) {
			return same, nil
		}
	}
	keys, err := user.Keys(u.engineID)
	if err != nil {
		return nil, err
	}
	return &localUser{UserInfo{user.Name, user.Auth, user.Priv}, keys, print}, nil
}

// fingerprint covers everything that the keys depend on.
func (u *Users) fingerprint(user *User) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, u.seed[:])
	add := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	add(u.engineID)
	add([]byte{byte(user.Auth), byte(user.Priv)})
	for _, s := range []*Secret{&user.AuthSecret, &user.PrivSecret} {
		add([]byte(s.Password))
		add(s.MasterKey)
		add(s.LocalizedKey)
	}
	h.Sum(sum[:0])
	return sum
}

// All returns the users in the order of usmUserTable, whose index has the length of a name before
// the name. The result must not be changed.
func (u *Users) All() []UserInfo { return u.all }

// EngineID returns the id of the engine that the keys are for. It must not be changed.
func (u *Users) EngineID() []byte { return u.engineID }
