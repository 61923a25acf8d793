package snmpmanager

import (
	"fmt"
	"net/netip"
	"strings"
)

// The values of Filter.State.
const (
	Active      = "active"
	Terminating = "terminating"
)

// Filter selects the sessions that match all the fields that are set. The zero Filter matches every
// session.
type Filter struct {
	Numbers []uint32          // one of these casnSessionIds
	User    func(string) bool // casnUserId; nil: any
	Address netip.Prefix      // casnIpAddr is in it
	State   string            // Active or Terminating
}

// IsZero reports whether f matches every session.
func (f *Filter) IsZero() bool {
	return len(f.Numbers) == 0 && f.User == nil && !f.Address.IsValid() && f.State == ""
}

// matches reports whether f, except for Numbers, matches a session.
func (f *Filter) matches(s *Session) bool {
	return (f.User == nil || f.User(s.User)) &&
		(!f.Address.IsValid() || s.Address.IsValid() && f.Address.Contains(s.Address)) &&
		(f.State == "" || (f.State == Terminating) == s.Terminating)
}

// IsUser returns a function for Filter.User that accepts a name as agents send it: as it is, or with
// all octets that are not printable ASCII as \xHH, which is how aaasessd sends it because casnUserId is
// a DisplayString.
func IsUser(name string) func(string) bool {
	escaped := escape(name)
	return func(user string) bool { return user == name || user == escaped }
}

func escape(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return name
	}
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
