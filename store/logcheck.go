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

// The engine takes a damaged chunk of a log for a crash's end, unless a later block of 32 KiB proves that it was
// synced; and a damaged log number for the end in order. So logs are looked through before the engine replays them.
// A chunk is (github.com/cockroachdb/pebble/v2/record; numbers are little-endian)
//
//	checksum(4) length(2) type(1) log number(4) synced offset(8) data
//
// The checksum is of all behind the length. A record has one chunk or several. The store writes one record at a time,
// and no other before that is durable: so the start of another record behind an unreadable place proves that this was
// durable. (The synced offset proves it too, but the engine counts it too low: full blocks are left out.)
const (
	logBlock    = 32 << 10
	chunkHeader = 19
	// Types of chunks: a whole record, the first of one, the following, the last. Older ones have shorter headers.
	wholeChunk, firstChunk, lastChunk = 9, 10, 12
)

// chunkAt returns the length of the chunk at the start of b, the rest of a block. It is false for what is no
// chunk of the log.
func chunkAt(b []byte, log uint32) (length int, ok bool) {
	if len(b) < chunkHeader || b[6] < wholeChunk || b[6] > lastChunk || binary.LittleEndian.Uint32(b[7:]) != log {
		return 0, false
	}
	length = chunkHeader + int(binary.LittleEndian.Uint16(b[4:]))
	return length, length <= len(b) && blockSum(b[6:length]) == binary.LittleEndian.Uint32(b)
}

// blockSum is the checksum of the engine's files.
func blockSum(b []byte) uint32 {
	sum := crc32.Checksum(b, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// logDamage returns where the readable part of a log ends, and whether more than that was durable.
func logDamage(f io.ReaderAt, number uint64) (end int64, damaged bool, err error) {
	log := uint32(number)
	block := make([]byte, logBlock)
	whole := true // all before is readable
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

// hasRecord says whether a record starts in a part of a block, wherever that is.
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

// checkedLog refuses a log that is to be replayed and is damaged.
func checkedLog(name string, f vfs.File) (vfs.File, error) {
	number, ok := logNumber(name)
	if !ok {
		return f, nil
	}
	end, damaged, err := logDamage(f, number)
	if err == nil && damaged {
		err = fmt.Errorf("log %s is damaged behind octet %d: %w", name, end, pebble.ErrCorruption)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
