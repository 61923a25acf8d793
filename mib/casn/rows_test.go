package casn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aaasess/internal/logtest"
	"aaasess/mib"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// TestNextRow starts from any index, including those that no row can have, up to the largest
// number.
func TestNextRow(t *testing.T) {
	const largest = 1<<32 - 1
	f := newFixture(t)
	for _, sid := range []string{"a", "b"} {
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: sid})
	}
	again := sessions.New(sessions.Config{}, f.journal)
	err := again.Load(func(fn func(k, v []byte) error) error {
		return f.journal.Load(func(k, v []byte) error {
			if string(k) == "s\x00\x00\x00\x02" {
				k = binary.BigEndian.AppendUint32([]byte("s"), largest)
			}
			return fn(k, v)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		index   mib.OID
		include bool
		want    uint32 // 0 means none
	}{
		{"the first", nil, false, 1},
		{"the first, itself too", nil, true, 1},
		{"behind 0", mib.OID{0}, false, 1},
		{"behind 1", mib.OID{1}, false, largest},
		{"1 itself", mib.OID{1}, true, 1},
		{"behind 1.0", mib.OID{1, 0}, false, largest},
		{"1.0 itself, which is no row", mib.OID{1, 0}, true, largest},
		{"0.1 itself", mib.OID{0, 1}, true, 1},
		{"before the largest", mib.OID{largest - 1}, false, largest},
		{"the largest itself", mib.OID{largest}, true, largest},
		{"behind the largest", mib.OID{largest}, false, 0},
		{"behind the largest, longer", mib.OID{largest, 0}, false, 0},
		{"the largest, longer, itself", mib.OID{largest, 7}, true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, row, ok := nextRow(again.View(), tt.index, tt.include, mib.OID{9})
			got := uint32(0)
			if ok {
				got = uint32(row.ID)
				if len(name) != 2 || name[0] != 9 || name[1] != got {
					t.Errorf("name %v", name)
				}
			}
			if got != tt.want {
				t.Errorf("got row %d, want %d", got, tt.want)
			}
		})
	}
}

// TestPlain compares eight octets at a time with one at a time.
func TestPlain(t *testing.T) {
	for length := range 20 {
		for at := range max(length, 1) {
			for c := range 256 {
				b := []byte(strings.Repeat("a", length))
				want := true
				if length > 0 {
					b[at] = byte(c)
					want = c >= 0x20 && c <= 0x7e
				}
				if got := isPlain(string(b)); got != want {
					t.Fatalf("isPlain(%q) = %t", b, got)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "octets"))
		want := !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
		if got := isPlain(s); got != want {
			t.Fatalf("isPlain(%q) = %t, want %t", s, got, want)
		}
	})
}

// TestSetUpRows: with populate setup, logins are rows among the sessions, in order. A SET cannot end one.
func TestSetUpRows(t *testing.T) {
	f := newFixture(t)
	f.table.SetReserving(true)
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
	for range 2 {
		id, ok := f.table.Reserve()
		if !ok {
			t.Fatal("no number")
		}
		f.table.SetUp(&sessions.Session{ID: id, Kind: sessions.Network, NAS: &testNAS, Attrs: user("bob", 0x0a000001)})
	}
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "b"})
	var rows []string
	v := f.table.View()
	for index := (mib.OID{}); ; {
		next, r, ok := nextRow(v, index, false, nil)
		if !ok {
			break
		}
		if same, found := getRow(v, next); !found || same != r {
			t.Errorf("row %v is not found", next)
		}
		rows, index = append(rows, fmt.Sprintf("%d %s %s", r.ID, r.State, r.User())), next
	}
	if want := []string{"1 active ", "2 set up bob", "3 set up bob", "4 active "}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if v.Entries() != 4 || v.HighWater != 4 || v.Total != 4 {
		t.Errorf("%d rows, %+v", v.Entries(), v.Counters)
	}
	_, err := f.tree.Test([]mib.Varbind{assign(1, 1), assign(2, 1)})
	if se, _ := errors.AsType[*mib.SetError](err); se == nil || se.Status != mib.InconsistentValue || se.Index != 2 {
		t.Errorf("SET: %v", err)
	}
	f.table.Release(2)
	f.apply(t, sessions.Event{Type: sessions.Stop, AcctSessionID: "a"})
	if v := f.table.View(); v.Entries() != 2 || v.Entry(2) != nil || v.EntryFrom(1).ID != 3 || v.HighWater != 4 || v.Total != 4 {
		t.Errorf("%d rows, %+v", v.Entries(), v.Counters)
	}
}

// TestSetUnable: a SET that would end a session which nothing can end is inconsistentValue (R4), for all
// its rows, and the log says why. Nothing is marked.
func TestSetUnable(t *testing.T) {
	f := newFixture(t)
	log := &logtest.Buffer{}
	unable := fmt.Errorf("client %q has disconnect.profile none: %w", "vpn", termination.ErrNoMeans)
	f.term = termination.New(termination.Config{CanEnd: func(s *sessions.Session) error {
		if s.ID == 2 {
			return unable
		}
		return nil
	}}, f.table, nil, nil)
	var err error
	f.tree, err = mib.New(New(Config{Disconnect: func() bool { return true }, Logger: slog.New(slog.NewTextHandler(log, nil))}, f.table, f.term))
	if err != nil {
		t.Fatal(err)
	}
	for _, sid := range []string{"a", "b", "c"} {
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: sid})
	}
	_, err = f.tree.Test([]mib.Varbind{assign(1, 1), assign(2, 1), assign(3, 1)})
	if se, _ := errors.AsType[*mib.SetError](err); se == nil || se.Status != mib.InconsistentValue || se.Index != 2 || !errors.Is(err, termination.ErrNoMeans) {
		t.Errorf("SET: %v", err)
	}
	if _, err := f.tree.Test([]mib.Varbind{assign(1, 1), assign(2, 2)}); err != nil {
		t.Errorf("false(2) has no effect, but: %v", err)
	}
	if f.table.View().Disconnected != 0 || strings.Count(log.String(), "disconnect by SNMP refused") != 1 || !strings.Contains(log.String(), "session=00000002") {
		t.Errorf("%d marked, log: %s", f.table.View().Disconnected, log)
	}
}
