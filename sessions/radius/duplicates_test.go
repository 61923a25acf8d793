package radius

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/sessions"

	"aaasess/internal/radius/captured"
)

func TestDuplicateTable(t *testing.T) {
	key := func(n byte) requestKey { return requestKey{sourceKey: sourceKey{identifier: n}} }
	const ms = time.Millisecond
	type step struct {
		at   time.Duration
		what string // begin, reboot (begin for an Accounting-On), ok (answered), failed or forget
		key  byte   // of the request; for forget, how many are forgotten
		want progress
	}
	tests := []struct {
		name  string
		limit int
		steps []step
	}{
		{"in flight, then answered", 10, []step{
			{0, "begin", 1, newRequest},
			{0, "begin", 1, inFlight},
			{0, "ok", 1, 0},
			{time.Second, "begin", 1, answered},
			{time.Second, "begin", 2, newRequest},
		}},
		{"what failed is new again", 10, []step{
			{0, "begin", 1, newRequest},
			{0, "failed", 1, 0},
			{0, "begin", 1, newRequest},
		}},
		{"remembered for 30 s", 10, []step{
			{0, "begin", 1, newRequest},
			{14 * time.Second, "ok", 1, 0},
			{29 * time.Second, "begin", 2, newRequest},
			{31 * time.Second, "begin", 3, newRequest},
			{44 * time.Second, "begin", 1, answered},
			{44*time.Second + ms, "begin", 1, newRequest},
		}},
		{"answered at the end of a generation, then silence", 10, []step{
			{0, "begin", 1, newRequest},
			{59 * time.Second, "ok", 1, 0},
			{61 * time.Second, "begin", 2, newRequest},
			{89 * time.Second, "begin", 1, answered},
			{89*time.Second + ms, "begin", 1, newRequest},
		}},
		{"answered after a change of generation", 10, []step{
			{0, "begin", 1, newRequest},
			{31 * time.Second, "begin", 2, newRequest},
			{32 * time.Second, "begin", 1, inFlight},
			{32 * time.Second, "ok", 1, 0},
			{60 * time.Second, "begin", 2, inFlight},
			{62 * time.Second, "begin", 1, answered},
		}},
		{"failed after a change of generation", 10, []step{
			{0, "begin", 1, newRequest},
			{31 * time.Second, "begin", 2, newRequest},
			{32 * time.Second, "failed", 1, 0},
			{32 * time.Second, "begin", 1, newRequest},
		}},
		{"answered when long forgotten", 10, []step{
			{0, "begin", 1, newRequest},
			{2 * time.Minute, "begin", 2, newRequest},
			{2 * time.Minute, "ok", 1, 0},
			{2*time.Minute + time.Second, "begin", 1, answered},
		}},
		{"all forgotten after a long silence", 10, []step{
			{0, "begin", 1, newRequest},
			{0, "ok", 1, 0},
			{60 * time.Second, "begin", 1, newRequest},
		}},
		{"a full generation is put aside early", 2, []step{
			{0, "begin", 1, newRequest},
			{0, "begin", 2, newRequest},
			{0, "begin", 3, newRequest},
			{0, "begin", 1, inFlight}, // in the older generation
			{0, "begin", 4, newRequest},
			{0, "begin", 5, newRequest},
			{0, "begin", 1, newRequest}, // two generations ago
		}},
		{"answers count for a full generation", 2, []step{
			{0, "begin", 1, newRequest},
			{0, "begin", 2, newRequest},
			{0, "begin", 3, newRequest},
			{0, "ok", 1, 0},
			{0, "ok", 2, 0},
			{0, "begin", 1, answered},
			{0, "begin", 2, answered},
		}},
		{"a moment from before the answer", 10, []step{
			{0, "begin", 1, newRequest},
			{10 * ms, "ok", 1, 0},
			{9 * ms, "begin", 1, answered}, // now was read before the answer's time, on another goroutine
		}},
		{"a reboot is a copy for 2 s", 10, []step{
			{0, "reboot", 1, newRequest},
			{time.Second, "ok", 1, 0},
			{3 * time.Second, "reboot", 1, answered},
			{3*time.Second + ms, "reboot", 1, newRequest},
			{4 * time.Second, "reboot", 1, inFlight},
			{4 * time.Second, "ok", 1, 0},
			{6 * time.Second, "reboot", 1, answered},
			{9 * time.Second, "reboot", 1, newRequest},
		}},
		{"a reboot is in flight for 2 s", 10, []step{
			{0, "reboot", 1, newRequest},
			{2 * time.Second, "reboot", 1, inFlight},
			{2*time.Second + ms, "reboot", 1, newRequest},
			{3 * time.Second, "ok", 1, 0}, // the first
			{4 * time.Second, "ok", 1, 0}, // the second
			{6 * time.Second, "reboot", 1, answered},
		}},
		{"a table that is not in use forgets what is answered", 10, []step{
			{0, "begin", 1, newRequest},
			{31 * time.Second, "begin", 2, newRequest},
			{31 * time.Second, "begin", 3, newRequest},
			{31 * time.Second, "ok", 1, 0},
			{31 * time.Second, "ok", 3, 0},
			{61 * time.Second, "forget", 0, 0}, // one counts for a last moment
			{61 * time.Second, "begin", 3, answered},
			{61*time.Second + ms, "forget", 2, 0},
			{61*time.Second + ms, "forget", 0, 0},
			{61*time.Second + ms, "begin", 2, inFlight},
			{61*time.Second + ms, "begin", 1, newRequest},
			{62 * time.Second, "ok", 2, 0},
			{92 * time.Second, "begin", 2, answered},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDuplicateTable(tt.limit)
			for i, s := range tt.steps {
				now := noon.Add(s.at)
				switch s.what {
				case "ok", "failed":
					d.end(key(s.key), s.what == "ok", now)
				case "forget":
					if n := d.forget(now); n != int(s.key) {
						t.Errorf("step %d: %d forgotten, want %d", i, n, s.key)
					}
				default:
					if got := d.begin(key(s.key), s.what == "reboot", now); got != s.want {
						t.Errorf("step %d: %d, want %d", i, got, s.want)
					}
				}
				if n := len(d.recent); n > tt.limit || len(d.older) > tt.limit {
					t.Errorf("step %d: %d and %d requests, limit %d", i, n, len(d.older), tt.limit)
				}
			}
		})
	}
}

