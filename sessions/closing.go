package sessions

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"aaasess/internal/radius"
)

// closing is an Accounting-On or -Off that is being carried out: it is durable, and answered, before the sessions that it
// ends are over. Until then whatever comes of them finds that they are.
type closing struct {
	seq    uint64
	nas    NAS
	called string        // Called-Station-Id, "" if there is none
	own    bool          // only sessions of its source address
	before time.Duration // what began later is untouched; on the table's clock
	stamp  uint32        // Event-Timestamp less Acct-Delay-Time, 0 if there is none
	addrs  []netip.Addr  // source addresses of its client, as far as sessions are there that it matches
	nodes  []*nasNode    // that it matches
	again  bool          // the NAS has said it again since its sessions were listed
}

// closings is those that are being carried out.
type closings struct {
	last    uint64
	pending []*closing // oldest first
	wake    chan struct{}
}

const (
	// closeAtOnce is how many sessions an Accounting-On or -Off ends in its own commit.
	closeAtOnce = 16
	// closeChunk is how many rows are looked at, and ended, before others have the table and the disk again.
	closeChunk = 128
	// closeRetry is how long the rest waits when the journal takes nothing.
	closeRetry = time.Second
)

// cover reports whether a live session is to be ended by a closing.
func (cs *closings) cover(s *Session) bool {
	if len(cs.pending) == 0 {
		return false
	}
	for _, n := range s.nodes() {
		if slices.ContainsFunc(n.marks, func(c *closing) bool { return c.covers(s) }) {
			return true
		}
	}
	return false
}

// covers reports whether a session of a node that the closing matches is over.
func (c *closing) covers(s *Session) bool {
	return (max(s.Started, s.Revived) < c.before || s.Revived == 0 && c.outstamps(s)) && (!c.own || s.NAS.Addr == c.nas.Addr) &&
		!isOtherBSS(c.called, s.Attrs.Text(radius.CalledStationID))
}

// outstamps reports whether the NAS's clock says that a session began before the closing: its start may have waited in our
// socket. What is farther apart is of two settings of that clock.
func (c *closing) outstamps(s *Session) bool {
	return c.stamp != 0 && s.StartStamp != 0 && s.StartStamp < c.stamp && c.stamp-s.StartStamp <= uint32(livesOn/time.Second)
}

// isOtherBSS reports whether two Called-Station-Ids name different BSSs of an access point (RFC 3580 section 3.20): both have the form
// MAC[:SSID], and one of the parts that they share differs.
func isOtherBSS(a, b string) bool {
	macA, ssidA, okA := splitBSS(a)
	macB, ssidB, okB := splitBSS(b)
	return okA && okB && (macA != macB || ssidA != "" && ssidB != "" && ssidA != ssidB)
}

