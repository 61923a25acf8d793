package notify

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// newTestRemote returns the initial state of the receiver of a user's informs.
func newTestRemote(t *testing.T, u usm.User, engineID []byte) *remote {
	t.Helper()
	r, err := newReceiver(Target{
		Name: "a", Address: "127.0.0.1:162", Version: wire.Version3, Inform: true, User: u, EngineID: engineID,
	}, ourID)
	if err != nil {
		t.Fatal(err)
	}
	m, err := newRemote(r, ourID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRemoteSynchronise(t *testing.T) {
	type message struct {
		after       time.Duration // since the previous message
		boots, time int32
		want        bool
	}
	tests := []struct {
		name        string
		messages    []message
		boots, time int32 // our estimate 10 s after the last message
	}{
		{"first", []message{{0, 7, 1000, true}}, 7, 1010},
		{"no clock at all", []message{{0, 0, 0, true}}, 0, 10},
		{"time goes on", []message{{0, 7, 1000, true}, {time.Minute, 7, 1060, true}}, 7, 1070},
		{"late in the window", []message{{0, 7, 1000, true}, {200 * time.Second, 7, 1050, true}}, 7, 1060},
		{"late, and not newer than the latest", []message{{0, 7, 1000, true}, {time.Second, 7, 1000, true}}, 7, 1011},
		{"behind the window", []message{{0, 7, 1000, true}, {151 * time.Second, 7, 1000, false}}, 7, 1161},
		{"at the edge of the window", []message{{0, 7, 1000, true}, {150 * time.Second, 7, 1000, true}}, 7, 1160},
		{"restarted", []message{{0, 7, 1000, true}, {time.Second, 8, 2, true}}, 8, 12},
		{"an earlier life", []message{{0, 7, 1000, true}, {time.Second, 6, 5000, false}}, 7, 1011},
		{"boots at their end", []message{{0, math.MaxInt32, 5, false}}, 0, 0},
		{"boots come to their end", []message{{0, 7, 1000, true}, {0, math.MaxInt32, 5, false}}, math.MaxInt32, 15},
		{"time at its end", []message{{0, 7, math.MaxInt32 - 3, true}}, 7, math.MaxInt32},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestRemote(t, user(usm.HMACSHA, usm.NoPriv), theirID)
			if boots, seconds := r.clock(epoch); r.synchronised() || boots != 0 || seconds != 0 {
				t.Errorf("at first: synchronised %t, clock %d, %d", r.synchronised(), boots, seconds)
			}
			now := epoch
			for i, m := range tt.messages {
				now = now.Add(m.after)
				if got := r.synchronise(m.boots, m.time, now); got != m.want {
					t.Errorf("message %d: in the window %t, want %t", i+1, got, m.want)
				}
			}
			if boots, seconds := r.clock(now.Add(10 * time.Second)); boots != tt.boots || seconds != tt.time {
				t.Errorf("clock %d, %d, want %d, %d", boots, seconds, tt.boots, tt.time)
			}
		})
	}
}

func TestRemoteForget(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		id := theirID
		if !fixed {
			id = nil
		}
		r := newTestRemote(t, user(usm.HMACSHA, usm.NoPriv), id)
		if !fixed {
			if err := r.adopt(theirID); err != nil {
				t.Fatal(err)
			}
		}
		keys := r.keys
		r.synchronise(7, 1000, epoch)
		r.maxSize = 1400
		r.forget()
		if (r.id != nil) != fixed || r.synchronised() || r.maxSize != 0 {
			t.Errorf("fixed %t: forgotten: id %x, synchronised %t, size %d", fixed, r.id, r.synchronised(), r.maxSize)
		}
		if !r.synchronise(3, 50, epoch) {
			t.Errorf("fixed %t: an earlier life is not believed after forgetting", fixed)
		}
		if !fixed {
			if err := r.adopt(theirID); err != nil || r.keys != keys {
				t.Errorf("the same engine again: %v, localized again %t", err, r.keys != keys)
			}
		}
	}
}

func TestRemoteAdopt(t *testing.T) {
	tests := []struct {
		name  string
		fixed []byte
		id    []byte
		want  string // in the error; empty means no error
	}{
		{"discovered", nil, theirID, ""},
		{"five octets", nil, theirID[:5], ""},
		{"configured", theirID, append([]byte("x"), theirID...), "configured is"},
		{"ours", nil, ourID, "is our own"},
		{"none", nil, nil, "id has 0 octets"},
		{"too short", nil, theirID[:4], "id has 4 octets"},
		{"too long", nil, bytes.Repeat([]byte{1}, 33), "id has 33 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestRemote(t, user(usm.HMACSHA256, usm.AES256), tt.fixed)
			before := bytes.Clone(r.id)
			err := r.adopt(tt.id)
			if tt.want == "" {
				if err != nil || !bytes.Equal(r.id, tt.id) || r.keys == nil {
					t.Errorf("got %v, id %x, keys %v", err, r.id, r.keys)
				}
				return
			}
			if !errors.Is(err, ErrEngine) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want ErrEngine with %q", err, tt.want)
			}
			if !bytes.Equal(r.id, before) {
				t.Errorf("id is %x now", r.id)
			}
		})
	}
}

// TestRemoteKeepsItsID: the id does not share memory with a datagram.
func TestRemoteKeepsItsID(t *testing.T) {
	r := newTestRemote(t, user(usm.HMACSHA, usm.NoPriv), nil)
	id := bytes.Clone(theirID)
	if err := r.adopt(id); err != nil {
		t.Fatal(err)
	}
	clear(id)
	if !bytes.Equal(r.id, theirID) {
		t.Errorf("id became %x", r.id)
	}
}
