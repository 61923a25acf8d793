// Package timeheap keeps what waits in the order in which it is due. What waits can be moved to another time and taken out
// wherever it stands, in O(log n) and without allocation: its [Entry] is a field of it. A [Heap] has no clock, no timer and
// no lock: those are the owner's.
package timeheap
