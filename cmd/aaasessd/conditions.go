package main

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/methods"
	"aaasess/cmd/aaasessd/internal/conditions"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/page"
	"aaasess/cmd/internal/version"
	"aaasess/internal/servers"
	"aaasess/mib/aaasess"
)

// conditionsFile is the file in the state folder that has the bad states of the daemon itself that
// managers were told.
const conditionsFile = "conditions"

// openConditions opens what watches the states of the daemon itself.
func (d *daemon) openConditions(cfg *config.Config) error {
	d.conditions = conditions.Open(conditions.Config{
		Limits: cfg.Thresholds, Enterprise: cfg.SNMP.EnterpriseNumber, Sample: d.sample,
		File: filepath.Join(cfg.State, conditionsFile), Logger: d.log, Ways: d.notificationWays(cfg),
	})
	return nil
}

// sample returns what the conditions depend on.
func (d *daemon) sample() conditions.Sample {
	s := conditions.Sample{Now: time.Now(), Space: d.store.Space()}
	silent := map[accounting.MethodName]bool{} // groups that relay logins; false: a server may answer
	for _, g := range d.authGroups() {
		silent[accounting.Group(g.Config.Name)] = isSilent(&g)
	}
	for _, q := range d.methods.Queues() {
		name := accounting.MethodOf(q.Queue)
		s.Methods = append(s.Methods, conditions.Method{
			Name: string(name), Records: q.Pending, Withheld: uint64(max(0, q.Withheld)), Oldest: q.Oldest,
			Left: q.Delivered + q.Refused + q.SetAside, Cause: blockedBy(&q), Silent: silent[name],
		})
		delete(silent, name)
	}
	for name, is := range silent { // those without a queue
		s.Methods = append(s.Methods, conditions.Method{Name: string(name), Silent: is})
	}
	return s
}

// blockedBy returns why no record leaves a queue, if none does.
func blockedBy(q *methods.Queue) aaasess.Reason {
	switch {
	case q.Lost:
		return aaasess.NotConfigured
	case !q.Method.DownSince.IsZero():
		return aaasess.NoAnswer
	case q.Method.Hold != delivery.Open:
		return aaasess.AccountingOn
	}
	return aaasess.NotMoving
}

// ownViews makes the views of AAASESS-MIB.
type ownViews struct {
	making sync.Mutex // held while a view is made
	last   atomic.Pointer[madeView]
}

type madeView struct {
	at   time.Time
	view *aaasess.View
}

// ownViewAge is how old a view of AAASESS-MIB may be.
const ownViewAge = time.Second

// ownView returns the view of AAASESS-MIB. While a view is made, requests get the one before.
func (d *daemon) ownView() *aaasess.View {
	last := d.own.last.Load()
	switch {
	case last == nil:
		d.own.making.Lock()
	case time.Since(last.at) < ownViewAge || !d.own.making.TryLock():
		return last.view
	}
	defer d.own.making.Unlock()
	now := time.Now()
	v := &madeView{now, d.newOwnView(now)}
	d.own.last.Store(v)
	return v.view
}

func (d *daemon) newOwnView(now time.Time) *aaasess.View {
	states, limits, space := d.conditions.States(), d.conditions.Limits(), d.store.Space()
	v := aaasess.View{
		Version: version.String(), UpTime: now.Sub(d.started), Reasons: len(d.reasons()), Sessions: d.table.View().Len(),
		Store: aaasess.Store{Refused: states.Events, Short: states.Disk, Free: space.Free, MinFree: space.MinFree, WarnFree: space.WarnFree},
		Spool: aaasess.Spool{
			Over: states.Spool, Size: space.Size, MaxSize: space.MaxSize, WarnSize: space.WarnSize,
			WarnRecords: limits.Records, WarnAge: limits.Age, SetAside: accounting.NewSpool(d.store).Len(),
		},
	}
	list := d.ownMethods(now, states)
	for i := range list {
		v.Spool.Records += list[i].Records
		v.Spool.Oldest = max(v.Spool.Oldest, list[i].Oldest)
	}
	return aaasess.NewView(v, list)
}

// ownMethods returns the rows of aaasessMethodTable.
func (d *daemon) ownMethods(now time.Time, states *conditions.States) (list []aaasess.Method) {
	rows := map[accounting.MethodName]int{}
	row := func(name accounting.MethodName) *aaasess.Method {
		i, ok := rows[name]
		if !ok {
			i = len(list)
			rows[name] = i
			list = append(list, aaasess.Method{Name: string(name), Protocol: aaasess.UnknownProtocol, Reason: aaasess.Flowing})
			if st, known := states.Methods[string(name)]; known {
				list[i].Reason, list[i].Since = st.Reason, now.Sub(st.Since)
			}
		}
		return &list[i]
	}
	for _, q := range d.methods.Queues() {
		m := row(accounting.MethodOf(q.Queue))
		if m.Records = q.Pending; m.Records > 0 && !q.Oldest.IsZero() {
			m.Oldest = max(0, now.Sub(q.Oldest))
		}
		if m.Name == string(accounting.Local) {
			m.Protocol = aaasess.File
		}
	}
	dead := map[servers.Key]bool{}
	for _, e := range d.serverView().Entries {
		dead[e.Key()] = e.State.Dead
	}
	for _, g := range d.serverGroups() {
		m := row(accounting.Group(g.Name))
		m.Protocol = aaasess.Protocol(g.Protocol)
		m.Servers, m.ServersUp = len(g.Servers), 0
		for _, name := range g.Servers {
			if !dead[servers.Key{Protocol: g.Protocol, Name: name}] {
				m.ServersUp++
			}
		}
	}
	return list
}

// blocked returns what the status page shows as blocked.
func (d *daemon) blocked() page.Blocked {
	states := d.conditions.States()
	b := page.Blocked{Queues: map[string]bool{}, Groups: map[string]bool{}}
	for _, q := range d.methods.Queues() {
		_, b.Queues[q.Queue] = blockedSince(states, q.Queue)
	}
	for _, g := range d.serverGroups() {
		b.Groups[g.Name] = states.Methods[string(accounting.Group(g.Name))].Reason.Blocked()
	}
	return b
}

// blockedSince returns since when the records of a queue are blocked.
func blockedSince(states *conditions.States, queue string) (since time.Time, blocked bool) {
	st, known := states.Methods[string(accounting.MethodOf(queue))]
	return st.Since, known && st.Reason.Blocked() && st.Reason != aaasess.NoLoginAnswer
}
