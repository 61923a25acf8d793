package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"pgregory.net/rapid"
)

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly := NewDisk()
	readOnly.Break(fs.ErrPermission)
	used := filepath.Join(dir, "used")
	s, err := Open(used, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, tt := range []struct {
		name string
		dir  string
		cfg  Config
		want error
	}{
		{"below a file", filepath.Join(file, "state"), Config{}, nil},
		{"a file", file, Config{}, nil},
		{"not writable", "state", Config{Disk: readOnly}, fs.ErrPermission},
		{"in use", used, Config{}, ErrLocked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(tt.dir, tt.cfg)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.dir) {
				t.Errorf("%q does not name %s", err, tt.dir)
			}
		})
	}
}

// TestOpenForeign writes things into the engine's files that this version does not know.
func TestOpenForeign(t *testing.T) {
	position := func(low, next uint64) []byte {
		var b [positionLen]byte
		putPosition(b[:], low, next)
		return b[:]
	}
	bitmap := make([]byte, bitmapLen)
	bitmap[bitmapLen-1] = 1
	queueKey := appendQueueKey(nil, prefixQueue, "q")
	for _, tt := range []struct {
		name       string
		key, value []byte
		want       error
	}{
		{"newer format", []byte{prefixFormat}, appendFormat(nil, format+1), ErrFormat},
		{"broken format", []byte{prefixFormat}, []byte("x"), ErrCorrupt},
		{"no format", []byte{prefixFormat}, nil, ErrCorrupt},
		{"queue key", []byte{prefixQueue, 5}, position(1, 1), ErrCorrupt},
		{"queue position", queueKey, position(3, 2), ErrCorrupt},
		{"bitmap", recordKey(appendQueueKey(nil, prefixAcked, "q"), 0), bitmap[1:], ErrCorrupt},
		{"bitmap beyond the queue", recordKey(appendQueueKey(nil, prefixAcked, "q"), 0), bitmap, ErrCorrupt},
		{"bitmap of no queue", recordKey(appendQueueKey(nil, prefixAcked, "x"), 0), bitmap, ErrCorrupt},
		{"bitmap key", []byte{prefixAcked, 1, 'q', 1}, bitmap, ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := NewDisk()
			s := open(t, disk, Config{})
			commit(t, s, Change{Appends: appends("q", "x")})
			var err error
			if tt.value == nil {
				err = s.db.Delete(tt.key, pebble.Sync)
			} else {
				err = s.db.Set(tt.key, tt.value, pebble.Sync)
			}
			if err := errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
			for range 2 { // a failed Open must release the lock
				if _, err = Open("state", Config{Disk: disk}); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			}
		})
	}
}

// countKeys counts the engine's keys that start with a byte.
func countKeys(t *testing.T, s *Store, prefix byte) int {
	t.Helper()
	n := 0
	if err := s.eachKey(prefix, func(_, _ []byte) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWideDeletion delivers a backlog in several ways and checks what is left on disk, before and
// after a restart.
func TestWideDeletion(t *testing.T) {
	const backlog = 5 * chunkSeqs
	inOrder := make([]uint64, backlog)
	for i := range inOrder {
		inOrder[i] = uint64(i) + firstSeq
	}
	shuffled := make([]uint64, backlog)
	for i, j := range rand.New(rand.NewPCG(1, 2)).Perm(backlog) {
		shuffled[i] = inOrder[j]
	}
	for _, tt := range []struct {
		name    string
		acks    []uint64
		records int // the most on disk
		chunks  int // bitmaps on disk
		left    int
	}{
		{"in order", inOrder, trimStep, 0, 0},
		{"shuffled", shuffled, trimStep, 0, 0},
		{"half in order", inOrder[:backlog/2], backlog/2 + trimStep, 0, backlog / 2},
		{"all but the first", inOrder[1:], farAck, 6, 1},
		{"the last half", inOrder[backlog/2:], backlog / 2, 4, backlog / 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := NewDisk()
			s := open(t, disk, Config{})
			var c Change
			for i := range backlog {
				c.Appends = append(c.Appends, Append{Queue: "q", Data: fmt.Append(nil, i)})
			}
			commit(t, s, c)
			c = Change{}
			for i, seq := range tt.acks {
				c.Acks = append(c.Acks, Ack{"q", seq})
				if i%1000 == 999 {
					commit(t, s, c)
					c = Change{}
					checkFirstReadable(t, s)
				}
			}
			commit(t, s, c)
			if n := countKeys(t, s, prefixRecord); n > tt.records {
				t.Errorf("%d records on disk, want at most %d", n, tt.records)
			}
			if n := countKeys(t, s, prefixAcked); n != tt.chunks {
				t.Errorf("%d bitmaps on disk, want %d", n, tt.chunks)
			}
			before := read(t, s, "q")
			infos := s.Queues()
			if len(before) != tt.left || infos[0].Len != uint64(tt.left) {
				t.Errorf("%d records readable, %+v, want %d", len(before), infos[0], tt.left)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, disk, Config{})
			equal(t, "after restart: records", before, read(t, s, "q"))
			equal(t, "after restart: queues", infos, s.Queues())
		})
	}
}

// checkFirstReadable reads the lowest undelivered record, which is next to a range deletion.
func checkFirstReadable(t *testing.T, s *Store) {
	t.Helper()
	info := s.Queues()[0]
	entries, err := s.Read(info.Name, 0, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info.Len > 0 && (len(entries) != 1 || entries[0].Seq != info.FirstSeq) {
		t.Fatalf("%+v, but the first record read is %v", info, entries)
	}
}

// TestDiscardDurable: a second after a Discard, a power cut brings no record back, with commits or
// without.
func TestDiscardDurable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(t *testing.T) { discardAndCut(t, rt) })
	})
}

func discardAndCut(t *testing.T, rt *rapid.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	const records = 40
	var c Change
	for range records {
		c.Appends = append(c.Appends, Append{Queue: "q", Data: []byte("x")})
	}
	commit(t, s, c)
	type discard struct {
		seq uint64
		at  time.Time
	}
	var all []discard
	for range rapid.IntRange(1, 30).Draw(rt, "steps") {
		switch rapid.IntRange(0, 3).Draw(rt, "step") {
		case 0:
			time.Sleep(time.Duration(rapid.IntRange(1, 1500).Draw(rt, "ms")) * time.Millisecond)
		case 1:
			commit(t, s, Change{Puts: []Put{put("k", "v")}})
		default:
			seq := uint64(rapid.IntRange(1, records).Draw(rt, "seq"))
			s.Discard([]Ack{{"q", seq}})
			all = append(all, discard{seq, time.Now()})
		}
	}
	again := open(t, disk.PowerCut(0, nil), Config{})
	entries, err := again.Read("q", 0, records, nil)
	if err != nil {
		t.Fatal(err)
	}
	there := map[uint64]bool{}
	for _, e := range entries {
		there[e.Seq] = true
	}
	for _, d := range all {
		if age := time.Since(d.at); there[d.seq] && age > time.Second {
			t.Errorf("record %d, discarded %v before the cut, came back", d.seq, age)
		}
	}
}
