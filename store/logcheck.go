package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// To the engine, a damaged chunk of a log looks like the end that a crash leaves, unless a later
// block of 32 KiB proves that the chunk was synced. A damaged log number looks like a regular end.
// So the store checks logs before the engine replays them. A chunk is
// (github.com/cockroachdb/pebble/v2/record; numbers are little-endian)
//
//	checksum(4) length(2) type(1) log number(4) synced offset(8) data
//
// The checksum covers everything after the length. A record has one chunk or several. The store
// writes one record at a time, and writes the next only when the record is durable. So the start of
// another record after an unreadable place proves that this place was durable. (The synced offset
// proves it too, but the engine sets it too low: it leaves out full blocks.)
const (
	logBlock    = 32 << 10
	chunkHeader = 19
	// Types of chunks: a whole record, the first of a record, the following ones, the last one.
	// Older types have shorter headers.
	wholeChunk, firstChunk, lastChunk = 9, 10, 12
)

// chunkAt returns the length of the chunk at the start of b, which is the rest of a block. It
// returns false if there is no chunk of this log.
func chunkAt(b []byte, log uint32) (length int, ok bool) {
	if len(b) < chunkHeader || b[6] < wholeChunk || b[6] > lastChunk || binary.LittleEndian.Uint32(b[7:]) != log {
		return 0, false
	}
	length = chunkHeader + int(binary.LittleEndian.Uint16(b[4:]))
	return length, length <= len(b) && blockSum(b[6:length]) == binary.LittleEndian.Uint32(b)
}

// blockSum returns the checksum that the engine's files use.
func blockSum(b []byte) uint32 {
	sum := crc32.Checksum(b, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// logDamage returns where the readable part of a log ends, and whether data after that was durable.
func logDamage(f io.ReaderAt, number uint64) (end int64, damaged bool, err error) {
	log := uint32(number)
	block := make([]byte, logBlock)
	whole := true // everything before is readable
	for start := int64(0); ; start += logBlock {
		n, err := f.ReadAt(block, start)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, false, err
		}
		b := block[:n]
		at := 0
		for whole && len(b)-at >= chunkHeader {
			length, ok := chunkAt(b[at:], log)
			if !ok {
				whole, end = false, start+int64(at)
				break
			}
			at += length
		}
		if !whole && hasRecord(b[at:], log) {
			return end, true, nil
		}
		if n < logBlock {
			if whole {
				end = start + int64(n)
			}
			return end, false, nil
		}
	}
}

// hasRecord reports whether a record starts anywhere in a part of a block.
func hasRecord(b []byte, log uint32) bool {
	number := binary.LittleEndian.AppendUint32(nil, log)
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], number)
		if i < 0 {
			return false
		}
		at += i
		if at < 7 || b[at-1] > firstChunk {
			continue
		}
		if _, ok := chunkAt(b[at-7:], log); ok {
			return true
		}
	}
}

// checkedLog returns an error for a damaged log that is about to be replayed.
func checkedLog(name string, f vfs.File) (vfs.File, error) {
	number, ok := logNumber(name)
	if !ok {
		return f, nil
	}
	end, damaged, err := logDamage(f, number)
	if err == nil && damaged {
		err = fmt.Errorf("log %s is damaged after octet %d: %w", name, end, pebble.ErrCorruption)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
