// Package timeheap keeps waiting things in the order of their due times. A thing can be moved to
// another time or removed in O(log n) and without allocation, because its [Entry] is one of its
// fields. A [Heap] has no clock, no timer and no lock: its owner has them.
package timeheap
