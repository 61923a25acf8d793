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

// closing is an Accounting-On or -Off whose sessions end in the background. It is durable and
// answered before they end. An event of one of them that arrives meanwhile finds the session ended.
type closing struct {
	seq          uint64
	nas          NAS
	called       string       // Called-Station-Id, "" if there is none
	sameAddrOnly bool         // ends only sessions of its source address
	before       Stamp        // ends only sessions that began before
	timestamp    uint32       // Event-Timestamp minus Acct-Delay-Time, 0 if there is none
	addrs        []netip.Addr // source addresses of the nodes
	nodes        []*nasNode   // the NAS values that it matches
	repeated     bool         // the NAS has sent it again since its sessions were listed
}

// closings has the Accounting-Ons and -Offs that are not finished.
type closings struct {
	last    uint64
	pending []*closing // oldest first
	wake    chan struct{}
}

const (
	// closeAtOnce is how many sessions an Accounting-On or -Off ends in its own commit.
	closeAtOnce = 16
	// closeChunk is how many rows Run looks at and ends before others have the table again.
	closeChunk = 128
	// closeRetry is how long Run waits if the journal accepts nothing.
	closeRetry = time.Second
	// sameClockWithin limits how far two Event-Timestamps of a NAS may be apart to be compared.
	sameClockWithin = time.Minute
)

// anyCovers reports whether an unfinished closing ends a live session.
func (cs *closings) anyCovers(s *Session) bool {
	if len(cs.pending) == 0 {
		return false
	}
	for _, n := range s.nodes() {
		if slices.ContainsFunc(n.closings, func(c *closing) bool { return c.covers(s) }) {
			return true
		}
	}
	return false
}

// covers reports whether the closing ends a session of one of its nodes.
func (c *closing) covers(s *Session) bool {
	return (max(s.Started, s.Revived()) < c.before || s.Revived().IsZero() && c.beganBeforeByTimestamp(s)) && (!c.sameAddrOnly || s.NAS.Addr == c.nas.Addr) &&
		!isOtherBSS(c.called, s.Attrs.Text(radius.CalledStationID))
}

// beganBeforeByTimestamp reports whether a session began before the closing by the NAS's clock. By
// our clock it may seem to have begun later, because its start waited in our socket. If the
// Event-Timestamps are farther apart than sameClockWithin, the NAS's clock may have been set in
// between.
func (c *closing) beganBeforeByTimestamp(s *Session) bool {
	return c.timestamp != 0 && s.StartTimestamp != 0 && s.StartTimestamp < c.timestamp && c.timestamp-s.StartTimestamp <= uint32(sameClockWithin/time.Second)
}

// isOtherBSS reports whether two Called-Station-Ids name different BSSs (RFC 3580 section 3.20).
// Both have the form MAC[:SSID], and the MACs differ, or the SSIDs if both have one.
func isOtherBSS(a, b string) bool {
	macA, ssidA, okA := splitBSS(a)
	macB, ssidB, okB := splitBSS(b)
	return okA && okB && (macA != macB || ssidA != "" && ssidB != "" && ssidA != ssidB)
}

// splitBSS splits a Called-Station-Id of the form MAC[:SSID].
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
		digits.WriteByte(rest[0] | 0x20) // lower case; digits have this bit already
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

