package radius

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"aaasess/accounting"
)

// lookupTimes is when names are looked up; zero values are the defaults.
type lookupTimes struct {
	limit    time.Duration // of a look-up; 0 means 5 s
	min, max time.Duration // bound the wait, which doubles, while a name is not known; 0 means 1 s and 60 s
	every    time.Duration // when all are known: servers move; 0 means 5 min
}

func (t lookupTimes) withDefaults() lookupTimes {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&t.limit, 5 * time.Second}, {&t.min, time.Second}, {&t.max, time.Minute}, {&t.every, 5 * time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return t
}

// namedGroup is a server group of which some servers are known by name. It runs a [Group] of
// those whose address is known, and puts another in its place when that changes; while there is
// none, nobody responds. A name that is not found any more keeps its address.
type namedGroup struct {
	spec   *Spec
	lookup Lookup
	times  lookupTimes
	heard  func() // of the groups' Config
	log    *slog.Logger

	// Run's own.
	made   uint32       // groups
	addrs  []netip.Addr // of spec.Servers
	failed []bool       // of spec.Servers: the last look-up

	mu    sync.Mutex // never held over a look-up, a Send or a done
	phase namedPhase
	group *Group  // nil: no address is known
	early []early // what came before the first look-up was over; at most Window and an Accounting-On or -Off
}

type namedPhase uint8

const (
	lookingUp namedPhase = iota // for the first time: records wait for that
	lookedUp
	over
)

// early is a call of Send or Announce: what it does with the group that there is then, nil if none.
type early func(group *Group, phase namedPhase)

func newNamedGroup(spec *Spec, times lookupTimes, heard func(), log *slog.Logger) *namedGroup {
	n := &namedGroup{
		spec: spec, lookup: spec.Lookup, times: times.withDefaults(), heard: heard, log: log.With("group", spec.Group),
		addrs: spec.literals(), failed: make([]bool, len(spec.Servers)),
	}
	if n.lookup == nil {
		n.lookup = systemLookup
	}
	return n
}

// Window is the group's.
func (n *namedGroup) Window() int { return n.spec.Window }

// Send gives a record to the group that there is. See [accounting.Method].
func (n *namedGroup) Send(rec *accounting.Record, at accounting.Progress, done func(error)) {
	n.pass(func(group *Group, phase namedPhase) {
		switch {
		case phase == over:
			done(ErrStopped)
		case group == nil:
			done(accounting.ErrNoResponse)
		default:
			group.Send(rec, at, done) // also one that has just ended: it says so
		}
	})
}

// Announce is Send for an Accounting-On or -Off. See [aaasess/accounting/onoff.Announcer].
func (n *namedGroup) Announce(rec *accounting.Record, done func(server string, err error)) {
	n.pass(func(group *Group, phase namedPhase) {
		switch {
		case phase == over:
			done("", ErrStopped)
		case group == nil:
			done("", accounting.ErrNoResponse)
		default:
			group.Announce(rec, done)
		}
	})
}

// Abandon is the group's.
func (n *namedGroup) Abandon() {
	n.mu.Lock()
	group := n.group
	n.mu.Unlock()
	if group != nil {
		group.Abandon()
	}
}

// pass calls what is to be done with the group, once the first look-up is over.
func (n *namedGroup) pass(do early) {
	n.mu.Lock()
	group, phase := n.group, n.phase
	if phase == lookingUp {
		n.early = append(n.early, do)
	}
	n.mu.Unlock()
	if phase != lookingUp {
		do(group, phase)
	}
}

// Stats is that of the group since its addresses changed.
func (n *namedGroup) Stats() Stats {
	n.mu.Lock()
	group := n.group
	n.mu.Unlock()
	if group == nil {
		return Stats{}
	}
	return group.Stats()
}

