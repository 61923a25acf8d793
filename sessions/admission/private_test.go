package admission

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc5090"

	"aaasess/internal/radius"
)

// secretValue is a value that nobody may keep.
const secretValue = "0123456789secret"

// private are attributes that prove who the user is, or belong to one packet or conversation, and keys.
var private = map[string]radius.Attributes{
	"User-Password":          attrs(radius.UserPassword, secretValue),
	"CHAP-Password":          attrs(radius.CHAPPassword, secretValue),
	"CHAP-Challenge":         attrs(radius.CHAPChallenge, secretValue),
	"State":                  attrs(radius.State, secretValue),
	"Proxy-State":            attrs(radius.ProxyState, secretValue),
	"EAP-Message":            attrs(radius.EAPMessage, secretValue),
	"Message-Authenticator":  attrs(radius.MessageAuthenticator, secretValue),
	"Tunnel-Password":        attrs(radius.TunnelPassword, secretValue),
	"Reply-Message":          attrs(radius.ReplyMessage, secretValue),
	"ARAP-Password":          attrs(radius.Type(rfc2869.ARAPPassword_Type), secretValue),
	"ARAP-Security-Data":     attrs(radius.Type(rfc2869.ARAPSecurityData_Type), secretValue),
	"Digest-Response":        attrs(radius.Type(rfc5090.DigestResponse_Type), secretValue),
	"Digest-HA1":             attrs(radius.Type(rfc5090.DigestHA1_Type), secretValue),
	"MS-CHAP2-Response":      attrs(radius.VendorSpecific, "\x00\x00\x01\x37\x19\x12"+secretValue),
	"MS-MPPE-Send-Key":       attrs(radius.VendorSpecific, "\x00\x00\x01\x37\x10\x12"+secretValue),
	"a vendor's unknown one": attrs(radius.VendorSpecific, "\x00\x00\x00\x09\x01\x12"+secretValue),
}

// keptOf returns all that the Store keeps of logins.
func (s *stand) keptOf() (all []any) {
	for r := s.newest; r != 0; r = s.kept.at(r).older {
		all = append(all, s.login(r))
	}
	return append(all, s.texts.chunks)
}

// TestPrivate: the relay gives the Store whole packets. Neither a login nor a session or record has
// passwords, keys, EAP-Message or State of them.
func TestPrivate(t *testing.T) {
	for name, secret := range private {
		t.Run(name, func(t *testing.T) {
			timed(t, Config{IncludeInAccessReq: true}, func(s *stand) {
				s.run()
				clean := func(when string, kept ...any) {
					t.Helper()
					if text := fmt.Sprintf("%+v", kept); strings.Contains(text, secretValue) {
						t.Errorf("%s: %s", when, text)
					}
				}
				login := func(user string) *Request {
					q := loginAt(nas1, user, radius.AcctSessionID, user)
					q.Attrs = secret + q.Attrs + secret
					clean("Ask", s.Ask(q))
					clean("asked", s.keptOf()...)
					return q
				}
				accept := func(user string) {
					q := login(user)
					s.Accept(q, secret+attrs(radius.Class, user)+secret)
					if got := s.Logins(1); len(got) != 1 || got[0].Granted.Text(radius.Class) != user {
						t.Fatalf("%+v", got)
					}
					clean("accepted", append(s.keptOf(), s.Logins(1))...)
				}
				accept("begins")
				row := s.start(nas1, "begins", "begins")
				q := login("begins")
				s.Accept(q, attrs(radius.Class, "again")+secret)
				if s.class(row.ID) != "again" {
					t.Error("the live session was not granted the Class")
				}
				accept("never begins")
				s.reject(login("rejected"))
				time.Sleep(2 * DefaultStartWait)
				if got := s.records(); len(got) != 2 {
					t.Errorf("records %q", got)
				}
				s.settle()
				for _, n := range s.journal.Notices() {
					clean("record", n, *n.Session, n.Session.Granted())
				}
				if err := s.journal.Load(func(key, value []byte) error {
					clean("durable", string(key), string(value))
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
