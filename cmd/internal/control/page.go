package control

import (
	"math/bits"
	"slices"

	"aaasess/sessions"
)

// compareSessions is an order in which no two sessions are equal.
type compareSessions = func(a, b *sessions.Session) int

// sortPage returns the sessions from index from to index to of the sorted list. It changes the order
// of the list, but sorts only that part, so that a page of a million sessions costs no sort of a
// million. compare may change its mind while it runs, because the interfaces of this host count on.
func sortPage(list []*sessions.Session, from, to int, compare compareSessions) []*sessions.Session {
	selectFirst(list, to, compare)
	list = list[:to]
	selectFirst(list, from, compare)
	slices.SortFunc(list[from:], compare)
	return list[from:]
}

// selectFirst moves the first n sessions of the order to the start of the list. It is Hoare's
// quickselect: linear, except that an input on which it is slow is sorted.
func selectFirst(list []*sessions.Session, n int, compare compareSessions) {
	if n == 0 || n == len(list) {
		return
	}
	for rounds := 4 * bits.Len(uint(len(list))); len(list) > 16 && rounds > 0; rounds-- {
		if p := partition(list, compare); n <= p {
			list = list[:p]
		} else {
			list, n = list[p+1:], n-p-1
		}
		if n == 0 || n == len(list) {
			return
		}
	}
	slices.SortFunc(list, compare)
}

// partition moves a session to its place in the order, those before it to its left, and those after
// it to its right. It returns that place.
func partition(list []*sessions.Session, compare compareSessions) int {
	last := len(list) - 1
	middle := medianOf(list, 0, last/2, last, compare)
	list[middle], list[last] = list[last], list[middle]
	pivot, place := list[last], 0
	for i, s := range list[:last] {
		if compare(s, pivot) < 0 {
			list[i], list[place] = list[place], s
			place++
		}
	}
	list[place], list[last] = pivot, list[place]
	return place
}

// medianOf returns which of three indexes has the session between the other two.
func medianOf(list []*sessions.Session, a, b, c int, compare compareSessions) int {
	if compare(list[a], list[b]) > 0 {
		a, b = b, a
	}
	switch {
	case compare(list[b], list[c]) <= 0:
		return b
	case compare(list[a], list[c]) <= 0:
		return c
	}
	return a
}
