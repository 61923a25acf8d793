package store

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// open opens a store on a disk in memory and closes it with the test.
func open(t testing.TB, disk *Disk, cfg Config) *Store {
	t.Helper()
	cfg.Disk = disk
	s, err := Open("state", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// commit commits a change and waits until it is durable.
func commit(t testing.TB, s *Store, c Change) {
	t.Helper()
	if err := commitErr(s, c); err != nil {
		t.Fatal(err)
	}
}

func commitErr(s *Store, c Change) error {
	done := make(chan error, 1)
	s.Commit(c, func(err error) { done <- err })
	return <-done
}

func put(key, value string) Put { return Put{Key: []byte(key), Value: []byte(value)} }

func appends(queue string, records ...string) []Append {
	var all []Append
	for _, r := range records {
		all = append(all, Append{Queue: queue, Data: []byte(r)})
	}
	return all
}

// state returns everything that Load passes to its callback.
func state(t testing.TB, s *Store) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := s.Load(func(key, value []byte) error {
		m[string(key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// read returns a whole queue, as "seq:data".
func read(t testing.TB, s *Store, queue string) []string {
	t.Helper()
	entries, err := s.Read(queue, 0, 1_000_000, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%d:%s", e.Seq, e.Data))
	}
	return all
}

func equal(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestRestart: each case gives the same result before and after a restart.
func TestRestart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changes []Change
		state   map[string]string
		queues  []QueueInfo
		records map[string][]string
	}{
		{"empty", nil, map[string]string{}, []QueueInfo{}, nil},
		{
			"put, overwrite, delete, empty value",
			[]Change{
				{Puts: []Put{put("a", "1"), put("b", "1"), put("c", "1")}},
				{Puts: []Put{put("a", "2"), {Key: []byte("b")}, {Key: []byte("c"), Value: []byte{}}, {Key: []byte("none")}}},
			},
			map[string]string{"a": "2", "c": ""},
			[]QueueInfo{},
			nil,
		},
		{
			"queues are numbered each for itself",
			[]Change{
				{Appends: append(appends("q/1", "x", "y"), appends("q/2", "z")...)},
				{Puts: []Put{put("k", "v")}, Appends: appends("q/1", "w")},
			},
			map[string]string{"k": "v"},
			[]QueueInfo{{Name: "q/1", Len: 3, FirstSeq: 1, NextSeq: 4}, {Name: "q/2", Len: 1, FirstSeq: 1, NextSeq: 2}},
			map[string][]string{"q/1": {"1:x", "2:y", "3:w"}, "q/2": {"1:z"}, "q": nil},
		},
		{
			"acknowledged in order, out of order, twice, and never there",
			[]Change{
				{Appends: appends("q", "a", "b", "c", "d", "e")},
				{Acks: []Ack{{"q", 1}, {"q", 4}, {"q", 4}, {"q", 99}, {"q", 0}, {"none", 1}}},
				{Acks: []Ack{{"q", 4}}},
			},
			map[string]string{},
			[]QueueInfo{{Name: "q", Len: 3, FirstSeq: 2, NextSeq: 6}},
			map[string][]string{"q": {"2:b", "3:c", "5:e"}},
		},
		{
			"numbers go on after all is delivered",
			[]Change{
				{Appends: appends("q", "a", "b")},
				{Acks: []Ack{{"q", 2}, {"q", 1}}},
			},
			map[string]string{},
			[]QueueInfo{{Name: "q", Len: 0, FirstSeq: 3, NextSeq: 3}},
			map[string][]string{"q": nil},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := NewDisk()
			s := open(t, disk, Config{})
			for _, c := range tt.changes {
				commit(t, s, c)
			}
			for _, when := range []string{"before", "after"} {
				equal(t, when+": state", tt.state, state(t, s))
				equal(t, when+": queues", tt.queues, s.Queues())
				for name, want := range tt.records {
					equal(t, when+": "+name, want, read(t, s, name))
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, disk, Config{})
			}
			commit(t, s, Change{Appends: appends("q", "new")})
			if got := read(t, s, "q"); len(got) == 0 || !strings.HasSuffix(got[len(got)-1], ":new") {
				t.Errorf("no new record at the end of %v", got)
			}
		})
	}
}

func TestSlicesMayBeReused(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	key, value, data := []byte("k"), []byte("v"), []byte("d")
	done := make(chan error, 1)
	s.Commit(Change{Puts: []Put{{Key: key, Value: value}}, Appends: []Append{{Queue: "q", Data: data}}}, func(err error) { done <- err })
	key[0], value[0], data[0] = 'X', 'X', 'X'
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	equal(t, "state", map[string]string{"k": "v"}, state(t, s))
	equal(t, "queue", []string{"1:d"}, read(t, s, "q"))
}

// TestReadHeads: of records on disk only the first octets are read; shorter records are whole.
func TestReadHeads(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	long := strings.Repeat("long", maxTail/4)
	commit(t, s, Change{Appends: appends("q", "a", long, "", "bcde", long)})
	equal(t, "whole records", []string{"1:a", "2:" + long, "3:", "4:bcde", "5:" + long}, read(t, s, "q"))
	var got []string
	entries, err := s.ReadHeads("q", 0, 10, 3, nil)
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%d:%s", e.Seq, e.Data))
	}
	if equal(t, "heads", []string{"1:a", "2:lon", "3:", "4:bcd", "5:lon"}, got); err != nil {
		t.Error(err)
	}
}

// TestLatest: changes that become durable together write a key with Put.Latest once, with the last value. An
// empty value and a deletion survive a restart too.
func TestLatest(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	commit(t, s, Change{Puts: []Put{{Key: []byte("also"), Value: []byte("deleted below"), Latest: true}, {Key: []byte("k2"), Value: []byte("1"), Latest: true}, {Key: []byte("k2"), Latest: true}}})
	for _, value := range []string{"the last one", "", "shorter"} {
		s.mu.Lock()
		b := s.fillingBatch()
		for i := range 10 {
			last := Put{Key: []byte("latest"), Value: fmt.Appendf(nil, "%d", i), Latest: true}
			other := Put{Key: []byte("also"), Latest: true}
			if i == 9 {
				last.Value = []byte(value)
			} else if i%2 == 0 {
				last.Value, other.Value = nil, []byte("x")
			}
			s.encode(b, &Change{Puts: []Put{last, put("k", value), other}})
			clear(last.Key) // the caller may reuse both
			clear(last.Value)
		}
		s.seal()
		if got, want := b.ops.Count(), uint32(10+2); got != want {
			t.Errorf("%d writes, want %d", got, want)
		}
		s.mu.Unlock()
		commit(t, s, Change{Puts: []Put{put("after", value)}})
		want := map[string]string{"latest": value, "k": value, "after": value}
		equal(t, "state", want, state(t, s))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, disk, Config{})
		equal(t, "state after a restart", want, state(t, s))
	}
}

func TestReadFromAndLimit(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	commit(t, s, Change{Appends: appends("q", "a", "b", "c", "d", "e", "f")})
	s.Discard([]Ack{{"q", 3}})
	for _, tt := range []struct {
		from  uint64
		limit int
		want  []uint64
	}{
		{0, 10, []uint64{1, 2, 4, 5, 6}},
		{1, 2, []uint64{1, 2}},
		{2, 3, []uint64{2, 4, 5}},
		{3, 1, []uint64{4}},
		{6, 5, []uint64{6}},
		{7, 5, nil},
		{0, 0, nil},
		{0, -1, nil},
	} {
		kept := []Entry{{Seq: 77}}
		got, err := s.Read("q", tt.from, tt.limit, kept)
		if err != nil {
			t.Fatal(err)
		}
		var seqs []uint64
		for _, e := range got[1:] {
			seqs = append(seqs, e.Seq)
		}
		equal(t, fmt.Sprintf("from %d, at most %d", tt.from, tt.limit), tt.want, seqs)
	}
}

func TestInvalidChanges(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	for _, tt := range []struct {
		name string
		c    Change
	}{
		{"no key", Change{Puts: []Put{{Value: []byte("v")}}}},
		{"no queue", Change{Appends: appends("", "x")}},
		{"long queue", Change{Appends: appends(strings.Repeat("q", maxName+1), "x")}},
		{"too large", Change{Puts: []Put{{Key: []byte("k"), Value: make([]byte, maxChange)}}}},
		{"latest too large", Change{Puts: []Put{{Key: []byte("k"), Value: make([]byte, maxLatest), Latest: true}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Puts = append([]Put{put("trace", "x")}, tt.c.Puts...)
			if err := commitErr(s, tt.c); !errors.Is(err, ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
		})
	}
	commit(t, s, Change{Puts: []Put{{Key: []byte("big"), Value: make([]byte, maxChange-3)}}})
	if got := state(t, s); len(got) != 1 || len(got["big"]) != maxChange-3 {
		t.Errorf("%d keys, want only the big one", len(got))
	}
}

func TestDoneOrder(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	var order []int // only used on the writer's goroutine
	batches := 0
	s.AfterBatch(func() { batches++ })
	const n = 5000
	end := make(chan struct{})
	for i := range n {
		c := Change{Puts: []Put{put("k", fmt.Sprint(i))}, Appends: appends("q", "x")}
		if i%100 == 7 {
			c.Puts[0].Key = nil // refused, but in order
		}
		s.Commit(c, func(err error) {
			if batches == 0 {
				t.Error("a callback before AfterBatch")
			}
			if (err != nil) != (i%100 == 7) {
				t.Errorf("change %d: %v", i, err)
			}
			order = append(order, i)
			if len(order) == n {
				close(end)
			}
		})
	}
	<-end
	for i, got := range order {
		if got != i {
			t.Fatalf("callback %d is that of change %d", i, got)
		}
	}
	if batches >= n {
		t.Errorf("%d batches for %d changes: no group commit", batches, n)
	}
}

// TestCallbackCommits: a callback may use the store that called it.
func TestCallbackCommits(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	end := make(chan error, 1)
	s.Commit(Change{Appends: appends("q", "a")}, func(err error) {
		entries, rerr := s.Read("q", 0, 10, nil)
		if err != nil || rerr != nil || len(entries) != 1 {
			end <- fmt.Errorf("%v, %v, %d entries", err, rerr, len(entries))
			return
		}
		s.Discard([]Ack{{"q", 1}})
		s.Commit(Change{Puts: []Put{put("k", "v")}}, func(err error) { end <- err })
	})
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	if got := s.Queues()[0].Len; got != 0 {
		t.Errorf("%d records left, want 0", got)
	}
}

func TestAppended(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	ch := s.Appended("q") // before the queue exists
	other := s.Appended("other")
	commit(t, s, Change{Appends: appends("q", "a", "b")})
	commit(t, s, Change{Appends: appends("q", "c")})
	<-ch
	select {
	case <-ch:
		t.Error("signals are not coalesced")
	case <-other:
		t.Error("signal of another queue")
	default:
	}
	commit(t, s, Change{Puts: []Put{put("k", "v")}, Acks: []Ack{{"q", 1}}})
	select {
	case <-ch:
		t.Error("signal without a new record")
	default:
	}
	equal(t, "queues", []QueueInfo{{Name: "q", Len: 2, FirstSeq: 2, NextSeq: 4}}, s.Queues())
}

func TestBusy(t *testing.T) {
	s := open(t, NewDisk(), Config{MaxPending: 4})
	entered, release := make(chan struct{}), make(chan struct{})
	s.Commit(Change{Puts: []Put{put("k", "v")}}, func(error) {
		close(entered)
		<-release
	})
	<-entered
	var all sync.WaitGroup
	for i := range 6 {
		want := error(nil)
		if i >= 4 {
			want = ErrBusy
		}
		if err := s.Accepting(); !errors.Is(err, want) {
			t.Errorf("with %d pending: %v, want %v", i, err, want)
		}
		all.Add(1)
		s.Commit(Change{Puts: []Put{put("k", "v")}}, func(err error) { // never refused
			if err != nil {
				t.Error(err)
			}
			all.Done()
		})
	}
	close(release)
	all.Wait()
	if err := s.Accepting(); err != nil {
		t.Errorf("after all are done: %v", err)
	}
}

func TestClose(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	durable := 0
	for range 100 {
		s.Commit(Change{Appends: appends("q", "x")}, func(err error) {
			if err == nil {
				durable++
			}
		})
	}
	s.Discard([]Ack{{"none", 1}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if durable != 100 {
		t.Errorf("Close returned with %d of 100 changes durable", durable)
	}
	_, readErr := s.Read("q", 0, 1, nil)
	for what, err := range map[string]error{
		"Accepting": s.Accepting(),
		"Commit":    commitErr(s, Change{}),
		"Read":      readErr,
		"Load":      s.Load(func(_, _ []byte) error { return nil }),
		"Close":     s.Close(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	s.Discard([]Ack{{"q", 1}})
	equal(t, "after reopening", 100, len(read(t, open(t, disk, Config{}), "q")))
}

func TestLoad(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	value := strings.Repeat("v", 1000)
	const n = 2000 // several pages
	c := Change{Appends: appends("q", "not state")}
	for i := range n {
		c.Puts = append(c.Puts, put(fmt.Sprintf("key/%05d", n-1-i), value))
	}
	commit(t, s, c)

	var keys []string
	err := s.Load(func(key, got []byte) error {
		keys = append(keys, string(key))
		if string(got) != value {
			t.Fatalf("%s has another value", key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		if want := fmt.Sprintf("key/%05d", i); key != want {
			t.Fatalf("key %d is %s, want %s", i, key, want)
		}
	}
	if len(keys) != n {
		t.Errorf("%d keys, want %d", len(keys), n)
	}

	enough, calls := errors.New("enough"), 0
	err = s.Load(func(_, _ []byte) error {
		if calls++; calls == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || calls != 3 {
		t.Errorf("got %v after %d calls, want the callback's error after 3", err, calls)
	}
}

// TestLoadUsesPagesAgain: Load passes a large state through a little memory. New memory for all of it would
// be most of what a start needs.
func TestLoadUsesPagesAgain(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	const keys, size = 32 << 10, 256
	for i := range keys / 1024 {
		var c Change
		for j := range 1024 {
			c.Puts = append(c.Puts, put(fmt.Sprint(i*1024+j), strings.Repeat("v", size)))
		}
		commit(t, s, c)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // else memory that it frees could come again, and the test could not fail
	n, used := 0, map[uintptr]bool{}
	err := s.Load(func(key, _ []byte) error {
		n++
		used[uintptr(unsafe.Pointer(&key[0]))/size] = true // where the key is
		return nil
	})
	if err != nil || n != keys {
		t.Fatal(n, err)
	}
	if len(used) > keys/4 {
		t.Errorf("%d keys were in %d places", n, len(used))
	}
}
