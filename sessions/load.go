package sessions

import (
	"cmp"
	"fmt"
	"slices"
)

// loadBatch is how many sessions are handed from the goroutine that reads them to the one that puts
// them into the table.
const loadBatch = 1024

// loaded is what was read of the durable state.
type loaded struct {
	last     ID
	counters Counters
	over     []*Session      // those that have ended
	live     chan []*Session // the others, in batches, in order
}

// Load fills an empty table with the durable state; each calls its argument for every key. Keys
// that are not the table's are left alone. SNMP and NASes wait for it, so two processors share it.
func (t *Table) Load(each func(func(key, value []byte) error) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	got := loaded{live: make(chan []*Session, 4)}
	ended := make(chan error)
	go func() { ended <- got.read(each) }()
	var all [][]*Session
	var nas *NAS // whose sessions were added last, shared
	var shared *sharedNAS
	for batch := range got.live {
		for _, s := range batch {
			if s.NAS != nas {
				nas, shared = s.NAS, t.share(*s.NAS)
			}
			t.addAs(s, shared)
		}
		all = append(all, batch)
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("sessions: load: %w", err)
	}
	t.byName = make(map[name]ID, t.rows.n) // growing to that size would cost more than filling it
	for _, batch := range all {
		for _, s := range batch {
			t.byName[name{s.NAS, s.AcctSessionID}] = s.ID
		}
	}
	slices.SortFunc(got.over, func(a, b *Session) int { return cmp.Compare(a.Heard, b.Heard) })
	for _, s := range got.over {
		t.endings.add(s, s.Heard, true)
	}
	t.last, t.counters, t.dirty = got.last, got.counters, false
	t.view.Store(&View{Counters: t.counters, root: t.rows.freeze(), n: t.rows.n})
	return nil
}

// read reads all keys, and closes l.live.
func (l *loaded) read(each func(func(key, value []byte) error) error) error {
	defer close(l.live)
	batch := make([]*Session, 0, loadBatch)
	var nas *NAS // of the session before: mostly the same
	err := each(func(key, value []byte) (err error) {
		if string(key) == string(countersKey) {
			l.last, l.counters, err = parseCounters(value)
			return err
		}
		id, ok := parseSessionKey(key)
		if !ok {
			return nil
		}
		s, err := parseSession(id, value, nas)
		if err != nil {
			return err
		}
		nas = s.NAS
		if s.State == Ended {
			l.over = append(l.over, s)
			return nil
		}
		if batch = append(batch, s); len(batch) == loadBatch {
			l.live <- batch
			batch = make([]*Session, 0, loadBatch)
		}
		return nil
	})
	l.live <- batch
	return err
}
