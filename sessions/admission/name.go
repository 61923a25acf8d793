package admission

import (
	"fmt"
	"strconv"
	"strings"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// maxName is how many octets the value of an attribute can have (RFC 2865 section 5).
const maxName = 253

// ours is in front of a number where servers get the ids of NASes, which count from 1 too.
const ours = "aaasess-"

// name returns the Acct-Session-Id that goes upstream of a session with a number, which the NAS calls
// sid (R55). sid may be "".
func (c *Config) name(nas *sessions.NAS, sid string, id sessions.ID) string {
	name := id.String()
	switch {
	case c.SyncWithClient && sid != "":
		name = sid
	case c.SyncWithClient:
		name = ours + name
	}
	if c.ExtendWithAddr {
		name = extended(nas, name)
	}
	return name
}

// addressDigits are the eight hex digits of the IPv4 address of a NAS: of its NAS-IP-Address, else of
// the source of its packets; "" if both are IPv6.
func addressDigits(nas *sessions.NAS) string {
	addr := nas.IPv4
	if !addr.IsValid() {
		addr = nas.Addr.Unmap()
	}
	if !addr.Is4() {
		return ""
	}
	return fmt.Sprintf("%08X", addr.As4())
}

// withoutAddress returns an Acct-Session-Id without the address of its NAS, if the NAS has put it in
// front already.
func withoutAddress(nas *sessions.NAS, sid string) (rest string, had bool) {
	if digits := addressDigits(nas); digits != "" && len(sid) > len(digits) && strings.EqualFold(sid[:len(digits)], digits) {
		return sid[len(digits):], true
	}
	return sid, false
}

// extended returns an Acct-Session-Id with the address of its NAS in front.
func extended(nas *sessions.NAS, sid string) string {
	digits := addressDigits(nas)
	if _, had := withoutAddress(nas, sid); had || len(digits)+len(sid) > maxName {
		return sid
	}
	return digits + sid
}

// numberIn returns the number that the Acct-Session-Id of a NAS ends in: that of at most eight hex
// digits. It returns 0 if there is none.
func numberIn(nas *sessions.NAS, sid string) sessions.ID {
	sid, _ = withoutAddress(nas, sid)
	digits := sid[len(strings.TrimRight(sid, "0123456789abcdefABCDEF")):]
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) > 8 {
		return 0
	}
	return sessions.ID(n)
}

// Upstream implements [sessions.Admissions].
func (s *Store) Upstream(nas *sessions.NAS, attrs radius.Attributes, id sessions.ID) string {
	if s.idle.Load() {
		return ""
	}
	return s.config.Load().upstream(nas, attrs.Text(radius.AcctSessionID), id)
}

// upstream returns the name of a session, or "" if it is that of the number.
func (c *Config) upstream(nas *sessions.NAS, sid string, id sessions.ID) string {
	if !c.ExtendWithAddr && !c.SyncWithClient {
		return ""
	}
	return unlessNumber(c.name(nas, sid, id), id)
}

// unlessNumber returns a name, or "" if it is that of the number.
func unlessNumber(name string, id sessions.ID) string {
	if name == id.String() {
		return ""
	}
	return name
}
