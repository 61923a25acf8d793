package store

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/logtest"
)

// filler commits records until the store refuses more.
type filler struct {
	s      *Store
	random *rand.ChaCha8 // random, because the engine compresses
	queued uint64        // records ever queued
}

const fillerRecord = 16 << 10

func (f *filler) fill(t *testing.T) {
	t.Helper()
	for f.s.Accepting() == nil {
		var c Change
		for range 8 {
			f.queued++
			data := make([]byte, fillerRecord)
			_, _ = f.random.Read(data[:fillerRecord-8])
			binary.BigEndian.PutUint64(data[fillerRecord-8:], f.queued)
			c.Appends = append(c.Appends, Append{Queue: "q", Data: data})
		}
		commit(t, f.s, c)
		synctest.Wait() // the watcher has checked the space
	}
	if err := f.s.Accepting(); !errors.Is(err, ErrNoSpace) {
		t.Fatalf("Accepting: %v", err)
	}
}

// deliver discards records that were not delivered before, and pauses after every each records.
func (f *filler) deliver(delivered, before func(seq uint64) bool, each int) {
	var acks []Ack
	for seq := uint64(firstSeq); seq <= f.queued; seq++ {
		if before(seq) || !delivered(seq) {
			continue
		}
		acks = append(acks, Ack{"q", seq})
		if len(acks) == each {
			f.s.Discard(acks)
			acks = acks[:0]
			time.Sleep(100 * time.Millisecond)
		}
	}
	f.s.Discard(acks)
}

