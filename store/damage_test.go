package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const damagedRecords = 2000

// recordsInTable returns a disk with a store: the records of one queue in one table, the first few
// of them delivered, and state in another table.
func recordsInTable(t *testing.T) *Disk {
	disk := NewDisk()
	s := open(t, disk, Config{})
	rng := rand.New(rand.NewPCG(1, 2))
	var c Change
	for range damagedRecords {
		b := make([]byte, 100)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		c.Appends = append(c.Appends, Append{Queue: "q", Data: b})
	}
	commit(t, s, c)
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	commit(t, s, Change{Puts: []Put{put("k", "v")}, Acks: []Ack{{"q", 1}, {"q", 2}, {"q", 700}}})
	if err := errors.Join(s.db.Flush(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return disk
}

// damage flips an octet at some places of the largest table, in thousandths of its length.
func damage(t *testing.T, disk *Disk, thousandths ...int) {
	var largest []byte
	for _, name := range disk.files(t, ".sst") {
		if b := disk.content(t, name); len(b) > len(largest) {
			largest = b
		}
	}
	for _, n := range thousandths {
		largest[len(largest)*n/1000] ^= 0x10
	}
}

func seqs(t *testing.T, s *Store) (all []uint64) {
	t.Helper()
	entries, err := s.Read("q", 0, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Seq)
	}
	return all
}

// TestDamagedRecords: delivery continues behind damaged blocks, and only records in these blocks
// are lost.
func TestDamagedRecords(t *testing.T) {
	const block = 32<<10/100 + 2 // the most records in one block
	for _, tt := range []struct {
		name   string
		at     []int
		blocks int
	}{
		{"one block", []int{500}, 1},
		{"two, with readable ones between", []int{200, 700}, 2},
		{"two neighbours", []int{400, 500}, 2},
		{"the last", []int{950}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := recordsInTable(t)
			damage(t, disk, tt.at...)
			s := open(t, disk, Config{})
			if got := state(t, s); got["k"] != "v" {
				t.Fatalf("state %v", got)
			}
			kept := seqs(t, s)
			lost := damagedRecords - 3 - len(kept)
			if lost == 0 || lost > tt.blocks*block {
				t.Errorf("%d records are lost with %d blocks", lost, tt.blocks)
			}
			before := s.Damage()
			checkDamage(t, s, kept, lost)
			if info := s.Queues()[0]; info.Len != uint64(len(kept)) || info.FirstSeq != kept[0] || info.NextSeq != damagedRecords+1 {
				t.Errorf("%+v", info)
			}
			commit(t, s, Change{Appends: appends("q", "more")})
			kept = append(kept, damagedRecords+1)
			repairAll(t, s)
			equal(t, "cut out: records", kept, seqs(t, s))
			if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
				t.Errorf("compaction after the cut: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, disk, Config{})
			equal(t, "after restart: records", kept, seqs(t, s))
			equal(t, "after restart: damage", before, s.Damage())
			if n, err := s.ForgetDamage(); n != len(before) || err != nil {
				t.Errorf("forgotten: %d, %v", n, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s = open(t, disk, Config{}); len(s.Damage()) > 0 {
				t.Errorf("forgotten, and told again: %v", s.Damage())
			}
		})
	}
}

// checkDamage checks that Damage lists every lost record, and no record that is kept.
func checkDamage(t *testing.T, s *Store, kept []uint64, lost int) {
	t.Helper()
	told := int64(0)
	for _, d := range s.Damage() {
		told += d.Records
		if d.Queue != "q" || d.At.IsZero() || !strings.Contains(d.Reason, ".sst") {
			t.Errorf("%+v", d)
		}
		for _, seq := range kept {
			if d.First <= seq && seq <= d.Last {
				t.Errorf("%d is kept, and told to be lost", seq)
			}
		}
	}
	if told != int64(lost) {
		t.Errorf("%d records are lost, %d are told: %+v", lost, told, s.Damage())
	}
}

// repairAll does at once what the watcher does after a while.
func repairAll(t *testing.T, s *Store) {
	t.Helper()
	s.repairs.mu.Lock()
	tables := slices.Collect(maps.Keys(s.suspects))
	s.repairs.mu.Unlock()
	if _, err := s.repair(tables, true); err != nil {
		t.Error(err)
	}
}

// TestCutInterrupted makes each of the first writes of a cut fail, followed by a power cut.
// Readable keys stay, and lost ones are reported.
func TestCutInterrupted(t *testing.T) {
	base := recordsInTable(t)
	damaged := func() *Disk {
		disk := base.PowerCut(0, nil)
		damage(t, disk, 500)
		return disk
	}
	kept := seqs(t, open(t, damaged(), Config{}))
	cut, whole := 0, 0
	for after := int64(0); whole < 2 && after < 200; after += 2 {
		disk := damaged()
		s := open(t, disk, Config{})
		if err := s.Load(func(_, _ []byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
		for _, name := range disk.files(t, ".sst") {
			s.addSuspect(name)
		}
		disk.BreakAfter(after, 1<<40, errors.New("power"))
		s.repairs.mu.Lock()
		tables := slices.Collect(maps.Keys(s.suspects))
		s.repairs.mu.Unlock()
		err := s.callEngine(func() error { _, err := s.repair(tables, true); return err })
		if err != nil {
			cut++
		} else {
			whole++
		}
		disk = disk.PowerCut(0, nil) // flipped octets that were not written are right again
		damageAgain(t, disk, base)
		again := open(t, disk, Config{})
		equal(t, fmt.Sprintf("cut at write %d: records", after), kept, seqs(t, again))
		if err := again.Load(func(_, _ []byte) error { return nil }); err != nil {
			t.Errorf("cut at write %d: %v", after, err)
		}
		told := int64(0)
		for _, d := range again.Damage() {
			told += d.Records
		}
		if told != int64(damagedRecords-3-len(kept)) {
			t.Errorf("cut at write %d: %d told", after, told)
		}
		if n := countKeys(t, again, prefixCut); n > 0 {
			t.Errorf("cut at write %d: %d keys are left of it", after, n)
		}
		if t.Failed() {
			return
		}
	}
	if cut < 5 {
		t.Errorf("%d cuts were interrupted: the test should see more", cut)
	}
}

// damageAgain flips the same octets as damage, if the table still exists.
func damageAgain(t *testing.T, disk, base *Disk) {
	names := base.files(t, ".sst")
	slices.SortFunc(names, func(a, b string) int { return len(base.content(t, b)) - len(base.content(t, a)) })
	if slices.Contains(disk.files(t, ".sst"), names[0]) {
		b := disk.content(t, names[0])
		b[len(b)*500/1000] ^= 0x10
	}
}

// TestDamageIsCutSoon: damage that only a background compaction meets is cut out within seconds.
func TestDamageIsCutSoon(t *testing.T) {
	disk := recordsInTable(t)
	damage(t, disk, 500)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, disk, Config{})
		if err := s.Load(func(_, _ []byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err == nil {
			t.Fatal("the compaction does not meet the damage")
		}
		time.Sleep(5 * time.Second)
		if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
			t.Errorf("five seconds later: %v", err)
		}
		if len(s.Damage()) != 1 {
			t.Errorf("%+v", s.Damage())
		}
	})
}

// TestLostState: state that is damaged while the store is open is missing at the next start, so
// that start fails.
func TestLostState(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	commit(t, s, Change{Puts: []Put{put("a", strings.Repeat("a", 1000)), put("b", "b")}, Appends: appends("q", "x")})
	if err := errors.Join(s.db.Flush(), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, disk, Config{})
	equal(t, "state", 2, len(state(t, s)))
	for _, name := range disk.files(t, ".sst") {
		disk.content(t, name)[10] ^= 1
	}
	for _, name := range disk.files(t, ".sst") {
		s.addSuspect(name)
	}
	repairAll(t, s)
	if d := s.Damage(); len(d) == 0 || d[0].Queue != "" || d[0].Records < 2 {
		t.Errorf("%+v", d)
	}
	if n, err := s.ForgetDamage(); err != nil || n > 1 || len(s.Damage()) != 1 {
		t.Errorf("%d forgotten, %v: %v", n, err, s.Damage())
	}
	commit(t, s, Change{Puts: []Put{put("c", "c")}, Appends: appends("q", "y")})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("state", Config{Disk: disk}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "at most") {
		t.Fatalf("got %v", err)
	}
	s = open(t, disk, Config{AcceptLoss: true})
	equal(t, "state", map[string]string{"c": "c"}, state(t, s))
	equal(t, "records", []string{"2:y"}, read(t, s, "q"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, disk, Config{})
}

// TestMissingFile: each necessary file is missed, including the newest log.
func TestMissingFile(t *testing.T) {
	for _, tt := range []struct {
		kind   string
		accept bool // AcceptLoss helps
	}{{".log", true}, {".sst", false}, {"MANIFEST", false}, {"marker.manifest", false}, {"OPTIONS", true}, {"marker.format", false}, {inventoryName, true}} {
		t.Run(tt.kind, func(t *testing.T) {
			disk := recordsInTable(t)
			names := disk.files(t, tt.kind)
			if err := disk.mem.Remove("state/" + names[len(names)-1]); err != nil {
				t.Fatal(err)
			}
			s, err := Open("state", Config{Disk: disk})
			if tt.kind == "OPTIONS" || tt.kind == inventoryName { // nothing is lost with these
				if err != nil {
					t.Fatal(err)
				}
				equal(t, "records", damagedRecords-3, len(seqs(t, s)))
				_ = s.Close()
				return
			}
			if err == nil {
				t.Fatal("it is not missed")
			}
			t.Log(err)
			if s, err = Open("state", Config{Disk: disk, AcceptLoss: true}); (err == nil) != tt.accept {
				t.Errorf("with AcceptLoss: %v", err)
			}
			if err == nil {
				_ = s.Close()
				open(t, disk, Config{})
			}
		})
	}
}
