package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"time"

	"aaasess/accounting"
	"aaasess/bench/report"
	"aaasess/bench/stand"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

const (
	durableInFlight = 256

	storeAlone = "store alone"
	wholeWalk  = "starts"
)

// runDurable compares the rate of durable session starts (decided, encoded, committed with their
// record, answered) with that at which the store alone commits the same octets.
func runDurable(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{
		Title: "Durable starts", Unpinned: true,
		Intro: fmt.Sprintf("%d session starts, %d in flight, each answered when state, counters and accounting record are on disk, "+
			"against the store alone committing the same octets. In one process, on all CPUs.", b.config.starts, durableInFlight),
	}
	changes, err := recordChanges(b.host.Dir)
	if err != nil {
		return text, err
	}
	s, err := report.Interleave(ctx, b.config.runs, []string{storeAlone, wholeWalk}, func(_ context.Context, who string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "durable: %s\n", who)
		return measureDurable(b.host.Dir, who, b.config.starts, changes)
	})
	if err != nil {
		return text, err
	}
	text.Comparisons = []report.Comparison{{
		Title: "Rate of commits", Contenders: []string{storeAlone, wholeWalk}, Series: s,
		Pairs:   []report.Pair{{Num: wholeWalk, Den: storeAlone}},
		Metrics: []report.Metric{{Name: "commits", Unit: "1/s"}},
	}}
	return text, nil
}

func start(i int) sessions.Event {
	sid := fmt.Sprintf("%016X", i)
	attrs := radius.AppendAttribute(nil, radius.UserName, fmt.Sprintf("user%07d@isp.example", i))
	attrs = radius.AppendUint32(attrs, radius.AcctStatusType, 1)
	attrs = radius.AppendUint32(attrs, radius.FramedIPAddress, 0x0a000000+uint32(i))
	attrs = radius.AppendUint32(attrs, radius.NASPort, uint32(i))
	attrs = radius.AppendAttribute(attrs, radius.NASIdentifier, "bras-1.isp.example")
	attrs = radius.AppendAttribute(attrs, radius.CallingStationID, fmt.Sprintf("02-00-00-%02X-%02X-%02X", i>>16&255, i>>8&255, i&255))
	attrs = radius.AppendAttribute(attrs, radius.Class, "0123456789abcdef")
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, sid)
	return sessions.Event{
		Type: sessions.Start, NAS: sessions.NAS{Addr: netip.AddrFrom4([4]byte{192, 0, 2, 1}), Identifier: "bras-1.isp.example"},
		Kind: sessions.Network, At: time.Now(), AcctSessionID: sid, Attrs: radius.Attributes(attrs),
	}
}

// open makes a store and what stands on it, in a folder of its own.
func open(dir string) (*store.Store, *sessions.Table, func() error, error) {
	folder, err := os.MkdirTemp(dir, "store-")
	if err != nil {
		return nil, nil, nil, err
	}
	st, table, err := stand.OpenTable(folder)
	if err != nil {
		return nil, nil, nil, err
	}
	end := func() error {
		err := st.Close()
		_ = os.RemoveAll(folder)
		return err
	}
	return st, table, end, nil
}

// recordChanges runs some starts and reads back what they have made durable.
func recordChanges(dir string) ([]store.Change, error) {
	st, table, end, err := open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = end() }()
	const some = 1000
	done := make(chan error, some)
	for i := range some {
		if err := table.Apply(start(i), func(err error) { done <- err }); err != nil {
			return nil, err
		}
	}
	for range some {
		if err := <-done; err != nil {
			return nil, err
		}
	}
	changes := make([]store.Change, some)
	var counters store.Put
	n := 0
	err = st.Load(func(key, value []byte) error {
		p := store.Put{Key: append([]byte{}, key...), Value: append([]byte{}, value...)}
		switch key[0] {
		case 'c':
			counters = p
		case 's':
			changes[n].Puts = append(changes[n].Puts, p)
			n++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	entries, err := st.Read(accounting.Group("isp").Queue(), 0, some, nil)
	if err != nil || len(entries) != some || n != some {
		return nil, fmt.Errorf("bench: %d sessions, %d records of %d: %w", n, len(entries), some, err)
	}
	for i, e := range entries {
		changes[i].Puts = append(changes[i].Puts, counters)
		changes[i].Appends = []store.Append{{Queue: accounting.Group("isp").Queue(), Data: append([]byte{}, e.Data...)}}
	}
	return changes, nil
}

// measureDurable runs one contender on a new store.
func measureDurable(dir, who string, starts int, changes []store.Change) (report.Sample, error) {
	st, table, end, err := open(dir)
	if err != nil {
		return nil, err
	}
	slots := make(chan struct{}, durableInFlight)
	failed := make(chan error, 1)
	done := func(err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
		<-slots
	}
	var events []sessions.Event
	for i := range starts {
		events = append(events, start(i))
	}
	began := time.Now()
	for i := range starts {
		slots <- struct{}{}
		if who == storeAlone {
			c := changes[i%len(changes)]
			key := binary.BigEndian.AppendUint32([]byte{'s'}, uint32(i+1))
			c.Puts = []store.Put{{Key: key, Value: c.Puts[0].Value}, c.Puts[1]}
			st.Commit(c, done)
		} else if err := table.Apply(events[i], done); err != nil {
			return nil, err
		}
	}
	for range durableInFlight {
		slots <- struct{}{}
	}
	took := time.Since(began)
	select {
	case err := <-failed:
		return nil, err
	default:
	}
	return report.Sample{"commits": float64(starts) / took.Seconds()}, end()
}
