package relay

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// conversationTime is how long a State is known after its Access-Challenge. A user may have to
	// find a token and to type its number.
	conversationTime = 5 * time.Minute
	// maxConversations is how many States are known at most. The oldest ones are forgotten early.
	maxConversations = 1 << 16
)

// conversations knows which server sent the State of an Access-Challenge. A conversation has one
// State for each of its last two rounds: a NAS may send the request of the last round again, with
// another identifier, after its server has answered. All of them live equally long, so they are in
// the order in which they are forgotten.
type conversations struct {
	limit int

	mu     sync.Mutex // guards the fields below
	byKey  map[string]*round
	oldest *round
	newest *round
}

// round is a State that a server has sent, in a list ordered by time.
type round struct {
	key           string
	group, server string
	expires       time.Time
	before        *round // of the same conversation, or nil
	newer, older  *round // neighbours in the list
	forgotten     bool
}

// appendKey appends the key of a State of a NAS.
func appendKey(b []byte, nas netip.Addr, state []byte) []byte {
	addr := nas.As16()
	return append(append(b, addr[:]...), state...)
}

// find returns the group and the server that sent a State, if that is known.
func (c *conversations) find(key []byte, now time.Time) (group, server string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.byKey[string(key)]
	if r == nil || now.After(r.expires) {
		return "", "", false
	}
	return r.group, r.server, true
}

// add remembers the State of an Access-Challenge. before is the key of the State of the request that
// the Challenge answers; nil if it had none.
func (c *conversations) add(key, before []byte, group, server string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]*round{}
	}
	last := c.byKey[string(before)]
	if last != nil && last.before != nil {
		c.forget(last.before)
		last.before = nil
	}
	if same := c.byKey[string(key)]; same != nil { // a server that uses a State again
		if last == same {
			last = nil
		}
		c.forget(same)
	}
	r := &round{key: string(key), group: group, server: server, expires: now.Add(conversationTime), before: last, older: c.newest}
	if c.newest != nil {
		c.newest.newer = r
	}
	c.newest = r
	if c.oldest == nil {
		c.oldest = r
	}
	c.byKey[r.key] = r
	if len(c.byKey) > c.limit {
		c.forget(c.oldest)
	}
}

// end forgets a conversation. key is that of the State of its last request.
func (c *conversations) end(key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.byKey[string(key)]; r != nil {
		if r.before != nil {
			c.forget(r.before)
		}
		c.forget(r)
	}
}

// expire forgets old States.
func (c *conversations) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.oldest != nil && now.After(c.oldest.expires) {
		c.forget(c.oldest)
	}
}

// len returns how many States are known.
func (c *conversations) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byKey)
}

// forget forgets a State, unless that has been done. The caller holds the mutex.
func (c *conversations) forget(r *round) {
	if r.forgotten {
		return
	}
	r.forgotten, r.before = true, nil
	delete(c.byKey, r.key)
	if r.newer != nil {
		r.newer.older = r.older
	} else {
		c.newest = r.older
	}
	if r.older != nil {
		r.older.newer = r.newer
	} else {
		c.oldest = r.newer
	}
}
