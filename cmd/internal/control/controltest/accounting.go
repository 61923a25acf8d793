package controltest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/sessions"
)

// ErrDisk is returned by Replay, Drop and ForgetDamage of an [Accounting] when Full is set.
var ErrDisk = errors.New("no space")

// Accounting is a [control.Accounting] in memory. Its fields are set before the daemon starts.
type Accounting struct {
	Groups  []api.ServerGroup
	OnOff   []api.OnOffGroup
	Managed api.ManagedServers
	Status  api.SpoolStatus // Spool sets its SetAside to the length of Aside
	Aside   []api.SetAside  // records with Raw are damaged
	Lists   []string        // method lists, such as "network/default"
	// Resyncs has the latest resync of each group. Each call of Resync takes one that runs a third
	// further.
	Resyncs map[string]api.Resync
	// Explained has explanations by session ID or record name.
	Explained map[string]api.Explanation
	Full      int // Replay and Drop change this many records and then return ErrDisk; 0: no limit
	// Hold has the groups whose Perform waits for its context. Entered, if not nil, is called
	// before it waits.
	Hold    map[string]bool
	Entered func()

	mu   sync.Mutex
	done []string
}

// Done returns a line for each request that changed something: "acct-off isp force 6", "replay 1
// 2", "drop all", "reroute group/old network/default".
func (a *Accounting) Done() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.done)
}

// ServerGroups implements control.Accounting.
func (a *Accounting) ServerGroups() []api.ServerGroup {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.Groups)
}

// ManagedServers implements control.Accounting.
func (a *Accounting) ManagedServers() api.ManagedServers { return a.Managed }

// OnOffGroups implements control.Accounting.
func (a *Accounting) OnOffGroups() []api.OnOffGroup { return a.OnOff }

// Perform implements control.Accounting. It sets the state of the group to sendAcctOn or
// sendAcctOff.
func (a *Accounting) Perform(ctx context.Context, req api.PerformRequest) error {
	if a.Hold[req.Group] {
		if a.Entered != nil {
			a.Entered()
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.Groups, func(g api.ServerGroup) bool { return g.Name == req.Group })
	if i < 0 {
		return fmt.Errorf("server group %q: %w", req.Group, control.ErrNoGroup)
	}
	sending, reached := api.SendAcctOn, api.StateOn
	if req.Action == api.AcctOff {
		sending, reached = api.SendAcctOff, api.StateOff
	}
	line := string(req.Action) + " " + req.Group
	switch on := &a.Groups[i].AcctOnOff; {
	case !on.Sends():
		return fmt.Errorf("server group %q: %w", req.Group, control.ErrNoAcctOnOff)
	case on.State == reached && !req.Force:
		return fmt.Errorf("server group %q: %w", req.Group, control.ErrAcknowledged)
	default:
		on.State = sending
	}
	if req.Force {
		line += " force"
	}
	if req.AcctTerminateCause != 0 {
		line += fmt.Sprint(" ", req.AcctTerminateCause)
	}
	a.done = append(a.done, line)
	return nil
}

// BeginResync implements control.Accounting. The resync has 9 sessions, one of a stop-only list.
func (a *Accounting) BeginResync(group string, req api.ResyncRequest) (api.Resync, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.ContainsFunc(a.Groups, func(g api.ServerGroup) bool { return g.Name == group }) {
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrNoGroup)
	}
	if a.Resyncs[group].State == api.ResyncRunning {
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrResyncRuns)
	}
	r := api.Resync{
		Group: group, State: api.ResyncRunning, Type: cmp.Or(req.Type, api.ResyncInterim), Rate: cmp.Or(req.Rate, api.DefaultResyncRate),
		Began: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Total: 9,
	}
	if a.Resyncs == nil {
		a.Resyncs = map[string]api.Resync{}
	}
	a.Resyncs[group] = r
	a.done = append(a.done, fmt.Sprintf("resync %s %s %d", group, r.Type, r.Rate))
	return r, nil
}

// Resync implements control.Accounting.
func (a *Accounting) Resync(group string) (api.Resync, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.Resyncs[group]
	if !ok {
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrNoResync)
	}
	if r.State != api.ResyncRunning {
		return r, nil
	}
	r.Sessions += 3
	r.Records += 3
	if r.Sessions == r.Total {
		r.Records--
		r.LeftOut.StopOnly++
		r.State, r.Ended = api.ResyncDone, r.Began.Add(90*time.Second)
	}
	a.Resyncs[group] = r
	return r, nil
}

// CancelResync implements control.Accounting.
func (a *Accounting) CancelResync(_ context.Context, group string) (api.Resync, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.Resyncs[group]
	switch {
	case !ok:
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrNoResync)
	case r.State != api.ResyncRunning:
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrResyncOver)
	}
	r.State, r.Ended = api.ResyncCanceled, r.Began.Add(5*time.Second)
	a.Resyncs[group] = r
	a.done = append(a.done, "cancel resync "+group)
	return r, nil
}

