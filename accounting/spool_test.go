package accounting

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// setAside appends entries to SetAsideQueue, and waits until they are durable.
func setAside(t testing.TB, st *store.Store, entries ...[]byte) {
	t.Helper()
	var c store.Change
	for _, e := range entries {
		c.Appends = append(c.Appends, store.Append{Queue: SetAsideQueue, Data: e})
	}
	durable := make(chan error, 1)
	st.Commit(c, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		t.Fatal(err)
	}
}

// setAsideEntry returns an entry as Delivery writes it.
func setAsideEntry(from string, id int, data []byte) []byte {
	return AppendSetAsideEntry(nil, &SetAsideEntry{From: from, At: time.Unix(int64(id), 0), Reason: fmt.Sprint("because ", id), Data: data})
}

func goodEntry(from string, id int) []byte {
	return setAsideEntry(from, id, AppendRecord(nil, rec(sessions.ID(id), sessions.Stop)))
}

// queued returns the sessions of the records in a queue, in order.
func queued(t testing.TB, st *store.Store, queue string) (ids []sessions.ID) {
	t.Helper()
	entries, err := st.Read(queue, 0, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		r, err := ParseRecord(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.Session)
	}
	return ids
}

func numbers(list []SetAside) (seqs []uint64) {
	for _, a := range list {
		seqs = append(seqs, a.Seq)
	}
	return seqs
}

func TestSpoolShows(t *testing.T) {
	st := openStore(t, store.NewDisk())
	s := NewSpool(st)
	if list, err := s.List(0, 10); len(list) != 0 || err != nil || s.Len() != 0 {
		t.Errorf("with nothing set aside: %v, %v, %d", list, err, s.Len())
	}
	raw := AppendRecord(nil, rec(7, sessions.Stop))
	plain, err := ParseRecord(raw)
	if err != nil {
		t.Fatal(err)
	}
	setAside(t, st, setAsideEntry("group a", 7, raw), setAsideEntry("group a", 8, []byte("junk")), []byte("worse"),
		setAsideEntry("", 9, raw), setAsideEntry(SetAsideQueue, 9, raw))

	want := []SetAside{
		{Seq: 1, From: "group a", At: time.Unix(7, 0), Reason: "because 7", Record: plain, Data: raw},
		{Seq: 2, From: "group a", At: time.Unix(8, 0), Reason: "because 8", Data: []byte("junk"), Damage: ErrDamaged},
		{Seq: 3, Data: []byte("worse"), Damage: ErrDamaged},
		{Seq: 4, At: time.Unix(9, 0), Reason: "because 9", Record: plain, Data: raw, Damage: ErrDamaged},
		{Seq: 5, From: SetAsideQueue, At: time.Unix(9, 0), Reason: "because 9", Record: plain, Data: raw, Damage: ErrDamaged},
	}
	sameError := cmp.Comparer(func(a, b error) bool { return errors.Is(a, ErrDamaged) == errors.Is(b, ErrDamaged) })
	got, err := s.List(0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameError); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
	for i, w := range want {
		a, err := s.Get(w.Seq)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got[i], a, sameError); diff != "" {
			t.Errorf("listed (-) and got alone (+):\n%s", diff)
		}
	}
	if s.Len() != 5 {
		t.Errorf("Len is %d, want 5", s.Len())
	}
	for _, seq := range []uint64{0, 6, 1<<64 - 1} {
		if a, err := s.Get(seq); !errors.Is(err, ErrNotSetAside) || !strings.Contains(err.Error(), fmt.Sprint(seq)) {
			t.Errorf("Get(%d) gives %v, %v", seq, a, err)
		}
	}
}

func TestSpoolPages(t *testing.T) {
	st := openStore(t, store.NewDisk())
	s := NewSpool(st)
	for id := range SpoolLimit + 10 {
		setAside(t, st, goodEntry("group a", id))
	}
	for _, tt := range []struct {
		name  string
		after uint64
		limit int
		first uint64
		n     int
	}{
		{"the first", 0, 3, 1, 3},
		{"the next", 3, 3, 4, 3},
		{"the last", SpoolLimit + 7, 100, SpoolLimit + 8, 3},
		{"none after", SpoolLimit + 10, 100, 0, 0},
		{"none after the greatest number", 1<<64 - 1, 100, 0, 0},
		{"no more than the limit", 0, 1 << 30, 1, SpoolLimit},
		{"none wanted", 0, 0, 0, 0},
		{"fewer than none wanted", 0, -1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := s.List(tt.after, tt.limit)
			if err != nil || len(list) != tt.n {
				t.Fatalf("%d records, %v, want %d", len(list), err, tt.n)
			}
			for i, a := range list {
				if a.Seq != tt.first+uint64(i) {
					t.Fatalf("record %d has number %d, want %d", i, a.Seq, tt.first+uint64(i))
				}
			}
		})
	}
	if n, err := s.Drop(make([]uint64, SpoolLimit+1)...); n != 0 || !errors.Is(err, ErrTooMany) {
		t.Errorf("Drop of too many: %d, %v", n, err)
	}
	if n, err := s.Replay(make([]uint64, SpoolLimit+1)...); n != 0 || !errors.Is(err, ErrTooMany) {
		t.Errorf("Replay of too many: %d, %v", n, err)
	}
}

