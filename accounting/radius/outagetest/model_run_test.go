package outagetest

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/sessions"
	"aaasess/store"
)

// groupRun is one group, from its creation on.
type groupRun struct {
	method  int
	group   *acctradius.Group
	lingers map[netip.AddrPort]time.Duration
	auths   map[[16]byte]bool // authenticators of all its requests; the world's mutex guards it
}

// linger returns how long the identifier of an unanswered request is not reused.
func (g *groupRun) linger(server netip.AddrPort) time.Duration { return g.lingers[server] }

// run is one run of the model.
type run struct {
	*site
	world      *world
	plan       plan
	plans      [2]groupPlan // of the present groups; for a removed one, its last plan
	present    [2]*groupRun // nil: the method was removed
	holds      [2]delivery.Hold
	lines      [modelLines]modelLine
	sessions   sessions.ID
	poison     int    // number of records that no server ever answers
	superseded uint64 // counted by Deliveries that have ended
}

// modelLine has one session after the other.
type modelLine struct {
	id      sessions.ID
	records int // records of the session so far
}

// runModel runs a plan, and returns its faults.
func runModel(t *testing.T, p plan) (faults []string) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, p.seed, "state", store.Config{Disk: store.NewDisk()}, loaded)
		r := &run{site: s, world: newWorld(s, p.seed), plan: p, plans: p.groups}
		r.start([2]bool{true, true})
		for _, e := range p.events {
			r.apply(e)
			time.Sleep(e.wait)
		}
		r.recover()
		r.stop()
		for _, err := range s.net.Faults() {
			r.world.fault("%v", err)
		}
		faults = r.world.faults
	})
	return faults
}

// loaded is small, so that records often have to be read again.
var loaded = delivery.Config{Loaded: 16}

// start runs the present groups and the Delivery.
func (r *run) start(there [2]bool) {
	for m := range methods {
		if there[m] {
			r.startGroup(m)
		}
	}
	r.run()
}

// startGroup runs a group and adds it to the Delivery, as the daemon does.
func (r *run) startGroup(m int) {
	r.present[m] = r.newGroup(m, r.plans[m])
	r.delivery.SetMethod(methods[m], r.present[m].group, r.plans[m].method(r.plan.fair))
	r.world.hold(m, r.holds[m])
	r.delivery.SetHold(methods[m], r.holds[m])
}

// newGroup runs a group. No other group has its servers.
func (r *run) newGroup(m int, plan groupPlan) *groupRun {
	g := &groupRun{method: m, lingers: map[netip.AddrPort]time.Duration{}, auths: map[[16]byte]bool{}}
	cfg := client.GroupConfig{
		Name: string(methods[m]), Algorithm: plan.algorithm, DeadCriteria: plan.criteria, HoldDown: plan.holdDown,
		MaxInFlight: plan.window,
	}
	listen := func(network string, laddr netip.AddrPort) (client.Socket, error) {
		s, err := r.net.Listen(network, laddr)
		if err != nil {
			return nil, err
		}
		return &tap{Socket: s, world: r.world, group: g, waiting: map[waitingKey]sent{}}, nil
	}
	r.world.mu.Lock()
	r.world.close(m)
	for _, s := range plan.servers {
		h := r.world.hosts[m][s.host]
		r.world.closed[m][s.host] = time.Time{}
		cfg.Members = append(cfg.Members, h.Member(s.schedule))
		g.lingers[h.Addr] = max(30*time.Second, s.schedule.Timeout*time.Duration(max(0, s.schedule.Retransmit)+1))
	}
	r.world.mu.Unlock()
	g.group = r.site.groupOf(client.New(client.Config{Dial: client.OverUDP(listen)}), cfg)
	return g
}

func (r *run) apply(e event) {
	switch e.kind {
	case addRecord, addPoison:
		for i := range e.count {
			r.add((e.line+i)%modelLines, e.last, i == 0 && e.kind == addPoison && r.poison < maxPoison)
		}
	case setStyle:
		if r.plan.fair {
			e.style %= fairStyles
		}
		for n := range hostsPerMethod {
			if e.host == hostsPerMethod || e.host == n {
				r.world.setStyle(e.method, n, e.style)
			}
		}
	case setHold:
		r.hold(e.method, e.hold)
	case setMethod:
		r.plans[e.method] = e.group
		r.setMethod(e.method)
	case removeMethod:
		r.removeMethod(e.method)
	case restart, powerCut:
		r.restart(e.kind == powerCut)
	}
}

// add adds the next record of a line's session.
func (r *run) add(line int, last, poison bool) {
	l := &r.lines[line]
	if l.id == 0 {
		r.sessions++
		*l = modelLine{id: r.sessions}
	}
	typ := interim
	if l.records == 0 {
		typ = start
	} else if last {
		typ = stop
	}
	rec := recordState{session: l.id, typ: typ, poison: poison, route: modelRoutes[line%len(modelRoutes)]}
	if poison {
		r.poison++
	}
	_, record := r.world.newRecord(rec)
	r.site.add(queued{methods[rec.route[0]], record})
	if l.records++; typ == stop {
		*l = modelLine{}
	}
}

