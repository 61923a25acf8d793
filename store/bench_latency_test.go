package store

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"aaasess/internal/logtest"
)

// BenchmarkLatency makes 10,000 events a second durable, as when sessions start while the server
// for their records is dead: nothing is delivered and the queue grows. It reports how long an event
// waits for its answer. At most 128 are in flight; the time that an event waits for a free place
// counts too. It uses the disk of the temporary directory. -benchtime=600000x is a minute.
func BenchmarkLatency(b *testing.B) {
	log := new(logtest.Buffer)
	s, err := Open(b.TempDir(), Config{Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const inFlight, perTick, tick = 128, 20, 2 * time.Millisecond
	var waited struct {
		sync.Mutex
		all  []time.Duration
		fail error
	}
	slots := make(chan struct{}, inFlight)
	value := make([]byte, 350) // like attributes: a large part is unique
	random := rand.NewChaCha8([32]byte{})
	b.ResetTimer()
	start, cpu := time.Now(), cpuTime(b)
	for i := range b.N {
		due := start.Add(time.Duration(i/perTick) * tick)
		time.Sleep(time.Until(due))
		_, _ = random.Read(value[:150])
		key := binary.BigEndian.AppendUint32([]byte("session/"), uint32(i)*2654435761)
		slots <- struct{}{}
		c := Change{Puts: []Put{{Key: key, Value: value}}, Appends: []Append{{Queue: "radius/isp", Data: value}}}
		s.Commit(c, func(err error) {
			waited.Lock()
			waited.all = append(waited.all, time.Since(due))
			waited.fail = errors.Join(waited.fail, err)
			waited.Unlock()
			<-slots
		})
	}
	for range inFlight {
		slots <- struct{}{}
	}
	b.StopTimer()
	b.ReportMetric(100*float64(cpuTime(b)-cpu)/float64(time.Since(start)), "cpu-%")
	b.ReportMetric(float64(log.Count("engine stalls")), "stalls")
	if waited.fail != nil {
		b.Fatal(waited.fail)
	}
	slices.Sort(waited.all)
	at := func(part float64) float64 {
		return float64(waited.all[int(part*float64(b.N-1))]) / float64(time.Millisecond)
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(0.999), "p99.9-ms")
	b.ReportMetric(at(1), "max-ms")
	over := len(waited.all) - func() int {
		n, _ := slices.BinarySearch(waited.all, 50*time.Millisecond)
		return n
	}()
	b.ReportMetric(float64(over), "over-50ms")
}
