package control

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// accounted is a session with what decides its place in the list.
type accounted struct {
	session *sessions.Session
	place   int32  // the rank of its NAS and line among all; orderByLine has other numbers here first
	number  uint64 // the number at the end of its line plus one; 0 if the line does not end in one
	noLine  bool   // its line is not known
}

// nasKey is a NAS.
type nasKey struct {
	shown string // the client's name, else what the NAS calls itself, else its address
	addr  netip.Addr
	name  string
}

func (k nasKey) compare(o nasKey) int {
	return cmp.Or(strings.Compare(k.shown, o.shown), k.addr.Compare(o.addr), strings.Compare(k.name, o.name))
}

// place is a NAS, by its rank, and a line without the number at its end.
type place struct {
	nas  int32
	line string
}

func (p place) compare(o place) int {
	if p.nas != o.nas {
		return cmp.Compare(p.nas, o.nas)
	}
	return strings.Compare(p.line, o.line)
}

// together reports whether two sessions are of the same user on the same line. Sessions whose line
// is not known never are.
func (a *accounted) together(b *accounted) bool {
	return !a.noLine && a.place == b.place && a.number == b.number && a.session.User() == b.session.User()
}

func (a accounted) compare(b accounted) int {
	switch {
	case a.place != b.place:
		return cmp.Compare(a.place, b.place)
	case a.number != b.number:
		return cmp.Compare(a.number, b.number)
	}
	return cmp.Or(strings.Compare(a.session.User(), b.session.User()), cmp.Compare(a.session.ID, b.session.ID))
}

// orderByLine returns sessions in the order of their NASes, lines, users and ids. tty2 is before
// tty10. Few lines differ in more than a number, so most comparisons read no text.
func (srv *Server) orderByLine(found []*sessions.Session) []accounted {
	nases, places := newRanks(nasKey.compare), newRanks(place.compare)
	list := make([]accounted, len(found))
	for i, s := range found {
		list[i].session, list[i].place = s, nases.number(srv.nasKey(s.NAS))
	}
	nasRanks := nases.ranks()
	for i := range list {
		a := &list[i]
		at := place{nas: nasRanks[a.place]}
		at.line, a.number = lineOf(a.session)
		a.noLine = at.line == "" && a.number == 0
		a.place = places.number(at)
	}
	placeRanks := places.ranks()
	for i := range list {
		list[i].place = placeRanks[list[i].place]
	}
	slices.SortFunc(list, accounted.compare)
	return list
}

func (srv *Server) nasKey(nas *sessions.NAS) nasKey {
	key := nasKey{addr: nas.Addr, name: nas.Name()}
	if key.shown = cmp.Or(srv.cfg.ClientName(key.addr), key.name); key.shown == "" {
		key.shown = key.addr.String()
	}
	return key
}

// ranks gives keys numbers in the order of their first use, and later their ranks.
type ranks[K comparable] struct {
	numbers map[K]int32
	compare func(a, b K) int
}

func newRanks[K comparable](compare func(a, b K) int) *ranks[K] {
	return &ranks[K]{map[K]int32{}, compare}
}

func (r *ranks[K]) number(key K) int32 {
	n, ok := r.numbers[key]
	if !ok {
		n = int32(len(r.numbers))
		r.numbers[key] = n
	}
	return n
}

// ranks returns the rank of each number.
func (r *ranks[K]) ranks() []int32 {
	out := make([]int32, len(r.numbers))
	for rank, key := range slices.SortedFunc(maps.Keys(r.numbers), r.compare) {
		out[r.numbers[key]] = int32(rank)
	}
	return out
}

// lineOf returns the line of a session, its NAS-Port-Id or else its NAS-Port in decimal: the text
// before the number at its end, and that number plus one. number is 0 if the line does not end in
// a number. Leading zeros, and digits before the last 18, are of the text.
func lineOf(s *sessions.Session) (text string, number uint64) {
	id := s.Attrs.Text(radius.NASPortID)
	if id == "" {
		if port, ok := s.Attrs.Uint32(radius.NASPort); ok {
			return "", uint64(port) + 1
		}
		return "", 0
	}
	i := len(id)
	for unit := uint64(1); i > 0 && '0' <= id[i-1] && id[i-1] <= '9' && len(id)-i < 18; i-- {
		number += uint64(id[i-1]-'0') * unit
		unit *= 10
	}
	if i == len(id) {
		return id, 0
	}
	for i < len(id)-1 && id[i] == '0' {
		i++
	}
	return id[:i], number + 1
}
