package store

import (
	"bytes"
	"fmt"
	"testing"
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
	if n := len(s.queues["q"].tail.records); n != 3 {
		t.Errorf("%d records in memory, want those that were not read from there", n)
	}
	got, err := s.Read("q", 5, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "in memory, with a hole", []Entry{{5, []byte("e")}, {7, []byte("g")}}, got)
	if n := len(s.queues["q"].tail.records); n != 0 {
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
		add(tailChunk + 1)
		add(tailChunk)
		add(0)
		tail := &s.queues["q"].tail
		if tail.octets > maxTail || len(tail.records) != 2 {
			t.Errorf("%d octets in %d records are in memory", tail.octets, len(tail.records))
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
