//go:build !partners

package outagetest

const (
	// daySize is how many records the day has.
	daySize = 200_000
	// dayStore is the store's MaxSize, which its memtables, a 32nd each, follow.
	dayStore = 64 << 20
	// dayNoise is how much of the heap the store's memtables and cache of blocks may come to fill
	// between a tenth of the day and its end (in a build without C they are part of the heap).
	dayNoise = 20 << 20
)
