package outagetest

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/store"
)

const (
	// dayMemory is by how much the heap may grow in a day, whatever the number of records: the
	// store's memtables and cache, the records that the Delivery holds, and its state of live
	// sessions.
	dayMemory = 96 << 20
	// dayPerRecord is how many octets a record may add to that, compared with a tenth of the day.
	dayPerRecord = 4
	// drainRate is how many records a second are sent.
	drainRate = 50_000
)

// A day without servers. Once a server is up, everything that must arrive does, in order. Memory
// does not grow with the length of the day.
func TestDay(t *testing.T) {
	tenth := day(t, 24*60/10)
	full := day(t, 24*60)
	if full > dayMemory {
		t.Errorf("the heap grew by %d MiB, more than %d", full>>20, dayMemory>>20)
	}
	if more, most := full-tenth, int64(dayNoise+daySize/10*9*dayPerRecord); more > most {
		t.Errorf("ten times the records took %d KiB more memory, at most %d are expected", more>>10, most>>10)
	}
}

// day simulates that many minutes of the day. It returns the largest growth of the heap.
func day(t *testing.T, minutes int) (grown int64) {
	dir, records := t.TempDir(), daySize/(24*60)*minutes
	synctest.Test(t, func(t *testing.T) {
		subs := newSubscribers(daySize/100, daySize)
		s := newSite(t, 1, dir, store.Config{MaxSize: dayStore}, delivery.Config{})
		defer s.stop()
		s.net.Watch(func(radiusnet.Arrival) {})
		back := time.Duration(minutes) * time.Minute
		perSecond := map[int]int{}
		a := s.host(0, radiusnet.Server{
			Link: radiusnet.Link{Dead: []radiusnet.Interval{{To: back}}},
			Handle: func(request []byte, a radiusnet.Arrival) radiusnet.Reaction {
				subs.receive(request, a)
				perSecond[int(a.At.Sub(s.began)/time.Second)]++
				return radiusnet.Reaction{After: time.Millisecond}
			},
		})
		b := s.host(1, radiusnet.Server{Link: radiusnet.Link{Dead: []radiusnet.Interval{{}}}})
		m := newMeter(t)
		g := s.group(client.GroupConfig{Members: []client.Member{a.Member(s4), b.Member(s4)}})
		name := accounting.Group("upstream")
		s.deliver(accounting.MethodConfig{DrainRate: drainRate, Rounds: 1}, name, g)

		for minute := range minutes {
			var batch []queued
			for subs.total < records*(minute+1)/minutes {
				id, typ, n := subs.next()
				batch = append(batch, queued{name, record(id, typ, n)})
			}
			s.add(batch...)
			s.sleep((minute + 1) * 60)
			if minute%60 == 59 {
				m.measure()
			}
		}
		atNight := s.delivery.Queue(name.Queue())
		m.endPhase("day over")
		second := int(back / time.Second)
		for ; s.queue(name.Queue()) > 0 && second < 2*minutes*60; second++ {
			s.sleep(second)
			if !s.delivery.Method(name).DownSince.IsZero() {
				continue
			}
			m.measure()
		}
		m.endPhase("drained")
		s.sleep(second + 10)
		grown = m.most

		st, need := s.delivery.Queue(name.Queue()), subs.required()
		for _, fault := range subs.check() {
			t.Error(fault)
		}
		got := subs.count
		t.Logf("%d records: of starts, stops, interims %d arrived; %d superseded; most memory %d KiB, at %s", records, got[1:], st.Superseded, m.most>>10, m.where)
		if got[start] != need[start] || got[stop] != need[stop] {
			t.Errorf("%d starts and %d stops arrived, of %d and %d", got[start], got[stop], need[start], need[stop])
		}
		// The probes, and the records in flight when the group was marked down, are not superseded.
		if got[interim] < need[interim] || got[interim] > need[interim]+100 {
			t.Errorf("%d interims arrived, needed were %d", got[interim], need[interim])
		}
		arrived := got[start] + got[stop] + got[interim]
		if st.Delivered != uint64(arrived) || st.Delivered+st.Superseded != uint64(records) || st.Refused+st.SetAside+st.Elsewhere != 0 {
			t.Errorf("%d of %d records arrived: %+v", arrived, records, st)
		}
		if atNight.Delivered != 0 || atNight.Superseded+100 < st.Superseded {
			t.Errorf("at the end of the day: %+v; in the end %d superseded", atNight, st.Superseded)
		}
		for second, n := range perSecond {
			if n > drainRate*101/100 {
				t.Errorf("%d records in second %d", n, second)
			}
		}
	})
	return grown
}

// meter measures how much more memory is in use than at its creation.
type meter struct {
	t        *testing.T
	baseline int64
	most     int64
	where    string
	samples  int
	phase    string
}

func newMeter(t *testing.T) *meter {
	m := &meter{t: t, phase: "day"}
	m.baseline = inUse()
	return m
}

func inUse() int64 {
	runtime.GC()
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	return int64(ms.HeapAlloc)
}

func (m *meter) measure() {
	m.samples++
	if grown := inUse() - m.baseline; grown > m.most {
		m.most, m.where = grown, m.phase
	}
}

// endPhase logs the memory use so far and begins the phase after the event over.
func (m *meter) endPhase(over string) {
	m.t.Logf("%s: most memory %d KiB in %d samples", over, m.most>>10, m.samples)
	m.phase = "after " + over
}
