package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// checkedTable is a table file whose blocks are checked as they are read. The engine checks them
// too, but after a mismatch it searches for the flipped bit, for a second or two per block and
// read.
type checkedTable struct {
	vfs.File
	name string
	size int64
}

func checked(name string, f vfs.File) (vfs.File, error) {
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return checkedTable{f, name, info.Size()}, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ReadAt reads a block with its checksum, which is its last four octets. The footer at the end of
// the file is checked by the engine.
func (t checkedTable) ReadAt(p []byte, off int64) (int, error) {
	n, err := t.File.ReadAt(p, off)
	if end := len(p) - 4; err == nil && end > 0 && off+int64(n) < t.size {
		if blockSum(p[:end]) != binary.LittleEndian.Uint32(p[end:]) {
			return 0, fmt.Errorf("%s: block at octet %d, of %d octets: checksum mismatch: %w", t.name, off, len(p), pebble.ErrCorruption)
		}
	}
	return n, err
}
