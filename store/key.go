package store

import (
	"encoding/binary"
	"fmt"
)

// First bytes of keys. The package comment describes the layout.
const (
	prefixFormat = 0x01
	prefixQueue  = 0x02
	prefixAcked  = 0x03
	prefixRecord = 0x04
	prefixState  = 0x05
	prefixEnd    = 0x06 // the first key behind the state
	prefixDamage = 0x06
	prefixCut    = 0x07 // and above, see cut
)

// maxName is the longest queue name in bytes. Its length takes one byte of a key, and people read
// the names.
const maxName = 128

// appendQueueKey appends the key of a queue. In keys of acknowledgements and records the chunk or
// sequence number follows.
func appendQueueKey(b []byte, prefix byte, name string) []byte {
	b = append(b, prefix, byte(len(name)))
	return append(b, name...)
}

// parseQueueKey parses a key that starts with 02.
func parseQueueKey(key []byte) (name string, err error) {
	name, rest, err := cutName(key, prefixQueue)
	if err == nil && len(rest) != 0 {
		err = fmt.Errorf("queue key %x: %d bytes after the name: %w", key, len(rest), ErrCorrupt)
	}
	return name, err
}

// parseNumberedKey parses a key that starts with 03 or 04: a queue name and a chunk or sequence
// number.
func parseNumberedKey(key []byte, prefix byte) (name string, n uint64, err error) {
	name, rest, err := cutName(key, prefix)
	if err != nil {
		return "", 0, err
	}
	if len(rest) != 8 {
		return "", 0, fmt.Errorf("queue key %x: %d bytes after the name, want 8: %w", key, len(rest), ErrCorrupt)
	}
	return name, binary.BigEndian.Uint64(rest), nil
}

func cutName(key []byte, prefix byte) (name string, rest []byte, err error) {
	if len(key) < 2 || key[0] != prefix {
		return "", nil, fmt.Errorf("queue key %x: too short or with another first byte: %w", key, ErrCorrupt)
	}
	n := int(key[1])
	if n == 0 || n > maxName || len(key)-2 < n {
		return "", nil, fmt.Errorf("queue key %x: name of %d bytes: %w", key, n, ErrCorrupt)
	}
	return string(key[2 : 2+n]), key[2+n:], nil
}

// format is the version of the layout that this package writes.
const format = 1

func appendFormat(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

func parseFormat(value []byte) (uint32, error) {
	if len(value) != 4 {
		return 0, fmt.Errorf("format of %d bytes, want 4: %w", len(value), ErrCorrupt)
	}
	return binary.BigEndian.Uint32(value), nil
}

// positionLen is the length of a queue's value: low(8) next(8).
const positionLen = 16

func putPosition(b []byte, low, next uint64) {
	binary.BigEndian.PutUint64(b, low)
	binary.BigEndian.PutUint64(b[8:], next)
}

func parsePosition(value []byte) (low, next uint64, err error) {
	if len(value) != positionLen {
		return 0, 0, fmt.Errorf("queue position of %d bytes, want %d: %w", len(value), positionLen, ErrCorrupt)
	}
	low = binary.BigEndian.Uint64(value)
	next = binary.BigEndian.Uint64(value[8:])
	if low < firstSeq || low > next {
		return 0, 0, fmt.Errorf("queue position low %d, next %d: %w", low, next, ErrCorrupt)
	}
	return low, next, nil
}

// bitmapLen is the length of a chunk's value.
const bitmapLen = chunkWords * 8

func putBitmap(b []byte, bits *[chunkWords]uint64) {
	for i, w := range bits {
		binary.BigEndian.PutUint64(b[8*i:], w)
	}
}

func parseBitmap(value []byte, bits *[chunkWords]uint64) error {
	if len(value) != bitmapLen {
		return fmt.Errorf("bitmap of %d bytes, want %d: %w", len(value), bitmapLen, ErrCorrupt)
	}
	for i := range bits {
		bits[i] = binary.BigEndian.Uint64(value[8*i:])
	}
	return nil
}