// splitBSS takes a Called-Station-Id of the form MAC[:SSID] apart.
func splitBSS(id string) (mac, ssid string, ok bool) {
	var digits strings.Builder
	rest := id
	for digits.Len() < 12 {
		if digits.Len() > 0 && digits.Len()%2 == 0 && rest != "" && strings.ContainsRune("-:.", rune(rest[0])) {
			rest = rest[1:]
		}
		if rest == "" || !isHex(rest[0]) {
			return "", "", false
		}
		digits.WriteByte(rest[0] | 0x20) // lower case; digits have the bit
		rest = rest[1:]
	}
	if rest != "" && rest[0] != ':' {
		return "", "", false
	}
	return digits.String(), strings.TrimPrefix(rest, ":"), true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// closeNAS ends the sessions of a NAS that began before its Accounting-On or -Off: what it had then is gone (R20). Their stop
// records have the time at which they were last heard of. Many are ended in the background; see Run.
func (t *Table) closeNAS(c *Change, ev *Event) {
	m := &closing{
		nas: ev.NAS, called: strings.Clone(ev.Attrs.Text(radius.CalledStationID)), before: ev.at,
		nodes: t.nases.find(ev),
	}
	m.nas.Identifier = strings.Clone(m.nas.Identifier)
	if ev.Delay > 0 {
		m.before -= time.Second // Acct-Delay-Time is rounded down
	}
	if ev.EventStamp > ev.Delay {
		m.stamp = ev.EventStamp - ev.Delay
	}
	m.own = m.isPartial()
	live := 0
	for _, n := range m.nodes {
		live += n.live
		if m.called == "" && (!m.own || n.Addr == m.nas.Addr) {
			n.restarted = max(n.restarted, m.before)
		}
		if !slices.Contains(m.addrs, n.Addr) {
			m.addrs = append(m.addrs, n.Addr)
		}
	}
	if live > closeAtOnce {
		if same := t.closings.like(m); same != nil {
			same.extend(m)
			m = same
		} else {
			t.closings.last++
			m.seq = t.closings.last
			t.startClosing(m)
		}
		c.State = append(c.State, Put{Key: closingKey(m.seq), Value: appendClosing(nil, m)})
		return
	}
	for _, id := range m.ids() {
		t.closeOne(c, m, id)
	}
}

// like is a closing that is being carried out of what the NAS now says again, or nil.
func (cs *closings) like(m *closing) *closing {
	for _, other := range cs.pending {
		if other.nas == m.nas && other.called == m.called && other.own == m.own {
			return other
		}
	}
	return nil
}

// extend makes a closing that is being carried out that of what the NAS now says again.
func (m *closing) extend(by *closing) {
	m.before, m.stamp, m.again = max(m.before, by.before), max(m.stamp, by.stamp), true
	for _, n := range by.nodes {
		if !slices.Contains(m.nodes, n) {
			m.nodes = append(m.nodes, n)
			n.marks = append(n.marks, m)
		}
	}
	for _, a := range by.addrs {
		if !slices.Contains(m.addrs, a) {
			m.addrs = append(m.addrs, a)
		}
	}
}

// isPartial reports whether the sessions that a closing matches are of several NASes, which differ in an identifier that it
// has not: it has a default NAS-Identifier only, say.
func (m *closing) isPartial() bool {
	for _, of := range keyTypes[1:] {
		if m.nas.types()&of != 0 {
			continue
		}
		var first *nasKey
		for _, n := range m.nodes {
			if n.live == 0 || n.types()&of == 0 {
				continue
			}
			k := n.key(of, 0)
			if first != nil && k != *first {
				return true
			}
			first = &k
		}
	}
	return false
}

// ids is the live sessions at the nodes of a closing, in no order, some of them more than once.
func (m *closing) ids() (ids []ID) {
	for _, n := range m.nodes {
		ids = append(ids, n.ids...)
	}
	return ids
}

func (t *Table) closeOne(c *Change, m *closing, id ID) {
	s := t.rows.get(id)
	if s != nil && m.covers(s) && slices.ContainsFunc(m.nodes, func(n *nasNode) bool { return t.isAt(id, n) }) {
		t.end(c, s, nil, s.Heard, CauseNASReboot)
	}
}

func (t *Table) startClosing(m *closing) {
	for _, n := range m.nodes {
		n.marks = append(n.marks, m)
	}
	t.closings.pending = append(t.closings.pending, m)
	t.wake()
}

// wake tells Run that there is something to do.
func (t *Table) wake() {
	select {
	case t.closings.wake <- struct{}{}:
	default:
	}
}

// String names the table for a log.
func (t *Table) String() string { return "session table" }

// Ready is closed when Run has begun. [Table.Apply] and the views need no Run.
func (t *Table) Ready() <-chan struct{} { return t.ready }

// Run carries out in the background what an Accounting-On or -Off of a NAS with many sessions asks for, and writes sessions
// that were loaded without a route anew with theirs, until ctx is done.
// What is left then is in the journal, and a table that is loaded from it goes on.
// Call it once.
func (t *Table) Run(ctx context.Context) error {
	close(t.ready)
	for ctx.Err() == nil {
		t.mu.Lock()
		var m *closing
		if len(t.closings.pending) > 0 {
			m = t.closings.pending[0]
		}
		old := t.old[:min(len(t.old), closeChunk)]
		t.mu.Unlock()
		switch {
		case m != nil:
			t.carryOut(ctx, m)
		case len(old) > 0:
			t.rewrite(ctx, old)
		default:
			select {
			case <-ctx.Done():
			case <-t.closings.wake:
			}
		}
	}
	return nil
}

// rewrite makes the routes durable of sessions that were loaded without one.
func (t *Table) rewrite(ctx context.Context, old []ID) {
	ok := t.durably(ctx, func(done func(error)) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if err := t.journal.Accepting(); err != nil {
			return fmt.Errorf("sessions: %w", err)
		}
		var c Change
		for _, id := range old {
			if s := t.rows.get(id); s != nil {
				c.State = append(c.State, Put{Key: sessionKey(id), Value: s.encode()})
			} else if of, ok := t.endings.byID[id]; ok {
				c.State = append(c.State, Put{Key: sessionKey(id), Value: []byte(of.data)})
			}
		}
		t.commit(c, done)
		return nil
	})
	if ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.old = t.old[len(old):]
	}
}

// durably does something, and again after a while until what it has committed is durable. It is false if ctx is done before.
func (t *Table) durably(ctx context.Context, do func(done func(error)) error) bool {
	for {
		committed := make(chan error, 1)
		err := do(func(err error) { committed <- err })
		if err == nil {
			select {
			case err = <-committed:
			case <-ctx.Done():
				return false
			}
		}
		if err == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(closeRetry):
		}
	}
}

// carryOut ends the sessions of a closing, a chunk in each commit, one commit at a time: so others wait for a chunk at
// most.
func (t *Table) carryOut(ctx context.Context, m *closing) {
	t.mu.Lock()
	m.again = false
	ids := m.ids()
	t.mu.Unlock()
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for {
		chunk := ids[:min(len(ids), closeChunk)]
		last := len(chunk) == len(ids)
		ok := t.durably(ctx, func(done func(error)) error { return t.endSome(m, chunk, last, done) })
		if !ok || last {
			return
		}
		ids = ids[len(chunk):]
	}
}

// endSome ends those of some sessions that a closing covers; with the last of them the closing is done with.
func (t *Table) endSome(m *closing, ids []ID, last bool, done func(error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	var c Change
	for _, id := range ids {
		t.closeOne(&c, m, id)
	}
	if last && !m.again { // else Run takes it up once more
		for _, n := range m.nodes {
			n.marks = slices.DeleteFunc(n.marks, func(other *closing) bool { return other == m })
		}
		t.closings.pending = slices.DeleteFunc(t.closings.pending, func(other *closing) bool { return other == m })
		c.State = append(c.State, Put{Key: closingKey(m.seq)})
	}
	t.commit(c, done)
	return nil
}

func closingKey(seq uint64) []byte { return binary.BigEndian.AppendUint64([]byte("n"), seq) }
