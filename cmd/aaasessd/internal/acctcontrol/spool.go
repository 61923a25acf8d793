package acctcontrol

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/methods"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/internal/servers"
)

// Spool implements control.Accounting.
func (c *Accounting) Spool() api.SpoolStatus {
	space := c.cfg.Store.Space()
	disk := api.Disk{
		Folder: c.cfg.Folder, Size: space.Size, MaxSize: space.MaxSize, Free: space.Free, MinFree: space.MinFree, Accepting: "yes",
		WarnFree: space.WarnFree, WarnSize: space.WarnSize, AcceptFree: space.AcceptFree, AcceptSize: space.AcceptSize,
	}
	if space.Warning {
		disk.Warning = "store is running out of space"
	}
	if space.Accepting != nil {
		disk.Accepting = space.Accepting.Error()
	}
	queues := Queues(c.cfg.Methods)
	if sizes, err := c.cfg.Store.QueueSizes(); err == nil { // else the sizes are unknown
		bytes := map[string]uint64{} // a queue that never had a record has 0
		for _, size := range sizes {
			bytes[size.Name] = size.Bytes
		}
		for i := range queues {
			n := bytes[queues[i].Queue]
			queues[i].Bytes = &n
		}
	}
	status := api.SpoolStatus{Disk: disk, Queues: queues, SetAside: c.spool.Len()}
	for _, lost := range c.cfg.Store.Damage() {
		status.Damage = append(status.Damage, api.Damage{
			Queue: lost.Queue, First: lost.First, Last: lost.Last, Records: lost.Records, At: lost.At, Reason: lost.Reason,
		})
	}
	return status
}

var holds = map[delivery.Hold]api.Hold{
	delivery.Open: api.HoldOpen, delivery.Held: api.HoldHeld, delivery.Away: api.HoldAway,
}

// Queues returns the queues of the configured methods, and all other queues that have records.
func Queues(set *methods.Set) []api.Queue {
	all, statuses := set.Queues(), map[accounting.MethodName]*methods.Status{}
	for _, s := range set.Statuses() {
		statuses[s.Spec.Name()] = &s
	}
	out := make([]api.Queue, len(all))
	for i, q := range all {
		m := q.Method
		out[i] = api.Queue{
			Queue: q.Queue, Configured: q.Configured, Lost: q.Lost, Rerouted: q.Rerouted,
			Records: q.Pending, Oldest: q.Oldest.UTC(), InFlight: m.InFlight,
			Delivered: m.Delivered, Elsewhere: q.Elsewhere, Superseded: q.Superseded, SetAside: q.Refused + q.SetAside, Refused: q.Refused,
			NoResponse: m.NoResponse, OperState: queueState(m, statuses[m.Method]), DownSince: m.DownSince.UTC(), NextProbe: m.NextProbe.UTC(), Hold: holds[m.Hold], Draining: m.Draining,
		}
		if q.Pending == 0 { // the probe that the method may have waiting is not of this queue
			out[i].NextProbe = time.Time{}
		}
	}
	return out
}

// queueState returns the OperState of a queue; s is nil if its method does not run. A method that is not down may be up or unknown: it
// counts as down only when it has left records unanswered. The file needs no answer.
func queueState(m delivery.MethodStats, s *methods.Status) string {
	switch {
	case !m.DownSince.IsZero():
		return "down"
	case s == nil:
		return "unknown"
	}
	g, ok := serverGroup(*s)
	isUp := func(server api.GroupServer) bool { return server.OperState == operState(servers.Up) }
	if !ok || slices.ContainsFunc(g.Servers, isUp) {
		return "up"
	}
	return "unknown"
}

// Reroute implements control.Accounting.
func (c *Accounting) Reroute(queue, list string) (int, error) {
	n, err := c.cfg.Methods.Reroute(queue, list)
	switch {
	case errors.Is(err, methods.ErrNoQueue):
		err = fmt.Errorf("queue %q: %w", queue, control.ErrNoQueue)
	case errors.Is(err, methods.ErrNoList):
		err = fmt.Errorf("list %q: %w", list, control.ErrNoList)
	case errors.Is(err, methods.ErrConfigured):
		err = fmt.Errorf("queue %q: %w", queue, control.ErrConfigured)
	}
	return n, err
}

// ForgetDamage implements control.Accounting.
func (c *Accounting) ForgetDamage() (int, error) { return c.cfg.Store.ForgetDamage() }

