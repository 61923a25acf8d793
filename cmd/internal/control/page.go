package control

import (
	"math/bits"
	"slices"
)

// sortPage returns the items from index from to index to of the sorted list. It changes the order
// of the list, but sorts only that part, so that a page of a million sessions costs no sort of a
// million. In the order of compare, no two items are equal.
func sortPage[T any](list []T, from, to int, compare func(a, b T) int) []T {
	selectFirst(list, to, compare)
	list = list[:to]
	selectFirst(list, from, compare)
	slices.SortFunc(list[from:], compare)
	return list[from:]
}

// selectFirst moves the first n items of the order to the start of the list. It is Hoare's
// quickselect: linear, except that an input on which it is slow is sorted.
func selectFirst[T any](list []T, n int, compare func(a, b T) int) {
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

// partition moves an item to its place in the order, those before it to its left, and those after
// it to its right. It returns that place.
func partition[T any](list []T, compare func(a, b T) int) int {
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

// medianOf returns which of three indexes has the item between the other two.
func medianOf[T any](list []T, a, b, c int, compare func(a, b T) int) int {
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