// check reads the records that must be left, by the number at their end.
func (f *filler) check(t *testing.T, delivered func(seq uint64) bool) {
	t.Helper()
	entries, err := f.s.Read("q", 0, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(firstSeq); seq <= f.queued; seq++ {
		if delivered(seq) {
			continue
		}
		if len(entries) == 0 || entries[0].Seq != seq || binary.BigEndian.Uint64(entries[0].Data[fillerRecord-8:]) != seq {
			t.Fatalf("record %d is not there, or not in its place", seq)
		}
		entries = entries[1:]
	}
	if len(entries) != 0 {
		t.Fatalf("%d records too many, the first %d", len(entries), entries[0].Seq)
	}
}

// waitAccepting waits until new events are accepted again.
func (f *filler) waitAccepting(t *testing.T, within time.Duration) {
	t.Helper()
	for start := time.Now(); f.s.Accepting() != nil; time.Sleep(spaceInterval) {
		if time.Since(start) > within {
			t.Fatalf("not within %v: %+v", within, f.s.Space())
		}
	}
}

// TestMaxSize fills a store, and empties it in several ways. The space is freed although nothing
// new is written, and no record is lost.
func TestMaxSize(t *testing.T) {
	for _, tt := range []struct {
		name  string
		each  int
		keeps func(seq, queued uint64) bool
		empty bool // then space is no longer short
	}{
		{"all at once", 1 << 20, func(_, _ uint64) bool { return false }, true},
		{"all, little by little", 100, func(_, _ uint64) bool { return false }, true},
		{"half", 100, func(seq, queued uint64) bool { return seq > queued/2 }, false},
		{"every other but the first", 100, func(seq, _ uint64) bool { return seq%2 == 1 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := new(logtest.Buffer)
				disk := NewDisk()
				cfg := Config{MaxSize: 1, Ballast: -1, Logger: slog.New(slog.NewTextHandler(log, nil))} // the minimum
				f := &filler{s: open(t, disk, cfg), random: rand.NewChaCha8([32]byte{})}
				before := func(uint64) bool { return false }
				for round := range 2 {
					f.fill(t)
					checkFull(t, f.s)
					queued := f.queued
					delivered := func(seq uint64) bool { return seq <= queued && !tt.keeps(seq, queued) }
					f.deliver(delivered, before, tt.each)
					before = delivered
					f.waitAccepting(t, time.Minute)
					f.check(t, delivered)
					if now := f.s.Space(); now.Accepting != nil {
						t.Errorf("round %d, when it accepts again: %+v", round, now)
					}
					time.Sleep(2 * warningHold)
					lines := []string{"refuses new events", "accepts new events"}
					if tt.empty {
						lines = append(lines, "running out of space", "enough space again")
					}
					for _, line := range lines {
						if n := log.Count(line); n != round+1 {
							t.Errorf("round %d: %d lines say %q, want %d", round, n, line, round+1)
						}
					}
				}
				if err := f.s.Close(); err != nil {
					t.Fatal(err)
				}
				f.s = open(t, disk.PowerCut(0, nil), cfg)
				f.check(t, before)
				if err := f.s.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func checkFull(t *testing.T, s *Store) {
	t.Helper()
	const limit = minMaxSize
	now := s.Space()
	if now.Size <= limit || now.Size > limit/4*5 || now.MaxSize != limit || !now.Warning || !now.SizeWarning {
		t.Errorf("when it is full: %+v", now)
	}
	if err := now.Accepting; !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "its limit is 16777216") {
		t.Errorf("Space gives as reason %v", err)
	}
}

// TestStaleState: overwritten state makes the store too large, and there is nothing to deliver. The
// store frees the space by itself.
func TestStaleState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, NewDisk(), Config{MaxSize: 1, Ballast: -1})
		random := rand.NewChaCha8([32]byte{})
		want := map[string]string{}
		value := make([]byte, 64<<10)
		refused := 0
		for i := range 1000 {
			if s.Accepting() != nil {
				refused++
				for start := time.Now(); s.Accepting() != nil; time.Sleep(spaceInterval) {
					if time.Since(start) > time.Minute {
						t.Fatalf("refuses for ever: %+v", s.Space())
					}
				}
			}
			_, _ = random.Read(value)
			key := string(rune('a' + i%160)) // 10 MiB in all
			want[key] = string(value)
			commit(t, s, Change{Puts: []Put{put(key, want[key])}})
			synctest.Wait()
		}
		if refused == 0 {
			t.Error("the test proves nothing: the store was never too large")
		}
		if got := state(t, s); !maps.Equal(got, want) {
			t.Errorf("%d keys, want %d with their last values", len(got), len(want))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWarning: free space becomes short, and is sufficient again.
func TestWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(logtest.Buffer)
		disk := NewDisk()
		disk.SetFree(1000 * mib)
		s := open(t, disk, Config{MinFree: 100 * mib, Ballast: -1, Logger: slog.New(slog.NewTextHandler(log, nil))})
		for i, tt := range []struct {
			free        int64
			after       time.Duration
			warning     bool
			short, over int // log lines so far
			accepting   error
		}{
			{1000 * mib, 2 * spaceInterval, false, 0, 0, nil},
			{200 * mib, 2 * spaceInterval, false, 0, 0, nil},
			{199 * mib, 2 * spaceInterval, true, 1, 0, nil},
			{150 * mib, time.Minute, true, 1, 0, nil},
			{99 * mib, 2 * spaceInterval, true, 1, 0, ErrNoSpace},
			{130 * mib, 2 * spaceInterval, true, 1, 0, nil},
			{200 * mib, warningHold / 2, true, 1, 0, nil},
			{199 * mib, 2 * spaceInterval, true, 1, 0, nil},
			{200 * mib, warningHold + 2*spaceInterval, false, 1, 1, nil},
			{50 * mib, 2 * spaceInterval, true, 2, 1, ErrNoSpace},
			{900 * mib, warningHold + 2*spaceInterval, false, 2, 2, nil},
		} {
			disk.SetFree(tt.free)
			time.Sleep(tt.after)
			now := s.Space()
			if now.Free != tt.free || now.MinFree != 100*mib || now.MaxSize != 0 || now.Size <= 0 || now.Warning != tt.warning || now.FreeWarning != tt.warning || now.SizeWarning {
				t.Errorf("step %d: %+v", i, now)
			}
			if hurries := s.pacer.compactionHurries(); hurries != tt.warning {
				t.Errorf("step %d: compactions hurry: %t", i, hurries)
			}
			if !errors.Is(now.Accepting, tt.accepting) {
				t.Errorf("step %d: accepting: %v, want %v", i, now.Accepting, tt.accepting)
			}
			if short, over := log.Count("running out of space"), log.Count("enough space again"); short != tt.short || over != tt.over {
				t.Errorf("step %d: %d lines of warning and %d of its end, want %d and %d", i, short, over, tt.short, tt.over)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Space().Accepting; !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// TestLogsOnDisk: the logs of a nearly empty store take no more space than necessary.
func TestLogsOnDisk(t *testing.T) {
	s, err := Open(t.TempDir(), Config{Ballast: mib})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 8 {
		commit(t, s, Change{Puts: []Put{put("k", "v")}})
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, Change{Puts: []Put{put("k", "v")}})
	if size := s.size(); size > 5*logAhead+mib {
		t.Errorf("size %d", size)
	}
}

// TestSpaceOnDisk uses a real directory. The size is what the disk has allocated, and at most what
// MaxSize allows.
func TestSpaceOnDisk(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Config{MaxSize: 64 * mib, Ballast: mib})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data := make([]byte, mib)
	random := rand.NewChaCha8([32]byte{})
	for range 12 { // enough logs that the engine reuses old ones
		_, _ = random.Read(data)
		commit(t, s, Change{Appends: []Append{{Queue: "q", Data: data}, {Queue: "other", Data: data[:1000]}}})
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	size := s.size()
	if size < 12*mib || size > 40*mib {
		t.Errorf("size %d, with 12 MiB of records and logs of 2.2 MiB", size)
	}
	if now := s.Space(); now.Free <= 0 {
		t.Errorf("%+v", now)
	}
	if got := s.Queues()[1]; got.Name != "q" || got.Bytes != 0 {
		t.Errorf("Queues gives %+v, want no size", got)
	}
	sizes, err := s.QueueSizes()
	if err != nil || len(sizes) != 2 {
		t.Fatal(sizes, err)
	}
	if q := sizes[1]; q.Name != "q" || q.Len != 12 || q.Bytes != 12*mib {
		t.Errorf("%+v, want 12 MiB", q)
	}
	if q := sizes[0]; q.Name != "other" || q.Bytes != 12*1000 {
		t.Errorf("%+v, want 12000 octets", q)
	}
	many := make([]Append, sizeSample+1000)
	for i := range many {
		many[i] = Append{Queue: "many", Data: data[:100]}
	}
	commit(t, s, Change{Appends: many})
	if sizes, err = s.QueueSizes(); err != nil || len(sizes) != 3 || sizes[0].Name != "many" || sizes[0].Bytes != 100*(sizeSample+1000) {
		t.Errorf("%+v, %v", sizes, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.QueueSizes(); !errors.Is(err, ErrClosed) {
		t.Errorf("QueueSizes after Close: %v", err)
	}
}
