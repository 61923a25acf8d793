package sessions

import (
	"fmt"
	"net/netip"
	"testing"

	"aaasess/internal/radius"
)

// noJournal is for a table that is only read.
type noJournal struct{}

func (noJournal) Accepting() error           { return nil }
func (noJournal) Commit(Change, func(error)) {}
func (noJournal) AfterBatch(func())          {}
func (noJournal) Route(*Session) string      { return "" }

func (noJournal) Adopt(old []*Session) ([]string, error) { return make([]string, len(old)), nil }

// BenchmarkLoad measures the table's part of a restart with a million sessions of 20 NASes.
func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	type state struct{ key, value []byte }
	states := make([]state, n)
	for i := range states {
		sid := fmt.Sprintf("%016X", i)
		s := Session{
			ID: ID(i + 1), Kind: Network, State: Active, StartSeen: true, Started: 1, LastEvent: 1, LastTraffic: 1,
			NAS: &NAS{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 20)}), Identifier: "bras-1.isp.example"},
		}
		s.setAttrs(attrs(radius.UserName, fmt.Sprintf("user%07d@isp.example", i), radius.FramedIPAddress, 0x0a000000+i, radius.NASPort, i,
			radius.CallingStationID, fmt.Sprintf("02-00-00-%06X", i), radius.Class, "0123456789abcdef", radius.AcctSessionID, sid))
		states[i] = state{sessionKey(s.ID), appendSession(nil, &s)}
	}
	for b.Loop() {
		t := New(Config{}, noJournal{})
		err := t.Load(func(fn func(key, value []byte) error) error {
			for _, s := range states {
				if err := fn(s.key, s.value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || t.View().Len() != n {
			b.Fatal(t.View().Len(), err)
		}
	}
}
