package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestLogDamage flips octets all over a log, and truncates it. Damage of synced data, before the
// last write, is reported. What a crash may have left is not.
func TestLogDamage(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	for i := range 300 {
		commit(t, s, Change{Puts: []Put{put(fmt.Sprint("k", i%7), strings.Repeat(fmt.Sprint(i), 10+i*17%500))}})
	}
	names := disk.files(t, ".log")
	name := names[len(names)-1]
	number, _ := logNumber(name)
	log := bytes.Clone(disk.content(t, name))
	last, end := chunkEnds(log, uint32(number))
	if last < 3*logBlock {
		t.Fatalf("the log has %d octets: the test should see several blocks", last)
	}
	check := func(what string, b []byte, want bool) {
		t.Helper()
		if end, got, err := logDamage(bytes.NewReader(b), number); got != want || err != nil {
			t.Errorf("%s: damaged %v behind %d, %v; want %v", what, got, end, err, want)
		}
	}
	check("as it is", log, false)
	for at := 0; at < last; at += 13 {
		if !end[at] {
			log[at] ^= 1 << (at % 8)
			check(fmt.Sprintf("octet %d of %d", at, last), log, true)
			log[at] ^= 1 << (at % 8)
		}
	}
	log[last+chunkHeader] ^= 1
	check("the last record", log, false)
	log[last+chunkHeader] ^= 1
	for size := 0; size < len(log); size += 997 {
		check(fmt.Sprint("cut at ", size), log[:size], false)
		rest := append(bytes.Clone(log[:size]), make([]byte, 2*logBlock)...)
		check(fmt.Sprint("zeros from ", size), rest, false)
	}
}

// chunkEnds returns where the last record starts, and the octets that only pad a block.
func chunkEnds(log []byte, number uint32) (last int, end map[int]bool) {
	end = map[int]bool{}
	for start := 0; start < len(log); start += logBlock {
		block := log[start:min(start+logBlock, len(log))]
		at := 0
		for {
			length, ok := chunkAt(block[at:], number)
			if !ok {
				break
			}
			if block[at+6] <= firstChunk {
				last = start + at
			}
			at += length
		}
		for ; at < len(block); at++ {
			end[start+at] = true
		}
	}
	return last, end
}