// SetAside implements control.Accounting.
func (c *Accounting) SetAside(after uint64, limit int) ([]api.SetAside, error) {
	list, err := c.spool.List(after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]api.SetAside, len(list))
	for i := range list {
		out[i] = setAside(&list[i])
	}
	return out, nil
}

// SetAsideRecord implements control.Accounting.
func (c *Accounting) SetAsideRecord(seq uint64) (api.SetAside, error) {
	a, err := c.spool.Get(seq)
	if err != nil {
		return api.SetAside{}, recordError(seq, err)
	}
	out := setAside(&a)
	if a.Record == nil {
		out.Raw = fmt.Sprintf("%x", a.Data)
		return out, nil
	}
	for p := range c.cfg.Names().Print(a.Record.Attrs) {
		out.Attributes = append(out.Attributes, api.Attribute{Name: p.Name, Value: p.Text})
	}
	return out, nil
}

func setAside(a *accounting.SetAside) api.SetAside {
	out := api.SetAside{Seq: a.Seq, From: a.From, At: a.At.UTC(), Reason: a.Reason}
	if r := a.Record; r != nil {
		out.Session, out.Type, out.Resync, out.List = r.SessionText(), r.TypeName(), r.Resync, r.List
		out.User = r.Attrs.Text(radius.UserName)
	}
	return out
}

// errNoMethod is returned when a record cannot be replayed because none of its methods is
// configured.
var errNoMethod = errors.New("none of its methods is configured")

// replayable returns nil if a record can be put back into its queue and is delivered from there.
func (c *Accounting) replayable(a *accounting.SetAside) error {
	if a.Damage == nil && !c.cfg.Methods.Delivers(a.From, a.Record.Next) {
		return fmt.Errorf("record %d of %s: %w", a.Seq, a.From, errNoMethod)
	}
	return a.Damage
}

// Replay implements control.Accounting.
func (c *Accounting) Replay(seqs []uint64, all bool) (int, error) {
	if all {
		return c.each(c.spool.Replay, c.replayable)
	}
	for _, seq := range seqs { // all or none
		a, err := c.spool.Get(seq)
		if err == nil {
			err = c.replayable(&a)
		}
		if err != nil {
			return 0, recordError(seq, err)
		}
	}
	return inParts(seqs, c.spool.Replay)
}

// Drop implements control.Accounting.
func (c *Accounting) Drop(seqs []uint64, all bool) (int, error) {
	if all {
		return c.each(c.spool.Drop, func(*accounting.SetAside) error { return nil })
	}
	for _, seq := range seqs {
		if _, err := c.spool.Get(seq); err != nil {
			return 0, recordError(seq, err)
		}
	}
	return inParts(seqs, c.spool.Drop)
}

// each calls do for all records that are set aside now and for which fit returns nil.
func (c *Accounting) each(do func(...uint64) (int, error), fit func(*accounting.SetAside) error) (total int, err error) {
	left := c.spool.Len() // not the records that are set aside meanwhile: the operator has not seen them
	for after := uint64(0); left > 0; {
		list, err := c.spool.List(after, int(min(left, accounting.SpoolLimit)))
		if err != nil || len(list) == 0 {
			return total, err
		}
		var seqs []uint64
		for i := range list {
			if fit(&list[i]) == nil {
				seqs = append(seqs, list[i].Seq)
			}
		}
		n, err := do(seqs...)
		total += n
		// ErrNotSetAside: another request has changed the record first.
		if err != nil && !errors.Is(err, accounting.ErrNotSetAside) {
			return total, err
		}
		left -= uint64(len(list))
		after = list[len(list)-1].Seq
	}
	return total, nil
}

// inParts calls do with parts of the records, of at most accounting.SpoolLimit each.
func inParts(seqs []uint64, do func(...uint64) (int, error)) (total int, err error) {
	for len(seqs) > 0 && err == nil {
		part := seqs[:min(len(seqs), accounting.SpoolLimit)]
		seqs = seqs[len(part):]
		var n int
		n, err = do(part...)
		total += n
	}
	return total, err
}

// recordError returns the error of package control for an error about a record.
func recordError(seq uint64, err error) error {
	switch {
	case errors.Is(err, accounting.ErrDamaged):
		return fmt.Errorf("record %d: %w", seq, control.ErrDamaged)
	case errors.Is(err, accounting.ErrNotSetAside):
		return fmt.Errorf("record %d: %w", seq, control.ErrNoRecord)
	}
	return err
}
