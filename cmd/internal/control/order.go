package control

import (
	"cmp"
	"net/netip"
	"strings"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// orders make the comparisons for the names of [api.Orders]. A comparison is for one request.
var orders = map[string]func(*Server) compareSessions{
	"id":      always(func(a, b *sessions.Session) int { return cmp.Compare(a.ID, b.ID) }),
	"user":    always(func(a, b *sessions.Session) int { return cmp.Compare(a.User, b.User) }),
	"started": always(func(a, b *sessions.Session) int { return cmp.Compare(a.Started, b.Started) }),
	"idle":    always(func(a, b *sessions.Session) int { return cmp.Compare(a.ActiveAt(), b.ActiveAt()) }),
	"octets":  always(mostFirst(func(u sessions.Usage) uint64 { return u.InputOctets + u.OutputOctets })),
	"input":   always(mostFirst(func(u sessions.Usage) uint64 { return u.InputOctets })),
	"output":  always(mostFirst(func(u sessions.Usage) uint64 { return u.OutputOctets })),
	"address": always(compareAddresses),
	"nas":     (*Server).compareNASes,
}

func always(compare compareSessions) func(*Server) compareSessions {
	return func(*Server) compareSessions { return compare }
}

func mostFirst(of func(sessions.Usage) uint64) compareSessions {
	return func(a, b *sessions.Session) int {
		usedA, _ := a.Used()
		usedB, _ := b.Used()
		return cmp.Compare(of(usedB), of(usedA))
	}
}

// compareAddresses orders by the address that a list shows: the IPv4 address, else the first IPv6
// address or prefix.
func compareAddresses(a, b *sessions.Session) int {
	if a.IPv4 != 0 && b.IPv4 != 0 {
		return cmp.Compare(a.IPv4, b.IPv4)
	}
	x, y := firstAddress(a), firstAddress(b)
	switch {
	case !x.IsValid() || !y.IsValid():
		return cmp.Compare(noAddress(x), noAddress(y))
	case x.Addr() != y.Addr():
		return x.Addr().Compare(y.Addr()) // IPv4 is before IPv6
	}
	return cmp.Compare(x.Bits(), y.Bits())
}

func noAddress(p netip.Prefix) int {
	if p.IsValid() {
		return 0
	}
	return 1
}

// firstAddress returns the first address or prefix of a session; the zero Prefix if it has none.
func firstAddress(s *sessions.Session) (first netip.Prefix) {
	if s.IPv4 != 0 {
		return netip.PrefixFrom(framedAddress(s), 32)
	}
	for first = range ipv6Of(s) {
		break
	}
	return first
}

// compareNASes orders by the name of the NAS as lists show it.
func (srv *Server) compareNASes() compareSessions {
	names := map[*sessions.NAS]string{}
	name := func(nas *sessions.NAS) string {
		shown, ok := names[nas]
		if !ok {
			shown = srv.nasKey(nas).shown
			names[nas] = shown
		}
		return shown
	}
	return func(a, b *sessions.Session) int {
		if a.NAS == b.NAS {
			return 0
		}
		return strings.Compare(name(a.NAS), name(b.NAS))
	}
}

// pageOf returns the part of sorted sessions that a query asks for. It changes the order of list,
// which is that of the ids.
func (srv *Server) pageOf(q api.Query, list []*sessions.Session) []*sessions.Session {
	by, reverse := strings.CutPrefix(q.Sort, "-")
	by = cmp.Or(by, "id")
	from := min(q.Offset, len(list))
	to := len(list)
	if q.Limit > 0 {
		to = min(to, from+q.Limit)
	}
	if by == "id" && !reverse {
		return list[from:to]
	}
	compare := orders[by](srv)
	return sortPage(list, from, to, func(a, b *sessions.Session) int {
		c := compare(a, b)
		if reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(a.ID, b.ID))
	})
}
