package sessions

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// slowDisk is a Journal that makes changes durable when the test says so. refuses chooses the
// changes that fail.
type slowDisk struct {
	state   map[string]string
	queue   []func() (done func())
	after   func()
	route   func(*Session) string
	refuses func(Change) bool
}

func newSlowDisk() *slowDisk {
	return &slowDisk{
		state: map[string]string{}, after: func() {}, route: func(*Session) string { return "" }, refuses: func(Change) bool { return false },
	}
}

var errRefused = errors.New("refused")

func (d *slowDisk) Accepting() error        { return nil }
func (d *slowDisk) AfterBatch(fn func())    { d.after = fn }
func (d *slowDisk) Route(s *Session) string { return d.route(s) }

func (d *slowDisk) Adopt(old []*Session) ([]string, error) {
	texts := make([]string, len(old))
	for i, s := range old {
		texts[i] = d.route(s)
	}
	return texts, nil
}

func (d *slowDisk) Commit(c Change, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	refused := d.refuses(c)
	state := map[string]*string{} // the table uses the octets again
	for _, p := range c.State {
		if value := string(p.Value); p.Value == nil {
			state[string(p.Key)] = nil
		} else {
			state[string(p.Key)] = &value
		}
	}
	d.queue = append(d.queue, func() func() {
		if refused {
			return func() { done(errRefused) }
		}
		for key, value := range state {
			if value == nil {
				delete(d.state, key)
			} else {
				d.state[key] = *value
			}
		}
		return func() { done(nil) }
	})
}

// write makes the oldest n changes durable, as one batch.
func (d *slowDisk) write(n int) {
	batch := d.queue[:n]
	d.queue = d.queue[n:]
	var dones []func()
	for _, apply := range batch {
		dones = append(dones, apply())
	}
	d.after()
	for _, done := range dones {
		done()
	}
}

func (d *slowDisk) writeAll() { d.write(len(d.queue)) }

// powerCut returns the table after a power cut: what was not durable is lost.
func (d *slowDisk) powerCut(cfg Config) (*Table, error) {
	d.queue = nil
	t := New(cfg, d)
	if err := t.Load(eachKey(d.state)); err != nil {
		return nil, err
	}
	return t, t.Invariants()
}

// eachKey returns what Load takes, for a state in memory.
func eachKey(state map[string]string) func(func(key, value []byte) error) error {
	return func(fn func(key, value []byte) error) error {
		for _, k := range slices.Sorted(maps.Keys(state)) {
			if err := fn([]byte(k), []byte(state[k])); err != nil {
				return fmt.Errorf("%x: %w", k, err)
			}
		}
		return nil
	}
}
