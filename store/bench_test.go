package store

import (
	"fmt"
	"sync"
	"testing"
)

// BenchmarkCommit makes events durable that have the size of a session start (400 bytes of state, a
// record of 300 bytes), with a given number in flight. It uses the disk of the temporary directory.
func BenchmarkCommit(b *testing.B) {
	for _, inFlight := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("inflight=%d", inFlight), func(b *testing.B) {
			s, err := Open(b.TempDir(), Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			benchmarkCommits(b, s, inFlight)
		})
	}
}

func benchmarkCommits(b *testing.B, s *Store, inFlight int) {
	b.ReportAllocs()
	slots := make(chan struct{}, inFlight)
	var failed sync.Once
	done := func(err error) {
		if err != nil {
			failed.Do(func() { b.Error(err) })
		}
		<-slots
	}
	value, data := make([]byte, 400), make([]byte, 300)
	for i := range value {
		value[i] = byte(i * 7)
	}
	copy(data, value)
	key := make([]byte, 0, 32)
	puts, appends := make([]Put, 1), make([]Append, 1)
	b.ResetTimer()
	for i := range b.N {
		key = fmt.Appendf(key[:0], "session/%08X", uint32(i)%200_000)
		puts[0] = Put{Key: key, Value: value}
		appends[0] = Append{Queue: "radius/isp", Data: data}
		slots <- struct{}{}
		s.Commit(Change{Puts: puts, Appends: appends}, done)
	}
	for range inFlight {
		slots <- struct{}{}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}

// BenchmarkRead reads a backlog from start to end, 64 records at a time.
func BenchmarkRead(b *testing.B) {
	s, err := Open(b.TempDir(), Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const backlog = 200_000
	last := make(chan error, 1)
	data := make([]byte, 300)
	for i := range backlog {
		done := func(error) {}
		if i == backlog-1 {
			done = func(err error) { last <- err }
		}
		s.Commit(Change{Appends: []Append{{Queue: "q", Data: data}}}, done)
	}
	if err := <-last; err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	entries := make([]Entry, 0, 64)
	from, read := uint64(0), 0
	for range b.N {
		entries, err = s.Read("q", from, 64, entries[:0])
		if err != nil {
			b.Fatal(err)
		}
		read += len(entries)
		from = entries[len(entries)-1].Seq + 1
		if from > backlog-64 {
			from = 0
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkDiscard makes records durable, 256 in flight, and discards each as soon as it is
// durable, like an agent whose servers answer at once.
func BenchmarkDiscard(b *testing.B) {
	s, err := Open(b.TempDir(), Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	slots := make(chan struct{}, 256)
	done := make(chan uint64, 256)
	data := make([]byte, 300)
	go func() {
		for seq := range done {
			s.Discard([]Ack{{"q", seq}})
			<-slots
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		slots <- struct{}{}
		s.Commit(Change{Appends: []Append{{Queue: "q", Data: data}}}, func(err error) {
			if err != nil {
				b.Error(err)
			}
			done <- uint64(i) + firstSeq
		})
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
	b.StopTimer()
	close(done)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
