package control

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"pgregory.net/rapid"
)

func idsOf(list []*sessions.Session) []sessions.ID {
	ids := []sessions.ID{}
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}

// TestSortPage: a page has what it would have in the sorted list.
func TestSortPage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 200).Draw(t, "users")
		q := api.Query{
			Sort:   rapid.SampledFrom([]string{"", "-id", "user", "-user", "started"}).Draw(t, "sort"),
			Offset: rapid.IntRange(0, 220).Draw(t, "offset"), Limit: rapid.IntRange(0, 220).Draw(t, "limit"),
		}
		var list []*sessions.Session
		for i, user := range users {
			list = append(list, &sessions.Session{ID: sessions.ID(i + 1), Attrs: attributes(radius.UserName, user), Started: sessions.Stamp(len(users) - i)})
		}
		want := slices.Clone(list)
		slices.SortFunc(want, func(a, b *sessions.Session) int {
			byID := cmp.Compare(a.ID, b.ID)
			switch q.Sort {
			case "-id", "started":
				return -byID
			case "user":
				return cmp.Or(cmp.Compare(a.User(), b.User()), byID)
			case "-user":
				return cmp.Or(cmp.Compare(b.User(), a.User()), byID)
			}
			return byID
		})
		want = want[min(q.Offset, len(want)):]
		if q.Limit > 0 {
			want = want[:min(q.Limit, len(want))]
		}
		if got := (&Server{}).pageOf(q, list); !slices.Equal(idsOf(want), idsOf(got)) {
			t.Errorf("%d, want %d", idsOf(got), idsOf(want))
		}
	})
}

// TestOrders: each order is that of what a list shows.
func TestOrders(t *testing.T) {
	clients := map[byte]string{1: "lab", 2: "bras", 3: "lab"}
	srv := &Server{cfg: Config{ClientName: func(addr netip.Addr) string { return clients[addr.As4()[3]] }}}
	shown := func(s *sessions.Session) (p netip.Prefix) { // the address in a list
		if s.IPv4 != 0 {
			return netip.PrefixFrom(framedAddress(s), 32)
		}
		for p := range ipv6Of(s) {
			return p
		}
		return p
	}
	naive := map[string]func(a, b *sessions.Session) int{
		"user":    func(a, b *sessions.Session) int { return strings.Compare(a.User(), b.User()) },
		"started": func(a, b *sessions.Session) int { return cmp.Compare(a.Started, b.Started) },
		"input":   func(a, b *sessions.Session) int { return cmp.Compare(b.Usage.InputOctets, a.Usage.InputOctets) },
		"nas": func(a, b *sessions.Session) int {
			return strings.Compare(srv.nasKey(a.NAS).shown, srv.nasKey(b.NAS).shown)
		},
		"address": func(a, b *sessions.Session) int {
			x, y := shown(a), shown(b)
			if x.IsValid() != y.IsValid() {
				return cmp.Compare(noneLast[x.IsValid()], noneLast[y.IsValid()])
			}
			return cmp.Or(x.Addr().Compare(y.Addr()), cmp.Compare(x.Bits(), y.Bits()))
		},
	}
	nases := []*sessions.NAS{}
	for i := range byte(5) {
		nases = append(nases, &sessions.NAS{Addr: netip.AddrFrom4([4]byte{192, 0, 2, i}), Identifier: "n"})
	}
	rapid.Check(t, func(t *rapid.T) {
		var list []*sessions.Session
		for i := range rapid.IntRange(0, 60).Draw(t, "n") {
			s := &sessions.Session{
				ID: sessions.ID(i + 1), Attrs: attributes(radius.UserName, rapid.SampledFrom([]string{"", "a", "abcdefgh", "abcdefghi", "abcdefgha", "\xff\xff\xff\xff\xff\xff\xff\xffb", "\xff\xff\xff\xff\xff\xff\xff\xffa", "\x00"}).Draw(t, "user")),
				NAS: rapid.SampledFrom(nases).Draw(t, "nas"), Started: sessions.Stamp(rapid.Int64().Draw(t, "started")),
				IPv4: rapid.SampledFrom([]uint32{0, 0, 1, 1<<32 - 1}).Draw(t, "IPv4"), Counted: sessions.WholeUsage, Usage: sessions.Usage{InputOctets: rapid.Uint64().Draw(t, "octets")},
			}
			if p := rapid.SampledFrom([]string{"", "\x00\x40", "\x00\x40\x20\x01\x0d\xb8\x00\x00\x00\x01", "\x00\x40\x20\x01\x0d\xb8\x00\x00\x00\x02", "\x00\x30\x20\x01\x0d\xb8", "\x00\x40\x20\x01\x0d\xb8", "\x00\x80" + strings.Repeat("\xff", 16), "\x00\x80" + strings.Repeat("\xff", 15) + "\xfe"}).Draw(t, "prefix"); p != "" {
				s.Attrs += attributes(radius.FramedIPv6Prefix, p)
			}
			list = append(list, s)
		}
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(naive))).Draw(t, "order")
		sign, text := 1, name
		if rapid.Bool().Draw(t, "reverse") {
			sign, text = -1, "-"+name
		}
		want := slices.SortedFunc(slices.Values(list), func(a, b *sessions.Session) int { return cmp.Or(sign*naive[name](a, b), cmp.Compare(a.ID, b.ID)) })
		if got := srv.pageOf(api.Query{Sort: text}, list); !slices.Equal(idsOf(want), idsOf(got)) {
			t.Errorf("%s: %d, want %d", text, idsOf(got), idsOf(want))
		}
	})
}

// noneLast orders what is known before what is not.
var noneLast = map[bool]int{true: 0, false: 1}

// TestSortPageOfSlowInput: a list on which each pivot is bad is sorted.
func TestSortPageOfSlowInput(t *testing.T) {
	const n = 20_000
	list, compares := make([]*sessions.Session, n), 0
	for i := range list { // the median of first, middle and last is always near the start
		list[i] = &sessions.Session{ID: sessions.ID(i + 1)}
	}
	rank := map[sessions.ID]int{}
	next := 0
	// McIlroy's adversary: a session gets its rank when it has been compared as the pivot.
	compare := func(a, b *sessions.Session) int {
		compares++
		rankA, okA := rank[a.ID]
		rankB, okB := rank[b.ID]
		switch {
		case okA && okB:
			return cmp.Compare(rankA, rankB)
		case okA:
			return -1
		case okB:
			return 1
		}
		rank[b.ID] = next
		next++
		return 1
	}
	got := sortPage(list, n-10, n, compare)
	if !slices.IsSortedFunc(got, compare) || compares > 200*n {
		t.Errorf("%d comparisons of %d sessions", compares, n)
	}
}

// TestSortPageOfChangingOrder: a comparison that contradicts itself costs the order, and nothing else.
func TestSortPageOfChangingOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]*sessions.Session, 1000)
	for i := range list {
		list[i] = &sessions.Session{ID: sessions.ID(i + 1)}
	}
	want := idsOf(list)
	if got := sortPage(list, 400, 450, func(_, _ *sessions.Session) int { return r.IntN(3) - 1 }); len(got) != 50 {
		t.Errorf("%d sessions", len(got))
	}
	got := idsOf(list)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("sessions %d, want %d", got, want)
	}
}