// Spool implements control.Accounting.
func (a *Accounting) Spool() api.SpoolStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	status := a.Status
	status.Queues = slices.Clone(status.Queues)
	status.SetAside = uint64(len(a.Aside))
	return status
}

// SetAside implements control.Accounting.
func (a *Accounting) SetAside(after uint64, limit int) ([]api.SetAside, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []api.SetAside
	for _, r := range a.Aside {
		if r.Seq > after && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

// SetAsideRecord implements control.Accounting.
func (a *Accounting) SetAsideRecord(seq uint64) (api.SetAside, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.find(seq); i >= 0 {
		return a.Aside[i], nil
	}
	return api.SetAside{}, fmt.Errorf("record %d: %w", seq, control.ErrNoRecord)
}

func (a *Accounting) find(seq uint64) int {
	return slices.IndexFunc(a.Aside, func(r api.SetAside) bool { return r.Seq == seq })
}

// Replay implements control.Accounting.
func (a *Accounting) Replay(seqs []uint64, all bool) (int, error) {
	return a.remove("replay", seqs, all, func(r api.SetAside) bool { return r.Raw != "" })
}

// Drop implements control.Accounting.
func (a *Accounting) Drop(seqs []uint64, all bool) (int, error) {
	return a.remove("drop", seqs, all, func(api.SetAside) bool { return false })
}

// ForgetDamage implements control.Accounting.
func (a *Accounting) ForgetDamage() (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Full > 0 {
		return 0, ErrDisk
	}
	n := len(a.Status.Damage)
	a.Status.Damage = slices.DeleteFunc(slices.Clone(a.Status.Damage), func(d api.Damage) bool { return d.Queue != "" })
	a.done = append(a.done, "forget-damage")
	return n - len(a.Status.Damage), nil
}

// Explain implements control.Accounting. It returns the Explained of the session's ID.
func (a *Accounting) Explain(_ context.Context, id sessions.ID, _ *sessions.Session) (api.Explanation, error) {
	out, ok := a.Explained[id.String()]
	if !ok {
		return api.Explanation{}, fmt.Errorf("session %s: %w", id, control.ErrNothingToExplain)
	}
	return out, nil
}

// ExplainRecord implements control.Accounting. It returns the Explained of the name, with session 1.
func (a *Accounting) ExplainRecord(_ context.Context, name api.RecordName) (api.Explanation, sessions.ID, error) {
	out, ok := a.Explained[name.String()]
	if !ok {
		return api.Explanation{}, 0, fmt.Errorf("record %s: %w", name, control.ErrNotWaiting)
	}
	return out, 1, nil
}

// Decision implements control.Accounting. The text of a route is the name of its list, which is
// start-stop by local.
func (a *Accounting) Decision(route *sessions.Route) api.Decision {
	if route == nil {
		return api.Decision{Methods: []string{}}
	}
	return api.Decision{Accounted: true, List: route.String(), Record: "start-stop", Methods: []string{"local"}}
}

// remove removes records, for the request with this name. keep reports records that cannot be
// removed.
func (a *Accounting) remove(name string, seqs []uint64, all bool, keep func(api.SetAside) bool) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	line := name
	for _, seq := range seqs {
		i := a.find(seq)
		if i < 0 {
			return 0, fmt.Errorf("record %d: %w", seq, control.ErrNoRecord)
		}
		if keep(a.Aside[i]) {
			return 0, fmt.Errorf("record %d: %w", seq, control.ErrDamaged)
		}
		line += fmt.Sprint(" ", seq)
	}
	if all {
		line += " all"
	}
	a.done = append(a.done, line)
	n, limit := 0, cmp.Or(a.Full, len(a.Aside))
	a.Aside = slices.DeleteFunc(a.Aside, func(r api.SetAside) bool {
		if n == limit || keep(r) || !all && !slices.Contains(seqs, r.Seq) {
			return false
		}
		n++
		return true
	})
	if n == a.Full && n > 0 {
		return n, ErrDisk
	}
	return n, nil
}

// Reroute implements control.Accounting.
func (a *Accounting) Reroute(queue, list string) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ok := slices.Contains(a.Lists, list)
	i := slices.IndexFunc(a.Status.Queues, func(q api.Queue) bool { return q.Queue == queue })
	switch {
	case i < 0:
		return 0, fmt.Errorf("queue %q: %w", queue, control.ErrNoQueue)
	case !ok:
		return 0, fmt.Errorf("list %q: %w", list, control.ErrNoList)
	case a.Status.Queues[i].Configured:
		return 0, fmt.Errorf("queue %q: %w", queue, control.ErrConfigured)
	}
	q := &a.Status.Queues[i]
	q.Rerouted, q.Lost = list, false
	a.done = append(a.done, fmt.Sprintf("reroute %s %s", queue, list))
	return int(q.Records), nil
}
