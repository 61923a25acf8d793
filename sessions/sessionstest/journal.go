// Package sessionstest has a Journal that keeps everything in memory, for tests and benchmarks of
// packages that use a session table.
package sessionstest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"

	"aaasess/sessions"
)

// Journal is a sessions.Journal in memory. Like the real one, it commits what is queued on a
// goroutine of its own; Close ends that.
type Journal struct {
	mu         sync.Mutex
	queued     sync.Cond
	refusal    error
	failure    error
	held       bool
	afterBatch func()
	route      func(*sessions.Session) string
	queue      []commit
	state      map[string]string
	latest     map[string]bool // by key: whether its puts have Latest
	notices    []sessions.Notice
	closed     bool
	done       chan struct{}
}

type commit struct {
	change sessions.Change
	done   func(error)
}

// NewJournal returns an empty journal.
func NewJournal() *Journal {
	j := &Journal{
		state: map[string]string{}, latest: map[string]bool{}, done: make(chan struct{}), afterBatch: func() {},
		route: func(*sessions.Session) string { return "" },
	}
	j.queued.L = &j.mu
	go j.run()
	return j
}

// Close commits what is queued, unless Hold is in effect, and ends the goroutine.
func (j *Journal) Close() {
	j.mu.Lock()
	j.closed = true
	j.queued.Signal()
	j.mu.Unlock()
	<-j.done
}

// Refuse makes Accepting return err from now on. With nil it accepts again.
func (j *Journal) Refuse(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refusal = err
}

// Fail makes commits fail with err from now on, as a broken disk does.
func (j *Journal) Fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failure = err
}

// Hold makes commits wait, as a slow disk does, until it is called with false.
func (j *Journal) Hold(held bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held = held
	j.queued.Signal()
}

// RouteBy sets the function that decides routes from now on. Without one, sessions have no route.
func (j *Journal) RouteBy(fn func(*sessions.Session) string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.route = fn
}

// Route implements sessions.Journal.
func (j *Journal) Route(s *sessions.Session) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.route(s)
}

// Adopt implements sessions.Journal. It decides as Route does.
func (j *Journal) Adopt(old []*sessions.Session) ([]string, error) {
	texts := make([]string, len(old))
	for i, s := range old {
		texts[i] = j.Route(s)
	}
	return texts, nil
}

// Accepting implements sessions.Journal.
func (j *Journal) Accepting() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refusal
}

// Commit implements sessions.Journal. It panics if only some puts of a key have Latest.
func (j *Journal) Commit(c sessions.Change, done func(error)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, p := range c.State {
		if before, known := j.latest[string(p.Key)]; known && before != p.Latest {
			panic(fmt.Sprintf("sessionstest: only some puts of %q have Latest", p.Key))
		}
		j.latest[string(p.Key)] = p.Latest
	}
	j.queue = append(j.queue, commit{clone(c), done})
	j.queued.Signal()
	overwrite(c)
}

// Latest returns the keys whose puts have Latest, in order.
func (j *Journal) Latest() (keys []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for key, latest := range j.latest {
		if latest {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// clone copies what the table uses again.
func clone(c sessions.Change) sessions.Change {
	c.State, c.Notices = slices.Clone(c.State), slices.Clone(c.Notices)
	for i := range c.State {
		c.State[i].Key, c.State[i].Value = bytes.Clone(c.State[i].Key), bytes.Clone(c.State[i].Value)
	}
	return c
}

// overwrite changes what the table uses again, so that tests see whether somebody has kept it. Keys may
// be constants.
func overwrite(c sessions.Change) {
	for i := range c.State {
		value := c.State[i].Value
		for k := range value {
			value[k] = 0xdb
		}
		c.State[i] = sessions.Put{Key: []byte("kept after Commit"), Value: []byte("kept after Commit")}
	}
	for i := range c.Notices {
		c.Notices[i] = sessions.Notice{}
	}
}

// AfterBatch implements sessions.Journal.
func (j *Journal) AfterBatch(fn func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.afterBatch = fn
}

func (j *Journal) run() {
	defer close(j.done)
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		for (j.held || len(j.queue) == 0) && !j.closed {
			j.queued.Wait()
		}
		if j.held || len(j.queue) == 0 {
			return
		}
		batch, err := j.queue, j.failure
		j.queue = nil
		if err == nil {
			for _, c := range batch {
				j.apply(c.change)
			}
		}
		after := j.afterBatch
		j.mu.Unlock()
		after()
		for _, c := range batch {
			if c.done != nil {
				c.done(err)
			}
		}
		j.mu.Lock()
	}
}

func (j *Journal) apply(c sessions.Change) {
	for _, p := range c.State {
		if p.Value == nil {
			delete(j.state, string(p.Key))
		} else {
			j.state[string(p.Key)] = string(p.Value)
		}
	}
	j.notices = append(j.notices, c.Notices...)
}

// Notices returns the notices that have been committed so far.
func (j *Journal) Notices() []sessions.Notice {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.notices)
}

// Accounted lists the notices that have been committed so far: type, session id, cause if there is one.
func (j *Journal) Accounted() (out []string) {
	for _, n := range j.Notices() {
		s := fmt.Sprintf("%s %d", n.Type, n.Session.ID)
		if n.Cause != 0 {
			s += fmt.Sprintf(" cause %d", n.Cause)
		}
		out = append(out, s)
	}
	return out
}

// Load calls fn for every key of the state in order, as [sessions.Table.Load] requires.
func (j *Journal) Load(fn func(key, value []byte) error) error {
	j.mu.Lock()
	state := maps.Clone(j.state)
	j.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(state)) {
		if err := fn([]byte(k), []byte(state[k])); err != nil {
			return err
		}
	}
	return nil
}

// Forget drops the notices and the state, so that only the memory of the table remains.
func (j *Journal) Forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state, j.notices = map[string]string{}, nil
}
