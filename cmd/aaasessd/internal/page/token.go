package page

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// tokens makes the tokens of forms that change something. A token is that of one person and one process,
// so that a form which another site has made, or that was kept over a restart, changes nothing.
type tokens struct{ key []byte }

func newTokens() tokens {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return tokens{key}
}

// token returns the token of a person for an action on an object.
func (t tokens) token(person, action string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(person + "\x00" + action))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// check reports whether a form has the token of a person for an action.
func (t tokens) check(token, person, action string) bool {
	return hmac.Equal([]byte(token), []byte(t.token(person, action)))
}