// closeNAS ends the sessions of a NAS that began before its Accounting-On or -Off, because the NAS
// has lost them (R20). Their stop records have the time of the newest record. If there are many, Run
// ends them in the background.
func (t *Table) closeNAS(c *Change, ev *Event) {
	m := &closing{
		nas: ev.NAS, called: strings.Clone(ev.Attrs.Text(radius.CalledStationID)), before: ev.at,
		nodes: t.nases.find(ev),
	}
	m.nas.Identifier = strings.Clone(m.nas.Identifier)
	if ev.Delay > 0 {
		m.before = m.before.Add(-time.Second) // Acct-Delay-Time is rounded down
	}
	if ev.EventTimestamp > ev.Delay {
		m.timestamp = ev.EventTimestamp - ev.Delay
	}
	m.sameAddrOnly = m.isAmbiguous()
	live := 0
	for _, n := range m.nodes {
		live += n.liveCount
		if m.called == "" && (!m.sameAddrOnly || n.Addr == m.nas.Addr) {
			n.lastOnOff = max(n.lastOnOff, m.before)
		}
		if !slices.Contains(m.addrs, n.Addr) {
			m.addrs = append(m.addrs, n.Addr)
		}
	}
	if live > closeAtOnce {
		if same := t.closings.findSame(m); same != nil {
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
	for _, id := range m.sessionIDs() {
		t.endIfCovered(c, m, id)
	}
}

// findSame returns the unfinished closing that m repeats, or nil.
func (cs *closings) findSame(m *closing) *closing {
	for _, other := range cs.pending {
		if other.nas == m.nas && other.called == m.called && other.sameAddrOnly == m.sameAddrOnly {
			return other
		}
	}
	return nil
}

// extend adds a repetition to an unfinished closing.
func (c *closing) extend(by *closing) {
	c.before, c.timestamp, c.repeated = max(c.before, by.before), max(c.timestamp, by.timestamp), true
	for _, n := range by.nodes {
		if !slices.Contains(c.nodes, n) {
			c.nodes = append(c.nodes, n)
			n.closings = append(n.closings, c)
		}
	}
	for _, a := range by.addrs {
		if !slices.Contains(c.addrs, a) {
			c.addrs = append(c.addrs, a)
		}
	}
}

// isAmbiguous reports whether a closing matches several NASes that differ in an identifier that the
// closing does not have. For example, it has only a default NAS-Identifier.
func (c *closing) isAmbiguous() bool {
	for _, typ := range keyTypes[1:] {
		if c.nas.types()&typ != 0 {
			continue
		}
		var first *nasKey
		for _, n := range c.nodes {
			if n.liveCount == 0 || n.types()&typ == 0 {
				continue
			}
			k := n.key(typ, 0)
			if first != nil && k != *first {
				return true
			}
			first = &k
		}
	}
	return false
}

// sessionIDs returns the live sessions of a closing's nodes, unordered, with repetitions.
func (c *closing) sessionIDs() (ids []ID) {
	for _, n := range c.nodes {
		ids = append(ids, n.ids...)
	}
	return ids
}

func (t *Table) endIfCovered(c *Change, m *closing, id ID) {
	s := t.live(id)
	if s != nil && m.covers(s) && slices.ContainsFunc(m.nodes, func(n *nasNode) bool { return t.isRegistered(id, n) }) {
		t.end(c, s, nil, 0, CauseNASReboot)
	}
}

func (t *Table) startClosing(m *closing) {
	for _, n := range m.nodes {
		n.closings = append(n.closings, m)
	}
	t.closings.pending = append(t.closings.pending, m)
	t.wakeRun()
}

// wakeRun tells Run that there is work.
func (t *Table) wakeRun() {
	select {
	case t.closings.wake <- struct{}{}:
	default:
	}
}

// String names the table for a log.
func (t *Table) String() string { return "session table" }

// Ready is closed when Run has begun. [Table.Apply] and the views need no Run.
func (t *Table) Ready() <-chan struct{} { return t.ready }

// Run works in the background until ctx is done. It ends the sessions of a NAS with many sessions
// after an Accounting-On or -Off, and records the stops of parents that have waited long enough for
// their children. It also stores the routes of sessions that were loaded without one. The journal has
// the work that is left, and a table loaded from it continues. Call it once.
func (t *Table) Run(ctx context.Context) error {
	close(t.ready)
	for ctx.Err() == nil {
		t.mu.Lock()
		var m *closing
		if len(t.closings.pending) > 0 {
			m = t.closings.pending[0]
		}
		old := t.unrouted[:min(len(t.unrouted), closeChunk)]
		now := t.clock.now()
		overdue, next := t.nesting.overdue(now)
		t.mu.Unlock()
		switch {
		case m != nil:
			t.runClosing(ctx, m)
		case len(old) > 0:
			t.saveRoutes(ctx, old)
		case len(overdue) > 0:
			t.releaseOverdue(ctx)
		default:
			t.sleep(ctx, next.Sub(now))
		}
	}
	return nil
}

// sleep waits until Run has work: until wakeRun is called, or for this time if it is above 0.
func (t *Table) sleep(ctx context.Context, d time.Duration) {
	var due <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-t.closings.wake:
	case <-due:
	}
}

// saveRoutes makes the routes of sessions durable that were loaded without one.
func (t *Table) saveRoutes(ctx context.Context, old []ID) {
	ok := t.untilDurable(ctx, func(done func(error)) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if err := t.journal.Accepting(); err != nil {
			return fmt.Errorf("sessions: %w", err)
		}
		var c Change
		for _, id := range old {
			if s := t.live(id); s != nil {
				c.State = append(c.State, Put{Key: sessionKey(id), Value: s.encode()})
			} else if ended, ok := t.remembered.byID[id]; ok {
				c.State = append(c.State, Put{Key: sessionKey(id), Value: []byte(ended.data)})
			}
		}
		t.commit(c, done)
		return nil
	})
	if ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.unrouted = t.unrouted[len(old):]
	}
}

// untilDurable repeats do until its commit is durable. It returns false if ctx is done first.
func (t *Table) untilDurable(ctx context.Context, do func(done func(error)) error) bool {
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

// runClosing ends the sessions of a closing, one chunk for each commit and one commit at a time, so
// other events wait for one chunk at most.
func (t *Table) runClosing(ctx context.Context, m *closing) {
	t.mu.Lock()
	m.repeated = false
	ids := m.sessionIDs()
	t.mu.Unlock()
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for {
		chunk := ids[:min(len(ids), closeChunk)]
		last := len(chunk) == len(ids)
		ok := t.untilDurable(ctx, func(done func(error)) error { return t.endChunk(m, chunk, last, done) })
		if !ok || last {
			return
		}
		ids = ids[len(chunk):]
	}
}

// endChunk ends the sessions in ids that the closing covers. The last chunk finishes the closing.
func (t *Table) endChunk(m *closing, ids []ID, last bool, done func(error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	var c Change
	for _, id := range ids {
		t.endIfCovered(&c, m, id)
	}
	if last && !m.repeated { // else Run starts it again
		for _, n := range m.nodes {
			n.closings = slices.DeleteFunc(n.closings, func(other *closing) bool { return other == m })
		}
		t.closings.pending = slices.DeleteFunc(t.closings.pending, func(other *closing) bool { return other == m })
		c.State = append(c.State, Put{Key: closingKey(m.seq)})
	}
	t.commit(c, done)
	return nil
}

func closingKey(seq uint64) []byte { return binary.BigEndian.AppendUint64([]byte("n"), seq) }
