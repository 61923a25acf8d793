package control

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"strings"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// order is one of [api.Orders]. Sessions are in the order of their keys; those with equal keys are in
// that of ties. Comparing keys reads no session, and a key that has been read stays, while the
// interfaces of this host count on.
type order struct {
	key  func(*sessions.Session) uint64
	ties func(key uint64, a, b *sessions.Session) int // nil: sessions with equal keys are equal
}

// orders make the orders by their names.
var orders = map[string]func(*Server, []*sessions.Session) order{
	"id":      by(func(s *sessions.Session) uint64 { return uint64(s.ID) }),
	"started": by(func(s *sessions.Session) uint64 { return signed(int64(s.Started)) }),
	"idle":    by(func(s *sessions.Session) uint64 { return signed(int64(s.ActiveAt())) }),
	"octets":  mostFirst(func(u sessions.Usage) uint64 { return u.InputOctets + u.OutputOctets }),
	"input":   mostFirst(func(u sessions.Usage) uint64 { return u.InputOctets }),
	"output":  mostFirst(func(u sessions.Usage) uint64 { return u.OutputOctets }),
	"user": func(*Server, []*sessions.Session) order {
		return order{func(s *sessions.Session) uint64 { return startOf(s.User()) }, func(_ uint64, a, b *sessions.Session) int { return strings.Compare(a.User(), b.User()) }}
	},
	"address": func(*Server, []*sessions.Session) order { return order{addressKey, compareAddresses} },
	"nas":     byNAS,
}

func by(key func(*sessions.Session) uint64) func(*Server, []*sessions.Session) order {
	return func(*Server, []*sessions.Session) order { return order{key: key} }
}

func mostFirst(of func(sessions.Usage) uint64) func(*Server, []*sessions.Session) order {
	return by(func(s *sessions.Session) uint64 {
		used, _ := s.Used()
		return math.MaxUint64 - of(used)
	})
}

// signed returns numbers in the order of n.
func signed(n int64) uint64 { return uint64(n) ^ 1<<63 }

// startOf returns the first octets of a text, as a number in the order of texts.
func startOf(text string) uint64 {
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
}

// addressKey orders by the address that a list shows: the IPv4 address, else the first IPv6 address or
// prefix; none is last. Addresses of IPv6 with the same start have the same key.
func addressKey(s *sessions.Session) uint64 {
	if s.IPv4 != 0 {
		return uint64(s.IPv4)
	}
	p := firstIPv6(s)
	if !p.IsValid() {
		return noAddress
	}
	b := p.Addr().As16()
	return firstIPv6Key + binary.BigEndian.Uint64(b[:])>>2
}

// The addressKeys of IPv6, and of no address.
const (
	firstIPv6Key = 1 << 62
	noAddress    = math.MaxUint64
)

// compareAddresses compares sessions with equal addressKeys.
func compareAddresses(key uint64, a, b *sessions.Session) int {
	if key < firstIPv6Key || key == noAddress {
		return 0
	}
	x, y := firstIPv6(a), firstIPv6(b)
	return cmp.Or(x.Addr().Compare(y.Addr()), cmp.Compare(x.Bits(), y.Bits()))
}

// firstIPv6 returns the first IPv6 address or prefix of a session; the zero Prefix if it has none.
func firstIPv6(s *sessions.Session) (first netip.Prefix) {
	for first = range ipv6Of(s) {
		break
	}
	return first
}

// byNAS orders by the name of the NAS as lists show it.
func byNAS(srv *Server, list []*sessions.Session) order {
	ranks := map[*sessions.NAS]uint64{}
	byName := map[string][]*sessions.NAS{}
	var names []string
	for _, s := range list {
		if _, known := ranks[s.NAS]; known {
			continue
		}
		ranks[s.NAS] = 0
		name := srv.nasKey(s.NAS).shown
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], s.NAS)
	}
	slices.Sort(names)
	for i, name := range names {
		for _, nas := range byName[name] {
			ranks[nas] = uint64(i)
		}
	}
	return order{key: func(s *sessions.Session) uint64 { return ranks[s.NAS] }}
}

// ordered is a session with its key.
type ordered struct {
	key     uint64
	session *sessions.Session
}

// pageOf returns the part of sorted sessions that a query asks for. list is in the order of the ids.
func (srv *Server) pageOf(q api.Query, list []*sessions.Session) []*sessions.Session {
	name, reverse := strings.CutPrefix(q.Sort, "-")
	name = cmp.Or(name, "id")
	from := min(q.Offset, len(list))
	to := len(list)
	if q.Limit > 0 {
		to = min(to, from+q.Limit)
	}
	if name == "id" && !reverse {
		return list[from:to]
	}
	o := orders[name](srv, list)
	items := make([]ordered, len(list))
	for i, s := range list {
		items[i] = ordered{o.key(s), s}
	}
	out := make([]*sessions.Session, 0, to-from)
	for _, item := range sortPage(items, from, to, o.compare(reverse)) {
		out = append(out, item.session)
	}
	return out
}

// compare returns the comparison of an order. Equal sessions are in the order of their ids.
func (o order) compare(reverse bool) func(a, b ordered) int {
	return func(a, b ordered) int {
		c := cmp.Compare(a.key, b.key)
		if c == 0 && o.ties != nil {
			c = o.ties(a.key, a.session, b.session)
		}
		if reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(a.session.ID, b.session.ID))
	}
}