func TestSpoolReplayDrop(t *testing.T) {
	for _, tt := range []struct {
		name    string
		replay  bool
		seqs    []uint64
		n       int
		want    []error // each with its number
		named   []uint64
		left    []uint64
		inA     []sessions.ID
		inOther []sessions.ID
	}{
		{"replay one", true, []uint64{2}, 1, nil, nil, []uint64{1, 3, 4, 5}, []sessions.ID{12}, nil},
		{"replay in order, whatever is asked", true, []uint64{5, 1, 2, 1}, 3, nil, nil, []uint64{3, 4}, []sessions.ID{11, 12}, []sessions.ID{15}},
		{"replay none", true, nil, 0, nil, nil, []uint64{1, 2, 3, 4, 5}, nil, nil},
		{"replay damaged", true, []uint64{2, 3, 4}, 1, []error{ErrDamaged}, []uint64{3, 4}, []uint64{1, 3, 4, 5}, []sessions.ID{12}, nil},
		{"replay missing", true, []uint64{77, 1}, 1, []error{ErrNotSetAside}, []uint64{77}, []uint64{2, 3, 4, 5}, []sessions.ID{11}, nil},
		{"replay damaged and missing", true, []uint64{3, 77}, 0, []error{ErrDamaged, ErrNotSetAside}, []uint64{3, 77}, []uint64{1, 2, 3, 4, 5}, nil, nil},
		{"drop", false, []uint64{5, 1}, 2, nil, nil, []uint64{2, 3, 4}, nil, nil},
		{"drop damaged", false, []uint64{3, 4}, 2, nil, nil, []uint64{1, 2, 5}, nil, nil},
		{"drop missing", false, []uint64{0, 6, 2}, 1, []error{ErrNotSetAside}, []uint64{0, 6}, []uint64{1, 3, 4, 5}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := store.NewDisk()
			st := openStore(t, disk)
			setAside(t, st, goodEntry("group a", 11), goodEntry("group a", 12), setAsideEntry("group a", 13, []byte("junk")),
				[]byte("worse"), goodEntry("local", 15))
			s := NewSpool(st)
			do := s.Drop
			if tt.replay {
				do = s.Replay
			}
			n, err := do(tt.seqs...)
			if n != tt.n || (err != nil) != (len(tt.want) > 0) {
				t.Errorf("%d, %v, want %d and %v", n, err, tt.n, tt.want)
			}
			for _, want := range tt.want {
				if !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			}
			for _, seq := range tt.named {
				if !strings.Contains(err.Error(), fmt.Sprintf(": %d", seq)) {
					t.Errorf("%v does not name %d", err, seq)
				}
			}
			// The reported number of moves is durable.
			again := openStore(t, disk.PowerCut(0, nil))
			for when, st := range map[string]*store.Store{"at once": st, "after a power cut": again} {
				list, err := NewSpool(st).List(0, 100)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.left, numbers(list)); diff != "" {
					t.Errorf("%s, left: want (-) and got (+):\n%s", when, diff)
				}
				if diff := cmp.Diff([][]sessions.ID{tt.inA, tt.inOther}, [][]sessions.ID{queued(t, st, "group a"), queued(t, st, "local")}); diff != "" {
					t.Errorf("%s, queued: want (-) and got (+):\n%s", when, diff)
				}
			}
		})
	}
}

// TestSpoolReplaysOctets: a replayed record is the one that was set aside.
func TestSpoolReplaysOctets(t *testing.T) {
	st := openStore(t, store.NewDisk())
	raw := AppendRecord(nil, goldenRecord(t))
	setAside(t, st, setAsideEntry("group a", 1, raw))
	if n, err := NewSpool(st).Replay(1); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	entries, err := st.Read("group a", 0, 10, nil)
	if err != nil || len(entries) != 1 || !bytes.Equal(entries[0].Data, raw) {
		t.Errorf("queued %x, %v, want %x", entries, err, raw)
	}
}