// TestRequestStateClock: the millisecond clock wraps after 49 days; only differences count.
func TestRequestStateClock(t *testing.T) {
	const round = time.Duration(1<<32) * time.Millisecond
	d := newDuplicateTable(10)
	d.begin(requestKey{}, false, noon)
	for _, began := range []time.Duration{round - 5*time.Second, 3*round - time.Second} {
		if got := d.begin(requestKey{sourceKey: sourceKey{identifier: 1}}, false, noon.Add(began)); got != newRequest {
			t.Errorf("%d, want a new request", got)
		}
		d.end(requestKey{sourceKey: sourceKey{identifier: 1}}, true, noon.Add(began+time.Second))
		if got := d.begin(requestKey{sourceKey: sourceKey{identifier: 1}}, false, noon.Add(began+31*time.Second)); got != answered {
			t.Errorf("%d 30 s after the answer, want a copy", got)
		}
		if got := d.begin(requestKey{sourceKey: sourceKey{identifier: 1}}, false, noon.Add(began+32*time.Second)); got != newRequest {
			t.Errorf("%d 31 s after the answer, want a new request", got)
		}
	}
}

// TestSecondReboot: hostapd sends Accounting-On from a fixed port with one identifier, and the same
// octets 8 s later. It has restarted, and the session in between is over. Such a packet is a copy
// for 2 s, a start for 30 s.
func TestSecondReboot(t *testing.T) {
	on := captured.Packet(t, "hostapd-on.hex")
	off := captured.Packet(t, "hostapd-off.hex")
	one := captured.Packet(t, "hostapd-start.hex")
	steps := []struct {
		wait     time.Duration
		datagram []byte
		want     sessions.EventType // 0: a copy
	}{
		{0, on, sessions.On},
		{time.Second, on, 0},
		{time.Second, one, sessions.Start},
		{6 * time.Second, on, sessions.On},
		{2 * time.Second, on, 0},
		{20 * time.Second, one, 0},
		{0, off, sessions.Off},
		{2 * time.Second, off, 0},
		{time.Second, off, sessions.Off},
		{10 * time.Second, one, sessions.Start}, // 41 s after its answer: the sink recognises the copy
	}
	synctest.Test(t, func(t *testing.T) {
		sink := newRecorder()
		l, handle := newIdleListener(t, sink, local())
		for i, s := range steps {
			time.Sleep(s.wait)
			handle(bytes.Clone(s.datagram), time.Now())
			switch {
			case len(sink) == 0 && s.want != 0:
				t.Errorf("step %d: a copy, want an event", i)
			case len(sink) > 0:
				call := <-sink
				call.done(nil)
				if call.event.Type != s.want {
					t.Errorf("step %d: %v, want %v", i, call.event.Type, s.want)
				}
			}
			if n := len(l.sockets[0].answers.dequeueAll(nil)); n != 1 {
				t.Errorf("step %d: %d answers", i, n)
			}
		}
	})
}
