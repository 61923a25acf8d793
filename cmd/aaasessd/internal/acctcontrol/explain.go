package acctcontrol

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/policy"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/sessions"
	"aaasess/store"
)

const (
	// explainSearch is the most records of one queue that an explanation searches for those of its
	// session: a quarter of a second.
	explainSearch = 200_000
	// explainRecords is the most records of one queue that an explanation has.
	explainRecords = 100
	// explainWait is how long the delivery may take to say where records are.
	explainWait = 2 * time.Second
)

// Explain implements control.Accounting. One explanation searches at a time; the others wait until
// it is done or their callers are gone.
func (c *Accounting) Explain(ctx context.Context, id sessions.ID, live *sessions.Session) (api.Explanation, error) {
	select {
	case c.searching <- struct{}{}:
		defer func() { <-c.searching }()
	case <-ctx.Done():
		return api.Explanation{}, context.Cause(ctx)
	}
	out := api.Explanation{Methods: []api.ExplainedMethod{}, Records: []api.ExplainedRecord{}, Complete: true}
	var queues []string
	if live != nil {
		made, now := live.Route.String(), c.cfg.Plan().Decide(policy.TypeOf(live.Kind), live)
		out.Decision = decision(made)
		if now.Route != made || made == "" && now.List != "" { // of a list without records, no route is kept
			out.Now = decision(now.Route)
			out.Now.List, out.Now.Reason = now.List, now.Reason
		}
		out.Methods = c.explainMethods(out.Decision.Methods)
		for _, m := range out.Methods {
			queues = append(queues, m.Queue)
		}
	} else { // which queues it used is no longer known
		for _, q := range c.cfg.Store.Queues() {
			if q.Name != accounting.SetAsideQueue {
				queues = append(queues, q.Name)
			}
		}
	}
	for _, queue := range queues {
		records, complete, err := c.waitingOf(ctx, queue, id)
		if err != nil {
			return api.Explanation{}, err
		}
		out.Records, out.Complete = append(out.Records, records...), out.Complete && complete
	}
	aside, complete, err := c.setAsideOf(id)
	if err != nil {
		return api.Explanation{}, err
	}
	out.Records, out.Complete = append(out.Records, aside...), out.Complete && complete
	if live != nil {
		out.Accepted = accepted(c.cfg.Plan(), live.Route.String(), out.Records)
		return out, nil
	}
	if len(out.Records) == 0 {
		return api.Explanation{}, fmt.Errorf("session %s: %w", id, control.ErrNothingToExplain)
	}
	out.Methods = c.explainMethods(methodsOf(out.Records))
	plan := c.cfg.Plan()
	out.Accepted = accepted(plan, plan.ListRoute(out.Records[0].List), out.Records)
	return out, nil
}

// ExplainRecord implements control.Accounting.
func (c *Accounting) ExplainRecord(ctx context.Context, name api.RecordName) (api.Explanation, sessions.ID, error) {
	gone := fmt.Errorf("record %s: %w", name, control.ErrNotWaiting)
	var found api.ExplainedRecord
	var rec *accounting.Record
	if name.Queue == api.SetAsideRecords {
		a, err := c.spool.Get(name.Seq)
		if err != nil {
			return api.Explanation{}, 0, gone
		}
		found, rec = explainSetAside(&a), a.Record
	} else {
		entries, err := c.cfg.Store.Read(name.Queue, name.Seq, 1, nil)
		switch {
		case err != nil:
			return api.Explanation{}, 0, err
		case len(entries) == 0 || entries[0].Seq != name.Seq || name.Queue == accounting.SetAsideQueue:
			return api.Explanation{}, 0, gone
		}
		if rec, err = accounting.ParseRecord(entries[0].Data); err != nil {
			return api.Explanation{}, 0, fmt.Errorf("record %s: %w", name, err)
		}
		places, err := c.places(ctx, name.Queue, rec.InLane())
		if err != nil {
			return api.Explanation{}, 0, err
		}
		found = c.explainWaiting(name, rec, places)
	}
	out := api.Explanation{Records: []api.ExplainedRecord{found}, Complete: true}
	out.Methods = c.explainMethods(methodsOf(out.Records))
	if rec == nil {
		return out, 0, nil
	}
	return out, rec.Number(), nil
}

// Decision implements control.Accounting.
func (c *Accounting) Decision(route *sessions.Route) api.Decision { return *decision(route.String()) }

// decision describes the text of a route.
func decision(route string) *api.Decision {
	out := &api.Decision{Methods: []string{}}
	r, err := accounting.ParseRoute(route)
	if err != nil { // "" for a session without one
		return out
	}
	out.Accounted, out.List, out.Record, out.Reason, out.Broadcast = true, r.List, r.Record.String(), r.Reason, r.Broadcast
	out.InterimsToFirst, out.SuppressNullUsername = r.InterimsToFirst, r.SuppressNullUsername
	out.DelayStart = r.DelayStart.Seconds()
	for _, m := range r.Methods {
		out.Methods = append(out.Methods, string(m))
	}
	return out
}

