package sessions

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func samples() []*Session {
	ev := withUsage(stamped(event(Start, 0, FramedIPAddress, 0x0a010102, Class, "\x01\x02\xfe\xff", Class, "second"), 993617100), 1<<40, 5)
	ev.IfIndex, ev.PortIfIndex = 12, 1<<31-1
	full := begun(0xffffffff, &testNAS, &ev)
	bare := event(Interim, 1)
	bare.NAS, bare.Attrs = NAS{Addr: netip.MustParseAddr("2001:db8::1")}, attrs(AcctSessionID, "x")
	scoped := bare
	scoped.NAS.Addr = netip.MustParseAddr("fe80::1%eth0")
	marked := *full
	marked.State = Terminating
	return []*Session{full, begun(1, &bare.NAS, &bare), begun(2, &scoped.NAS, &scoped), begun(3, &NAS{Identifier: "no address"}, &bare), &marked, finished(full, nil, at(9))}
}

func TestSessionCodec(t *testing.T) {
	for _, s := range samples() {
		b := appendSession(nil, s)
		got, err := parseSession(s.ID, b, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := *s
		if s.State == Ended {
			want.setAttrs(attrs(AcctSessionID, s.AcctSessionID))
		}
		if diff := cmp.Diff(&want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Error(diff)
		}
		for i := range b {
			if _, err := parseSession(s.ID, b[:i], nil); !errors.Is(err, ErrState) {
				t.Errorf("cut to %d of %d octets: %v", i, len(b), err)
			}
		}
		if _, err := parseSession(s.ID, append(b, 0), nil); !errors.Is(err, ErrState) {
			t.Errorf("an octet too many: %v", err)
		}
	}
}

func TestCountersCodec(t *testing.T) {
	want := Counters{HighWater: 1<<32 - 1, Total: 1 << 40, Disconnected: 3}
	b := appendCounters(nil, 77, want)
	last, got, err := parseCounters(b)
	if err != nil || last != 77 || got != want {
		t.Errorf("got %d %+v, %v", last, got, err)
	}
	for i := range b {
		if _, _, err := parseCounters(b[:i]); !errors.Is(err, ErrState) {
			t.Errorf("cut to %d octets: %v", i, err)
		}
	}
}

func FuzzParseSession(f *testing.F) {
	for _, s := range samples() {
		f.Add(appendSession(nil, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSession(1, b, nil)
		if err != nil {
			return
		}
		again, err := parseSession(1, appendSession(nil, s), nil)
		if err != nil {
			t.Fatalf("%+v does not survive: %v", s, err)
		}
		if s.State == Ended {
			s.setAttrs(again.Attrs)
		}
		if diff := cmp.Diff(s, again, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzParseCounters(f *testing.F) {
	f.Add(appendCounters(nil, 77, Counters{1, 2, 3}))
	f.Fuzz(func(t *testing.T, b []byte) {
		last, c, err := parseCounters(b)
		if err != nil {
			return
		}
		if l, again, err := parseCounters(appendCounters(nil, last, c)); err != nil || l != last || again != c {
			t.Errorf("%d %+v became %d %+v, %v", last, c, l, again, err)
		}
	})
}
