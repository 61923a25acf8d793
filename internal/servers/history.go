package servers

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Use is what a server is used for. Each use has its statistics and, for RADIUS, its port.
type Use uint8

// The uses of a server.
const (
	ForAccounting Use = iota
	ForAuthentication

	uses // their number
)

// Record is what is known of a server by its name. It outlives the server: a change of its address,
// port or secret, and a restart.
type Record struct {
	Name                       string
	Authentication, Accounting Stats
	State                      Lifetime
}

// Statistics are those of all servers of a client.
type Statistics struct {
	Now     time.Time // of the copy: times in Records that still run, such as TotalDead, end then
	Records []Record  // sorted by Name
	// InvalidAuthAddresses and InvalidAcctAddresses are those of a [View].
	InvalidAuthAddresses, InvalidAcctAddresses uint64
}

// Of returns the record of a name, nil if there is none.
func (s *Statistics) Of(name string) *Record {
	i, ok := sort.Find(len(s.Records), func(i int) int { return strings.Compare(name, s.Records[i].Name) }) // it copies no Record
	if !ok {
		return nil
	}
	return &s.Records[i]
}

// Histories are the records of all servers of a client. Its mutex guards them, except for Changes.
type Histories struct {
	protocol   Protocol
	all        map[string]*History
	sorted     []*History      // all, by name; nil if that has changed
	configured map[string]bool // nil: all names
	untold     []Change
	telling    bool
	ending     bool // see End
	changes    atomic.Uint64
}

// NewHistories returns Histories without servers.
func NewHistories(p Protocol) *Histories {
	return &Histories{protocol: p, all: map[string]*History{}}
}

// History is the record of one name.
type History struct {
	all   *Histories
	name  string
	stats [uses]Stats
	// statusServer counts Status-Servers and their answers, of which only StatusServer is shown.
	statusServer [uses]Stats
	ports        []port

	dead     bool
	since    time.Time
	previous time.Duration
	deadTime time.Duration // without the current state
	deaths   uint64
}

// port is a port that groups use. While a reload changes the secret of a server, there are two servers
// of its name.
type port struct {
	use   Use
	state *Health
	paths int
}

// Of returns the history of a name. A new one counts from now.
func (hs *Histories) Of(name string, now time.Time) *History {
	h := hs.all[name]
	if h == nil {
		h = &History{all: hs, name: name, since: now}
		for use := range h.stats {
			h.stats[use].CountedSince = now
		}
		hs.all[name], hs.sorted = h, nil
	}
	return h
}

// Stats returns the statistics for a use, in which the client counts.
func (h *History) Stats(use Use) *Stats { return &h.stats[use] }

// StatusServerStats returns where the client counts Status-Servers and their answers.
func (h *History) StatusServerStats(use Use) *Stats { return &h.statusServer[use] }

// SetNames says which servers are configured. A name that is not among them is forgotten once no group
// has it.
func (hs *Histories) SetNames(names []string, now time.Time) {
	hs.configured = map[string]bool{}
	for _, name := range names {
		hs.configured[name] = true
		hs.Of(name, now)
	}
	for _, h := range hs.all {
		h.forget()
	}
}

func (h *History) forget() {
	if hs := h.all; len(h.ports) == 0 && hs.configured != nil && !hs.configured[h.name] {
		delete(hs.all, h.name)
		hs.sorted = nil
	}
}

// AddPort notes that a path uses the port that has a state. Several paths may use one port.
func (h *History) AddPort(use Use, state *Health, now time.Time) {
	if i := h.indexOf(state); i >= 0 {
		h.ports[i].paths++
		return
	}
	h.ports = append(h.ports, port{use, state, 1})
	h.Update(now)
}

// RemovePort notes that a path no longer uses a port. AddPort was called for it.
func (h *History) RemovePort(state *Health, now time.Time) {
	if h.all.ending {
		return
	}
	i := h.indexOf(state)
	if h.ports[i].paths--; h.ports[i].paths > 0 {
		return
	}
	old := h.ports[i]
	h.ports = slices.Delete(h.ports, i, i+1)
	old.state.end(&h.stats[old.use], now)
	h.Update(now)
	h.forget()
}

func (h *History) indexOf(state *Health) int {
	return slices.IndexFunc(h.ports, func(p port) bool { return p.state == state })
}

// Update notes the state of the server after that of a port may have changed: it is dead if a port that
// is used is dead. While none is used, the last state stays: at the end of the daemon, no server answers
// again.
func (h *History) Update(now time.Time) {
	if len(h.ports) > 0 {
		h.setDead(slices.ContainsFunc(h.ports, func(p port) bool { return p.state.dead }), now)
	}
}

