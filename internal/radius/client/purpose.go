package client

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Purpose is what a group sends: it decides the port of its members, and which of their statistics
// count.
type Purpose uint8

const (
	// Accounting groups send Accounting-Requests to Identity.Port. Each transmission is a packet of
	// its own, with its own Acct-Delay-Time (RFC 2866 section 5.2).
	Accounting Purpose = iota
	// Authentication groups send Access-Requests to Identity.AuthPort. All transmissions of a request
	// to one server are the same octets from the same socket (RFC 5080 section 2.2.1). There is no
	// back-off: the user waits.
	Authentication

	purposes // their number
)

var purposeNames = [purposes]string{Accounting: "accounting", Authentication: "authentication"}

// String returns the name for logs.
func (p Purpose) String() string {
	if p < purposes {
		return purposeNames[p]
	}
	return fmt.Sprintf("purpose %d", uint8(p))
}

// Aliases are further addresses of a server, from [NewAliases]. The type is comparable: the same
// addresses in another order are equal.
type Aliases string

// NewAliases returns a set of addresses.
func NewAliases(addrs ...netip.Addr) Aliases {
	all := make([]string, len(addrs))
	for i, a := range addrs {
		all[i] = a.Unmap().WithZone("").String()
	}
	slices.Sort(all)
	return Aliases(strings.Join(slices.Compact(all), " "))
}

// Addrs returns the addresses, sorted as text.
func (a Aliases) Addrs() (addrs []netip.Addr) {
	for text := range strings.FieldsSeq(string(a)) {
		if addr, err := netip.ParseAddr(text); err == nil {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// DefaultIdleTime is the IdleTime of a [Test] that has none, as in Cisco IOS.
const DefaultIdleTime = time.Hour

// Test is the active test of a server. The zero Test means that only users' requests show whether the
// server answers. A port without a valid answer for IdleTime gets a request of the test, and a dead
// one whenever its hold-down is over. Users' requests do not try a dead port that is tested while
// other servers of their group are up. Any valid answer makes it up, also an Access-Reject.
type Test struct {
	// Username is the user of the request: of an Access-Request with a random password, or of an
	// Accounting-Request with Acct-Status-Type Stop. "" with StatusServer false means no test.
	Username string
	// IdleTime is how long a port has no valid answer before it is tested. 0 means an hour.
	IdleTime time.Duration
	// StatusServer sends Status-Server (RFC 5997) instead of the request of a user.
	StatusServer bool
	// IgnoreAuthPort and IgnoreAcctPort leave a port without test.
	IgnoreAuthPort, IgnoreAcctPort bool
}

// covers reports whether a server's port for this purpose is tested.
func (t *Test) covers(p Purpose) bool {
	if t.Username == "" && !t.StatusServer {
		return false
	}
	return p == Accounting && !t.IgnoreAcctPort || p == Authentication && !t.IgnoreAuthPort
}
