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

	storeAlone    = "store alone"
	sessionStarts = "starts"
)

var durableMetrics = []report.Metric{{Name: "commits", Unit: "1/s"}}

// runDurable compares the rate of durable session starts (decided, encoded, committed with their
// record, answered) with the rate at which the store alone commits the same octets.
func runDurable(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{
		Title: "Durable starts", Unpinned: true,
		Intro: durableIntro(b.config.starts),
	}
	changes, err := recordChanges(b.host.Dir)
	if err != nil {
		return text, err
	}
	s, err := report.Interleave(ctx, b.config.runs, []string{storeAlone, sessionStarts}, func(_ context.Context, who string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "durable: %s\n", who)
		return measureDurable(b.host.Dir, who, b.config.starts, changes)
	})
	if err != nil {
		return text, err
	}
	text.Comparisons = []report.Comparison{{
		Title: "Rate of commits", Contenders: []string{storeAlone, sessionStarts}, Series: s,
		Pairs:   []report.Pair{{Num: sessionStarts, Den: storeAlone}},
		Metrics: durableMetrics,
	}}
	return text, nil
}

func durableIntro(starts int) string {
	return fmt.Sprintf(`%s sessions start, with %d starts in flight. Each start is answered when its state, counters and
accounting record are on disk. The store alone commits the same octets. Both run in one process, on all
CPUs.`, report.Count(starts), durableInFlight)
}

// startEvent is the start of session i.
func startEvent(i int) sessions.Event {
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

// open opens a store and a table on it, in a new folder. The returned function closes the store and
// removes the folder.
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

// recordChanges runs some starts and reads back what they committed.
func recordChanges(dir string) ([]store.Change, error) {
	st, table, end, err := open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = end() }()
	const count = 1000
	done := make(chan error, count)
	for i := range count {
		if err := table.Apply(startEvent(i), func(err error) { done <- err }); err != nil {
			return nil, err
		}
	}
	for range count {
		if err := <-done; err != nil {
			return nil, err
		}
	}
	changes := make([]store.Change, count)
	var counters store.Put
	n := 0
	err = st.Load(func(key, value []byte) error {
		p := store.Put{Key: append([]byte{}, key...), Value: append([]byte{}, value...)}
		switch key[0] {
		case 'c':
			counters = p
			counters.Latest = true
		case 's':
			changes[n].Puts = append(changes[n].Puts, p)
			n++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	entries, err := st.Read(accounting.Group("isp").Queue(), 0, count, nil)
	if err != nil || len(entries) != count || n != count {
		return nil, fmt.Errorf("bench: %d sessions, %d records of %d: %w", n, len(entries), count, err)
	}
	for i, e := range entries {
		changes[i].Puts = append(changes[i].Puts, counters)
		changes[i].Appends = []store.Append{{Queue: accounting.Group("isp").Queue(), Data: append([]byte{}, e.Data...)}}
	}
	return changes, nil
}

// measureDurable measures one contender on a new store.
func measureDurable(dir, who string, starts int, changes []store.Change) (report.Sample, error) {
	st, table, end, err := open(dir)
	if err != nil {
		return nil, err
	}
	w := stand.NewWindow(durableInFlight)
	var events []sessions.Event
	for i := range starts {
		events = append(events, startEvent(i))
	}
	began := time.Now()
	for i := range starts {
		w.Begin()
		if who == storeAlone {
			c := changes[i%len(changes)]
			key := binary.BigEndian.AppendUint32([]byte{'s'}, uint32(i+1))
			c.Puts = []store.Put{{Key: key, Value: c.Puts[0].Value}, c.Puts[1]}
			st.Commit(c, w.Done)
		} else if err := table.Apply(events[i], w.Done); err != nil {
			return nil, err
		}
	}
	if err := w.Wait(); err != nil {
		return nil, err
	}
	took := time.Since(began)
	return report.Sample{"commits": float64(starts) / took.Seconds()}, end()
}