// setDead sets the state.
func (h *History) setDead(dead bool, now time.Time) {
	if dead == h.dead {
		return
	}
	h.previous = max(0, now.Sub(h.since))
	if dead {
		h.deaths++
	} else {
		h.deadTime += h.previous
	}
	h.dead, h.since = dead, now
	h.all.changes.Add(1)
	h.all.untold = append(h.all.untold, Change{Protocol: h.all.protocol, Name: h.name, Lifetime: h.lifetime(now)})
}

// lifetime returns the state of the server.
func (h *History) lifetime(now time.Time) Lifetime {
	l := Lifetime{Dead: h.dead, Since: h.since, Previous: h.previous, TotalDead: h.deadTime, Deaths: h.deaths}
	if h.dead {
		l.TotalDead += l.Duration(now)
	}
	return l
}

// Report returns the statistics of a port with this state.
func (h *History) Report(use Use, state *Health, now time.Time) Stats {
	all := h.counted(use)
	all.Server = h.lifetime(now)
	state.Report(&all, now)
	return all
}

// counted returns the statistics of a use without the state of a port.
func (h *History) counted(use Use) Stats {
	all, tests := h.stats[use], &h.statusServer[use]
	all.Name, all.State = h.name, Unknown
	all.StatusServer = StatusServer{Sent: tests.Requests + tests.Retransmissions, Responses: tests.Responses, Timeouts: tests.Timeouts}
	return all
}

// record sets to to what is known of the name.
func (h *History) record(to *Record, now time.Time) {
	to.Name, to.State = h.name, h.lifetime(now)
	for use, st := range [uses]*Stats{ForAccounting: &to.Accounting, ForAuthentication: &to.Authentication} {
		*st = h.counted(Use(use))
		for _, p := range h.ports { // of two, the newer one
			if p.use == Use(use) {
				*st = h.Report(p.use, p.state, now)
			}
		}
	}
}

// Records returns a copy of all records, sorted by Name. The client's mutex is held meanwhile, so only
// names that are new are sorted: a Record is large.
func (hs *Histories) Records(now time.Time) []Record {
	if hs.sorted == nil {
		hs.sorted = slices.SortedFunc(maps.Values(hs.all), func(a, b *History) int { return strings.Compare(a.name, b.name) })
	}
	out := make([]Record, len(hs.sorted))
	for i, h := range hs.sorted {
		h.record(&out[i], now)
	}
	return out
}

// Restore continues records of an earlier process, before any group begins. A server that was dead is
// up now, because nothing is known about it: this is a change.
func (hs *Histories) Restore(records []Record, now time.Time) {
	for i := range records {
		r := &records[i]
		h := hs.Of(r.Name, now)
		for use, from := range [uses]*Stats{ForAccounting: &r.Accounting, ForAuthentication: &r.Authentication} {
			h.stats[use] = restored(from, now)
			h.statusServer[use] = Stats{Requests: from.StatusServer.Sent, Responses: from.StatusServer.Responses, Timeouts: from.StatusServer.Timeouts}
		}
		h.dead, h.since, h.previous, h.deaths = r.State.Dead, r.State.Since, r.State.Previous, r.State.Deaths
		h.deadTime = r.State.TotalDead
		if h.dead {
			h.deadTime = max(0, h.deadTime-r.State.Duration(now))
		}
		h.setDead(false, now)
	}
}

// restored returns statistics of an earlier process as they continue. A port that was dead is not
// known to be.
func restored(s *Stats, now time.Time) Stats {
	out := *s
	if s.State == Dead {
		out.PreviousState, out.StateSince = max(0, now.Sub(s.StateSince)), now
	}
	out.Name, out.State, out.PendingRequests = "", "", 0
	out.LastResponse, out.DownUntil = time.Time{}, time.Time{}
	return out
}

// End says that the process is about to end. From now on a port that no group uses any more keeps its
// state, so that Restore in the next process knows which servers were dead, and tells that they are not
// any more.
func (hs *Histories) End() { hs.ending = true }

// Changes returns how often servers became dead or answered again. It needs no mutex.
func (hs *Histories) Changes() uint64 { return hs.changes.Load() }

// Untold reports whether a call of Tell is due.
func (hs *Histories) Untold() bool { return len(hs.untold) > 0 && !hs.telling }

// Tell calls told for each change that was not told, in order. If another goroutine is doing that, it
// tells them. The caller does not hold mu, the mutex of the client, and Tell does not hold it while it
// calls told.
func (hs *Histories) Tell(mu sync.Locker, told func(Change)) {
	mu.Lock()
	defer mu.Unlock()
	if hs.telling {
		return
	}
	hs.telling = true
	for len(hs.untold) > 0 {
		next := hs.untold
		hs.untold = nil
		mu.Unlock()
		for _, c := range next {
			told(c)
		}
		mu.Lock()
	}
	hs.telling = false
}
