package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// flipped is a store in which some octet is flipped, and its content before that.
type flipped struct {
	disk     *Disk
	model    *model
	before   *model          // without the last change
	everHeld map[string]bool // every "key=value" that the state ever had, and every "queue/number=data"
}

// newFlipped fills a store with tables on several levels, range deletions, bitmaps and logs, and
// ends it by a power cut or by Close.
func newFlipped(t *testing.T, cut bool) *flipped {
	f := &flipped{disk: NewDisk(), model: &model{map[string]string{}, map[string]*modelQueue{}}, everHeld: map[string]bool{}}
	s := open(t, f.disk, Config{MaxSize: 1}) // small memtables
	rng := rand.New(rand.NewPCG(1, 2))
	do := func(c Change) {
		commit(t, s, c)
		next := map[string]uint64{}
		for name, q := range f.model.queues {
			next[name] = q.next
		}
		for _, a := range c.Appends {
			f.everHeld[fmt.Sprintf("%s/%d=%s", a.Queue, max(next[a.Queue], firstSeq), a.Data)] = true
			next[a.Queue] = max(next[a.Queue], firstSeq) + 1
		}
		f.model.apply(c)
		for _, p := range c.Puts {
			f.everHeld[string(p.Key)+"="+string(p.Value)] = true
		}
	}
	text := func(n int) string {
		b := make([]byte, n) // random, so that blocks are not compressed to nothing
		for i := range b {
			b[i] = byte('a' + rng.IntN(26))
		}
		return string(b)
	}
	for round := range 7 {
		for range 100 {
			var c Change
			c.Puts = append(c.Puts, put(fmt.Sprintf("session/%08X", rng.IntN(1500)), text(50)))
			for range 4 {
				c.Appends = append(c.Appends, Append{Queue: fmt.Sprint("q", rng.IntN(2)), Data: []byte(text(150))})
			}
			do(c)
		}
		var c Change
		for _, name := range []string{"q0", "q1"} {
			for seq := range f.model.queues[name].live {
				if seq < uint64(120*round) || rng.IntN(10) == 0 {
					c.Acks = append(c.Acks, Ack{name, seq})
				}
			}
		}
		do(c)
		if round == 4 {
			if err := s.db.Compact(t.Context(), []byte{prefixFormat}, []byte{prefixEnd}, false); err != nil {
				t.Fatal(err)
			}
		}
		if round < 6 {
			if err := s.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.before = f.model.clone()
	do(Change{Puts: []Put{put("last", "x")}})
	if cut {
		f.disk = f.disk.PowerCut(0, nil)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// files returns the store's files of a kind, which is the start or the end of their names.
func (d *Disk) files(t *testing.T, kind string) (names []string) {
	all, err := d.mem.List("state")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if strings.HasPrefix(name, kind) || strings.HasSuffix(name, kind) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (d *Disk) content(t *testing.T, name string) []byte {
	b, err := d.mem.UnsafeGetFileDataBuffer("state/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// outcome is the effect of a flipped octet.
type outcome int

const (
	intact   outcome = iota
	reported         // records are missing, and Damage lists them
	refused          // Open or Load failed with an error that names the place
)

// TestFlippedOctet flips an octet at a hundred random places of each kind of file (fewer with the
// race detector, which makes the engine ten times as slow). Whatever the effect: every record that
// is read was written, and every missing record is reported.
func TestFlippedOctet(t *testing.T) {
	stores := []*flipped{newFlipped(t, false), newFlipped(t, true)}
	places := 50
	if race {
		places = 4
	}
	for _, kind := range []string{".sst", ".log", "MANIFEST", "OPTIONS", "inventory"} {
		t.Run(kind, func(t *testing.T) {
			outcomes := map[outcome]int{}
			for _, f := range stores {
				rng := rand.New(rand.NewPCG(3, 4))
				names := slices.DeleteFunc(f.disk.files(t, kind), func(name string) bool {
					return len(f.disk.content(t, name)) == 0
				})
				if len(names) == 0 {
					continue
				}
				for range places {
					disk := f.disk.PowerCut(100, rand.New(rand.NewPCG(5, 6)))
					name := names[rng.IntN(len(names))]
					b := disk.content(t, name)
					at, bit := rng.IntN(len(b)), rng.IntN(8)
					b[at] ^= 1 << bit
					place := fmt.Sprintf("%s, octet %d of %d, bit %d", name, at, len(b), bit)
					outcomes[f.checkOutcome(t, disk, place, name)]++
					if t.Failed() {
						t.Fatal(place)
					}
				}
			}
			t.Logf("intact %d, reported %d, refused %d", outcomes[intact], outcomes[reported], outcomes[refused])
			if kind == ".sst" && len(outcomes) != 3 && !race {
				t.Error("the test should see all three outcomes")
			}
		})
	}
}

// checkOutcome opens the store, reads it, and writes to it.
func (f *flipped) checkOutcome(t *testing.T, disk *Disk, place, name string) outcome {
	var log bytes.Buffer
	cfg := Config{Disk: disk, MaxSize: 1, MinFree: -1, Ballast: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	s, err := Open("state", cfg)
	if err != nil {
		f.refusal(t, err, place, name)
		f.acceptLoss(t, disk, place)
		return refused
	}
	defer func() { _ = s.Close() }()
	got := map[string]string{}
	if err := s.Load(func(k, v []byte) error { got[string(k)] = string(v); return nil }); err != nil {
		f.refusal(t, err, place, name)
		if err := s.Close(); err != nil {
			t.Errorf("%s: close after refusal: %v", place, err)
		}
		f.acceptLoss(t, disk, place)
		return refused
	}
	m := f.model
	if strings.HasSuffix(name, ".log") && got["last"] == "" {
		m = f.before // a crash may end the newest log anywhere, so this damage cannot be detected
	}
	if !maps.Equal(got, m.state) {
		t.Errorf("%s: %d keys of state, want %d, or others", place, len(got), len(m.state))
	}
	m.checkReads(t, s, place)
	f.checkWrites(t, s, place)
	m.checkReads(t, s, place)
	if len(s.Damage()) > 0 {
		return reported
	}
	return intact
}

func (f *flipped) refusal(t *testing.T, err error, place, name string) {
	t.Helper()
	if !strings.Contains(err.Error(), strings.TrimLeft(strings.TrimSuffix(name, ".log"), "0")) {
		t.Errorf("%s: the error names no place: %v", place, err)
	}
}

// checkReads reads all queues: every record that is there is right, every missing one is reported.
func (m *model) checkReads(t *testing.T, s *Store, place string) {
	t.Helper()
	missing := 0
	for name, q := range m.queues {
		left := maps.Clone(q.live)
		for from := uint64(0); ; {
			entries, err := s.Read(name, from, 100, nil)
			if err != nil {
				t.Errorf("%s: read: %v", place, err)
				return
			}
			if len(entries) == 0 {
				break
			}
			for _, e := range entries {
				if left[e.Seq] != string(e.Data) {
					t.Errorf("%s: record %d of %s is wrong", place, e.Seq, name)
				}
				delete(left, e.Seq)
			}
			from = entries[len(entries)-1].Seq + 1
		}
		for seq := range left {
			missing++
			if !slices.ContainsFunc(s.Damage(), func(d Damage) bool { return d.Queue == name && d.First <= seq && seq <= d.Last }) {
				t.Errorf("%s: record %d of %s is missing in silence", place, seq, name)
			}
		}
	}
	sum := int64(0)
	for _, d := range s.Damage() {
		sum += d.Records
	}
	if sum != int64(missing) {
		t.Errorf("%s: %d records are reported, %d are missing", place, sum, missing)
	}
}

// checkWrites writes, compacts, and waits until the damage is cut out.
func (f *flipped) checkWrites(t *testing.T, s *Store, place string) {
	t.Helper()
	commit(t, s, Change{Puts: []Put{put("more", "x")}, Appends: appends("more", "x")})
	err := errors.New("not yet")
	for range 5 {
		if err = s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err == nil {
			return
		}
		s.repairs.mu.Lock()
		tables := slices.Collect(maps.Keys(s.suspects))
		s.repairs.mu.Unlock()
		if _, err := s.repair(tables, true); err != nil {
			t.Logf("%s: repair: %v", place, err)
		}
	}
	t.Errorf("%s: compaction fails for ever: %v", place, err)
}

// acceptLoss opens a refused store with AcceptLoss, if that is possible.
func (f *flipped) acceptLoss(t *testing.T, disk *Disk, place string) {
	t.Helper()
	s, err := Open("state", Config{Disk: disk, MaxSize: 1, MinFree: -1, Ballast: -1, AcceptLoss: true})
	if err != nil {
		if errors.Is(err, ErrDamaged) && !strings.HasPrefix(place, "MANIFEST") {
			t.Errorf("%s: with AcceptLoss: %v", place, err)
		}
		return
	}
	err = s.Load(func(k, v []byte) error {
		if !f.everHeld[string(k)+"="+string(v)] {
			t.Errorf("%s: with AcceptLoss %q is wrong", place, k)
		}
		return nil
	})
	if err != nil {
		t.Errorf("%s: with AcceptLoss: %v", place, err)
	}
	for _, info := range s.Queues() {
		entries, err := s.Read(info.Name, 0, 1<<20, nil)
		if err != nil {
			t.Errorf("%s: with AcceptLoss: %v", place, err)
		}
		for _, e := range entries {
			if !f.everHeld[fmt.Sprintf("%s/%d=%s", info.Name, e.Seq, e.Data)] {
				t.Errorf("%s: with AcceptLoss record %d of %s is wrong", place, e.Seq, info.Name)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("%s: with AcceptLoss: %v", place, err)
	}
	again, err := Open("state", Config{Disk: disk, MaxSize: 1, MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatalf("%s: after AcceptLoss: %v", place, err)
	}
	if err := errors.Join(again.Load(func(_, _ []byte) error { return nil }), again.Close()); err != nil {
		t.Errorf("%s: after AcceptLoss: %v", place, err)
	}
}