// methodsOf returns the methods of records, each once.
func methodsOf(records []api.ExplainedRecord) (all []string) {
	for i := range records {
		name, _ := api.ParseRecordName(records[i].Record)
		if name.Queue != api.SetAsideRecords {
			all = append(all, string(accounting.MethodOf(name.Queue)))
		}
		all = append(all, records[i].Next...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(m string) bool {
		twice := seen[m]
		seen[m] = true
		return twice
	})
}

// explainMethods describes the state of methods.
func (c *Accounting) explainMethods(names []string) []api.ExplainedMethod {
	queues, groups := Queues(c.cfg.Methods), c.ServerGroups()
	out := make([]api.ExplainedMethod, 0, len(names))
	for _, name := range names {
		method := accounting.MethodName(name)
		m := api.ExplainedMethod{Method: name, Queue: method.Queue(), State: "removed"}
		if i := slices.IndexFunc(queues, func(q api.Queue) bool { return q.Queue == m.Queue }); i >= 0 {
			q := &queues[i]
			m.Records, m.Rerouted, m.DownSince, m.NextProbe = q.Records, q.Rerouted, q.DownSince, q.NextProbe
			switch {
			case !q.Configured:
			case q.Hold != api.HoldOpen:
				m.State = string(q.Hold)
			default:
				m.State = q.OperState
			}
		}
		for _, g := range groups {
			if g.Name != method.Group() {
				continue
			}
			for _, s := range g.Servers {
				m.Servers = append(m.Servers, api.ExplainedServer{Name: s.Name, Address: s.Address, State: s.OperState})
			}
		}
		out = append(out, m)
	}
	return out
}

// waitingOf returns the records of a session that wait in a queue. complete is false if not all of
// them were looked for.
func (c *Accounting) waitingOf(ctx context.Context, queue string, id sessions.ID) (all []api.ExplainedRecord, complete bool, err error) {
	places := map[sessions.ID][]delivery.Place{} // by lane
	if places[id], err = c.places(ctx, queue, id); err != nil {
		return nil, false, err
	}
	var entries []store.Entry
	searched := 0
	for from := uint64(0); searched < explainSearch && len(all) < explainRecords; {
		if ctx.Err() != nil { // the caller is gone
			return nil, false, context.Cause(ctx)
		}
		if entries, err = c.cfg.Store.Read(queue, from, 2048, entries[:0]); err != nil {
			return nil, false, err
		}
		if len(entries) == 0 {
			return all, true, nil
		}
		for i := range entries {
			h, ok := accounting.PeekRecord(entries[i].Data)
			if !ok || h.Session != id {
				continue
			}
			rec, err := accounting.ParseRecord(entries[i].Data)
			if err != nil || rec.Number() != id {
				continue // damaged, or of no session
			}
			if _, known := places[h.Lane]; !known {
				if places[h.Lane], err = c.places(ctx, queue, h.Lane); err != nil {
					return nil, false, err
				}
			}
			all = append(all, c.explainWaiting(api.RecordName{Queue: queue, Seq: entries[i].Seq}, rec, places[h.Lane]))
		}
		searched += len(entries)
		from = entries[len(entries)-1].Seq + 1
	}
	return all, false, nil
}

// places returns where the delivery has the records of a lane ([accounting.Record.InLane]).
func (c *Accounting) places(ctx context.Context, queue string, id sessions.ID) ([]delivery.Place, error) {
	ctx, cancel := context.WithTimeout(ctx, explainWait)
	defer cancel()
	places, err := c.cfg.Methods.Locate(ctx, queue, id)
	if err != nil {
		return nil, fmt.Errorf("the delivery of records does not answer: %w", err)
	}
	return places, nil
}

var placeStates = map[delivery.PlaceState]string{
	delivery.Ready: "ready", delivery.InFlight: "inFlight", delivery.Behind: "behind", delivery.Retrying: "retrying",
	delivery.NoMethod: "noMethod", delivery.Leaving: "leaving", delivery.NoAddress: "noAddress",
}

// explainWaiting describes a record of a queue.
func (c *Accounting) explainWaiting(name api.RecordName, rec *accounting.Record, places []delivery.Place) api.ExplainedRecord {
	out := explainRecord(name, rec)
	out.State = "unread"
	if first, err := c.cfg.Store.Read(name.Queue, 0, 1, nil); err == nil && len(first) > 0 {
		out.Before = name.Seq - min(name.Seq, first[0].Seq) // some of these may be settled
	}
	for _, p := range places {
		if p.Seq == name.Seq {
			out.State, out.Method, out.NextAt, out.Tries = placeStates[p.State], string(p.Method), p.Next.UTC(), p.Tries
		}
	}
	return out
}

func explainRecord(name api.RecordName, rec *accounting.Record) api.ExplainedRecord {
	out := api.ExplainedRecord{Record: name.String(), Next: []string{}}
	if rec == nil {
		return out
	}
	out.Session, out.Type, out.Resync, out.At, out.List = rec.SessionText(), rec.TypeName(), rec.Resync, rec.At.UTC(), rec.List
	for _, m := range rec.Next {
		out.Next = append(out.Next, string(m))
	}
	return out
}

// setAsideOf returns the records of a session that are set aside.
func (c *Accounting) setAsideOf(id sessions.ID) (all []api.ExplainedRecord, complete bool, err error) {
	searched := 0
	for after := uint64(0); searched < explainSearch && len(all) < explainRecords; {
		list, err := c.spool.List(after, 1000)
		if err != nil {
			return nil, false, err
		}
		if len(list) == 0 {
			return all, true, nil
		}
		for i := range list {
			if r := list[i].Record; r != nil && r.Number() == id {
				all = append(all, explainSetAside(&list[i]))
			}
		}
		searched += len(list)
		after = list[len(list)-1].Seq
	}
	return all, false, nil
}

func explainSetAside(a *accounting.SetAside) api.ExplainedRecord {
	out := explainRecord(api.RecordName{Queue: api.SetAsideRecords, Seq: a.Seq}, a.Record)
	out.State, out.Reason, out.From = "setAside", a.Reason, a.From
	return out
}
