//go:build !partners

package outagetest

const (
	// daySize is how many records the day has.
	daySize = 200_000
	// dayStore is the store's MaxSize. A memtable is a 32nd of it.
	dayStore = 64 << 20
	// dayNoise is how much more of the heap the store's memtables and block cache may use at the
	// end of the day than after a tenth of it (in a build without C they are part of the heap).
	dayNoise = 20 << 20
)
