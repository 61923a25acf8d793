package store

import (
	"bytes"
	"fmt"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// TestTail: a reader that keeps up gets its records from memory, others from the engine, and both the
// same.
func TestTail(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	commit(t, s, Change{Appends: appends("q", "a", "b", "c", "d")})
	equal(t, "in memory", []string{"1:a", "2:b", "3:c", "4:d"}, read(t, s, "q"))
	equal(t, "read again, through the engine", []string{"1:a", "2:b", "3:c", "4:d"}, read(t, s, "q"))
	commit(t, s, Change{Appends: appends("q", "e", "f", "g"), Acks: []Ack{{"q", 1}, {"q", 6}}})
	commit(t, s, Change{Acks: []Ack{{"q", 6}}})
	equal(t, "partly in memory, with a hole", []string{"2:b", "3:c", "4:d", "5:e", "7:g"}, read(t, s, "q"))
	if n := s.queues["q"].tail.len(); n != 3 {
		t.Errorf("%d records in memory, want those that were not read from there", n)
	}
	got, err := s.Read("q", 5, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "in memory, with a hole", []Entry{{5, []byte("e")}, {7, []byte("g")}}, got)
	if n := s.queues["q"].tail.len(); n != 0 {
		t.Errorf("%d records in memory after they were read", n)
	}
}

// TestTailLimits: the memory of records that nobody reads is bounded, long records are not kept, and all can
// be read.
func TestTailLimits(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	var want []string
	add := func(n int) {
		data := bytes.Repeat([]byte{byte('a' + len(want)%26)}, n)
		commit(t, s, Change{Appends: []Append{{Queue: "q", Data: data}}})
		clear(data) // the caller may use it again
		want = append(want, fmt.Sprintf("%d:%s", len(want)+1, bytes.Repeat([]byte{byte('a' + len(want)%26)}, n)))
	}
	for range 3 {
		for range 100 {
			add(20_000)
		}
		add(tailPartSize + 1)
		add(tailPartSize)
		add(0)
		tail := &s.queues["q"].tail
		if tail.octets > maxTail || tail.len() != 2 {
			t.Errorf("%d octets in %d records are in memory", tail.octets, tail.len())
		}
	}
	for range 200 {
		add(20_000)
	}
	if tail := &s.queues["q"].tail; tail.octets > maxTail || tail.octets < maxTail-20_000 {
		t.Errorf("%d octets are in memory", tail.octets)
	}
	got, err := s.Read("q", uint64(len(want)-50), 51, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range got {
		equal(t, "a record in memory", want[len(want)-51+i], fmt.Sprintf("%d:%s", e.Seq, e.Data))
	}
	if len(got) != 51 {
		t.Errorf("%d records", len(got))
	}
	equal(t, "all, through the engine", want, read(t, s, "q"))
}

// TestTailKeepsWhatIsRead: a tail uses its memory again, but never that of records that were read. Appends,
// reads and gaps in any order.
func TestTailKeepsWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tl tail
		type held struct {
			data, want string // data shares the memory of the record
		}
		var readers []held
		want := map[uint64]string{}
		next := uint64(1)
		record := func(seq uint64, n int) []byte { return bytes.Repeat([]byte{byte(seq)}, n) }
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 50).Draw(t, "records") {
					data := record(next, rapid.SampledFrom([]int{0, 1, 300, 20_000, tailPartSize, tailPartSize + 1}).Draw(t, "octets"))
					tl.append(next, data)
					want[next] = string(data)
					next++
				}
			},
			"gap": func(*rapid.T) { next += 5 },
			"read": func(t *rapid.T) {
				if tl.len() == 0 {
					return
				}
				from := tl.first + uint64(rapid.IntRange(0, tl.len()-1).Draw(t, "from"))
				to := from + uint64(rapid.IntRange(1, tl.len()-int(from-tl.first)).Draw(t, "records"))
				entries, ok := tl.read([]run{{from, to}}, nil)
				if !ok || len(entries) != int(to-from) {
					t.Fatalf("%d records from %d to %d, %t", len(entries), from, to, ok)
				}
				for _, e := range entries {
					readers = append(readers, held{unsafe.String(unsafe.SliceData(e.Data), len(e.Data)), want[e.Seq]})
				}
			},
			"": func(t *rapid.T) {
				if tl.octets > maxTail || tl.first+uint64(tl.len()) > next {
					t.Fatalf("%d octets in %d records from %d, next %d", tl.octets, tl.len(), tl.first, next)
				}
				for i := range tl.len() {
					if got := string(tl.records[tl.dropped+i]); got != want[tl.first+uint64(i)] {
						t.Fatalf("record %d has changed", tl.first+uint64(i))
					}
				}
				for _, h := range readers {
					if h.data != h.want {
						t.Fatal("a record that was read has changed")
					}
				}
			},
		})
	})
}

// TestTailUsesMemoryAgain: records that nobody reads cost no new memory.
func TestTailUsesMemoryAgain(t *testing.T) {
	var tl tail
	data, seq := make([]byte, 300), uint64(0)
	fill := func() {
		for range maxTail / len(data) {
			seq++
			tl.append(seq, data)
		}
	}
	fill()
	fill()
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("%v allocations for %d octets", n, maxTail)
	}
	if n := cap(tl.records); n > 4*tl.len() {
		t.Errorf("room for %d records, there are %d", n, tl.len())
	}
}