func (r *run) hold(m int, h delivery.Hold) {
	r.holds[m] = h
	if r.present[m] != nil {
		r.world.hold(m, h)
	}
	r.delivery.SetHold(methods[m], h)
}

// setMethod adds or replaces a group, as the daemon does.
func (r *run) setMethod(m int) {
	r.allowResends()
	old := r.present[m]
	r.startGroup(m)
	if old != nil {
		r.close(old.group)
	}
}

// removeMethod removes a group, as the daemon does.
func (r *run) removeMethod(m int) {
	old := r.present[m]
	if old == nil {
		return
	}
	r.allowResends()
	r.present[m] = nil
	r.world.remove(m)
	r.delivery.RemoveMethod(methods[m])
	r.close(old.group)
}

func (r *run) restart(cut bool) {
	r.allowResends()
	disk := r.cfg.Disk
	if cut {
		r.world.mu.Lock()
		r.world.cut = true
		r.world.mu.Unlock()
		disk = disk.PowerCut(50, rand.New(rand.NewPCG(r.plan.seed, uint64(len(r.world.recs)))))
	}
	r.stop()
	r.count()
	r.cfg.Disk = disk
	r.open()
	r.start([2]bool{r.present[0] != nil, r.present[1] != nil})
}

// allowResends notes that records may be sent again.
func (r *run) allowResends() {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	r.world.mayResend = true
}

func (r *run) count() {
	for _, m := range methods {
		r.superseded += r.delivery.Queue(m.Queue()).Superseded
	}
}

// recover makes all servers good, and lets time pass until every record is where it must be.
// Meanwhile it adds a record a minute for each method (a beat), so that there is always something
// to answer. Each beat must be answered in time, however many records no server answers.
func (r *run) recover() {
	for m := range methods {
		for n := range hostsPerMethod {
			r.world.setStyle(m, n, 0)
		}
		r.hold(m, delivery.Open)
		if r.present[m] == nil {
			r.setMethod(m)
		}
	}
	time.Sleep(longestWay)
	for range 48 * 60 {
		for m := range methods {
			r.sessions++
			_, record := r.world.newRecord(recordState{session: r.sessions, typ: start, route: []int{m}, beat: true})
			r.site.add(queued{methods[m], record})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.waiting() == 0 {
			break
		}
	}
	patience := max(r.plans[0].patience(r.poison), r.plans[1].patience(r.poison))
	for range int(patience / time.Minute) {
		if r.queue(methods[0].Queue())+r.queue(methods[1].Queue()) == 0 {
			break
		}
		time.Sleep(time.Minute) // for the last beats
		synctest.Wait()
	}
	r.check(r.setAside())
}

// waiting returns how many records, without beats, are in the queues.
func (r *run) waiting() (n int) {
	for _, m := range methods {
		all, err := r.store.Read(m.Queue(), 0, 10_000, nil)
		if err != nil {
			r.Fatal(err)
		}
		for _, e := range all {
			if rec, err := accounting.ParseRecord(e.Data); err != nil || !r.world.isBeat(rec) {
				n++
			}
		}
	}
	return n
}

// setAside returns the numbers of the records that were set aside.
func (r *run) setAside() map[uint32]bool {
	aside := map[uint32]bool{}
	list, err := accounting.NewSpool(r.store).List(0, 1000)
	if err != nil {
		r.Fatal(err)
	}
	for _, a := range list {
		if a.Record == nil {
			r.world.fault("damaged record set aside: %x", a.Data)
			continue
		}
		n, _ := a.Record.Attrs.Uint32(radius.AcctSessionTime)
		aside[n] = true
	}
	return aside
}

// check compares what happened to the records with what must happen.
func (r *run) check(aside map[uint32]bool) {
	r.count()
	for _, m := range methods {
		if n := r.queue(m.Queue()); n != 0 {
			r.world.fault("%d records left in %s", n, m)
		}
	}
	w := r.world
	w.mu.Lock()
	defer w.mu.Unlock()
	dropped := uint64(0)
	for i, rec := range w.recs {
		if i == 0 {
			continue
		}
		n := uint32(i)
		switch isAside := aside[n]; {
		case isAside && !rec.poison && slices.ContainsFunc(rec.route, func(m int) bool { return !w.mayDelay[m] && !w.removed[m] }):
			w.faultLocked("record %d is set aside, though servers were good or dead, and nothing between", n)
		case isAside || !rec.answered.IsZero():
		case w.superseded(i):
			dropped++
		default:
			w.faultLocked("record %d (%v of session %d, poison %v) is lost", n, rec.typ, rec.session, rec.poison)
		}
		if bound := r.plans[rec.route[0]].patience(r.poison); rec.beat && rec.answered.Sub(rec.at) > bound {
			w.faultLocked("record %d took %v, more than %v", n, rec.answered.Sub(rec.at), bound)
		}
	}
	wellOff := !w.mayIgnore[0] && !w.mayIgnore[1] && !w.held[0] && !w.held[1]
	if wellOff && r.superseded+dropped > 0 || dropped > r.superseded {
		w.faultLocked("%d interims are not there, %d were superseded", dropped, r.superseded)
	}
}