// Run looks names up, and sends records, until ctx is done.
func (n *namedGroup) Run(ctx context.Context) error {
	var groups sync.WaitGroup
	defer groups.Wait()
	stop := context.CancelFunc(func() {})
	defer func() { stop() }()
	defer n.become(nil, over)
	for wait := n.times.min; ; {
		changed := n.lookUp(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if group := n.remake(changed); group != nil {
			groupCtx, stopGroup := context.WithCancel(ctx)
			groups.Go(func() { _ = group.Run(groupCtx) }) // an error is only for a second Run
			n.become(group, lookedUp)
			stop() // what the former one has under way is sent again
			stop = stopGroup
		} else {
			n.become(n.group, lookedUp)
		}
		next := n.times.every
		if slices.ContainsFunc(n.addrs, func(a netip.Addr) bool { return !a.IsValid() }) {
			next, wait = wait, min(2*wait, n.times.max)
		} else {
			wait = n.times.min
		}
		select {
		case <-time.After(next):
		case <-ctx.Done():
			return nil
		}
	}
}

// become puts a group in place, and gives it what waited for the first look-up.
func (n *namedGroup) become(group *Group, phase namedPhase) {
	n.mu.Lock()
	n.group, n.phase = group, phase
	waited := n.early
	n.early = nil
	n.mu.Unlock()
	for _, e := range waited {
		e(group, phase)
	}
}

// lookUp looks all names up, side by side, and reports whether an address has changed.
func (n *namedGroup) lookUp(ctx context.Context) (changed bool) {
	ctx, cancel := context.WithTimeout(ctx, n.times.limit)
	defer cancel()
	found, errs := make([][]netip.Addr, len(n.addrs)), make([]error, len(n.addrs))
	var all sync.WaitGroup
	for i, s := range n.spec.Servers {
		if _, err := netip.ParseAddr(s.Host); err != nil {
			all.Go(func() { found[i], errs[i] = n.lookup(ctx, s.Host) })
		}
	}
	all.Wait()
	for i, s := range n.spec.Servers {
		for j, a := range found[i] {
			found[i][j] = a.Unmap()
		}
		// What cannot be reached from the group's source address is as good as not there.
		if source := n.spec.Source; source.IsValid() {
			found[i] = slices.DeleteFunc(found[i], func(a netip.Addr) bool { return a.Is4() != source.Is4() })
		}
		n.tell(i, errs[i])
		// One of several addresses is kept as long as it is among them, in whatever order they come.
		if len(found[i]) > 0 && !slices.Contains(found[i], n.addrs[i]) {
			n.log.Info("accounting server found", "server", s.Name, "host", s.Host, "address", found[i][0])
			n.addrs[i], changed = found[i][0], true
		}
	}
	return changed
}

// tell logs when a name begins or ceases to be a trouble.
func (n *namedGroup) tell(i int, err error) {
	if s := n.spec.Servers[i]; err != nil && !n.failed[i] {
		n.log.Warn("accounting server's name cannot be looked up", "server", s.Name, "host", s.Host, "keeps", n.addrs[i], "err", err)
	}
	n.failed[i] = err != nil
}

// remake makes a group of the addresses that are known, nil if that would change nothing. Two names
// of one address are one server.
func (n *namedGroup) remake(changed bool) *Group {
	if first := n.group == nil; !changed && !first {
		return nil
	}
	addrs := slices.Clone(n.addrs)
	for i, s := range n.spec.Servers {
		for j, other := range n.spec.Servers[:i] {
			if addrs[i].IsValid() && addrs[i] == addrs[j] && s.Port == other.Port {
				n.log.Warn("accounting servers have one address", "server", s.Name, "other", other.Name, "address", addrs[i])
				addrs[i] = netip.Addr{}
			}
		}
	}
	if !slices.ContainsFunc(addrs, netip.Addr.IsValid) {
		return nil
	}
	n.made++
	group, err := n.spec.group(addrs, n.made, n.heard, n.log)
	if err != nil {
		n.log.Error("accounting group", "err", err)
		return nil
	}
	return group
}