// TestSpoolTwice: several callers replay and drop the same records. Each record is handled once and
// counted once.
func TestSpoolTwice(t *testing.T) {
	st := openStore(t, store.NewDisk())
	s := NewSpool(st)
	const records, callers = 300, 6
	var seqs []uint64
	for id := range records {
		setAside(t, st, goodEntry("group a", id))
		seqs = append(seqs, uint64(id+1))
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	removed := map[bool]int{} // by whether it was Drop
	for i := range callers {
		drop := i == callers-1
		all.Go(func() {
			do := s.Replay
			if drop {
				do = s.Drop
			}
			for rest := seqs; len(rest) > 0; rest = rest[50:] {
				n, err := do(rest[:50]...)
				if err != nil && !errors.Is(err, ErrNotSetAside) || n < 50 && err == nil {
					t.Errorf("removed %d, error %v", n, err)
				}
				mu.Lock()
				removed[drop] += n
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if got := queued(t, st, "group a"); len(got) != removed[false] || removed[false]+removed[true] != records || s.Len() != 0 {
		t.Errorf("%d records queued, %d said to be replayed, %d dropped, %d left, of %d",
			len(got), removed[false], removed[true], s.Len(), records)
	}
	if len(s.reserved) != 0 {
		t.Errorf("%d records are still in hand", len(s.reserved))
	}
}

// TestSpoolCrash cuts the power while records are replayed. Each record is in exactly one of the
// queues.
func TestSpoolCrash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disk := store.NewDisk()
		open := func(disk *store.Disk) *store.Store {
			st, err := store.Open("state", store.Config{Disk: disk, MinFree: -1, Ballast: -1})
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		st := open(disk)
		records := rapid.IntRange(1, 40).Draw(t, "records")
		var c store.Change
		var seqs []uint64
		for id := range records {
			c.Appends = append(c.Appends, store.Append{Queue: SetAsideQueue, Data: goodEntry("group a", id)})
			seqs = append(seqs, uint64(id+1))
		}
		there := make(chan error, 1)
		st.Commit(c, func(err error) { there <- err })
		if err := <-there; err != nil {
			t.Fatal(err)
		}
		first := rapid.IntRange(0, records).Draw(t, "replayed before")
		s := NewSpool(st)
		if n, err := s.Replay(seqs[:first]...); n != first || err != nil {
			t.Fatal(n, err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = s.Replay(seqs[first:]...)
		}()
		cut := disk.PowerCut(rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "unsynced"),
			rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		<-ended
		again := open(cut)
		defer again.Close()
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		replayed, err := again.Read("group a", 0, 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		left, err := NewSpool(again).List(0, 100)
		if err != nil {
			t.Fatal(err)
		}
		// Both are in order, so the records left come after the replayed ones.
		if len(replayed) < first || len(replayed)+len(left) != records {
			t.Fatalf("%d replayed, %d left, of %d, %d of which were durable in their queue", len(replayed), len(left), records, first)
		}
		for i, a := range left {
			if a.Seq != uint64(len(replayed)+i+1) {
				t.Fatalf("left: %v after %d replayed", numbers(left), len(replayed))
			}
		}
	})
}

// TestSpoolStoreRefuses uses a store without space, and one that fails.
func TestSpoolStoreRefuses(t *testing.T) {
	disk := store.NewDisk()
	st := openStore(t, disk)
	setAside(t, st, goodEntry("group a", 1), goodEntry("group a", 2), goodEntry("group a", 3))
	var s *Spool
	reopen := func(free int64) {
		t.Helper()
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		disk.SetFree(free)
		var err error
		if st, err = store.Open("state", store.Config{Disk: disk, MinFree: 200 << 20, Ballast: -1}); err != nil {
			t.Fatal(err)
		}
		s = NewSpool(st)
	}
	reopen(100 << 20) // no new events, but a reserve for moves
	if n, err := s.Replay(3); n != 1 || err != nil {
		t.Errorf("Replay from the reserve: %d, %v", n, err)
	}
	reopen(100<<20 - 1)
	if n, err := s.Replay(1); n != 0 || !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("Replay on a full disk: %d, %v", n, err)
	}
	if n, err := s.Drop(1); n != 1 || err != nil { // this frees space
		t.Errorf("Drop on a full disk: %d, %v", n, err)
	}
	disk.Break(errors.New("broken"))
	if n, err := s.Drop(2); n != 0 || !errors.Is(err, store.ErrFailed) {
		t.Errorf("Drop on a broken disk: %d, %v", n, err)
	}
	if _, err := s.List(0, 10); !errors.Is(err, store.ErrFailed) {
		t.Errorf("List of a failed store: %v", err)
	}
	if _, err := s.Get(2); !errors.Is(err, store.ErrFailed) {
		t.Errorf("Get of a failed store: %v", err)
	}
	if err := st.Close(); !errors.Is(err, store.ErrFailed) {
		t.Errorf("Close: %v", err)
	}
	if left, err := NewSpool(openStore(t, disk.PowerCut(0, nil))).List(0, 10); err != nil || len(left) != 1 || left[0].Seq != 2 {
		t.Errorf("left: %v, %v, want number 2", left, err)
	}
}

func rec(id sessions.ID, typ sessions.EventType, next ...MethodName) *Record {
	return &Record{Session: id, Type: typ, At: time.Unix(1, 0), List: "network/default", Next: next}
}
