package main

import (
	"errors"
	"fmt"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/methods"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/store"
)

// commands is what the command line asks of accounting: control.Accounting.
type commands struct {
	methods *methods.Set
	store   *store.Store
	folder  string // of the store
	spool   *accounting.Spool
	names   func() *radius.Dictionary
}

// Spool is how the queues and their disk are.
func (d *commands) Spool() api.SpoolStatus {
	space := d.store.Space()
	disk := api.Disk{
		Folder: d.folder, Size: space.Size, MaxSize: space.MaxSize, Free: space.Free, MinFree: space.MinFree, Accepting: "yes",
	}
	if space.Warning {
		disk.Warning = "disk space runs short"
	}
	if space.Accepting != nil {
		disk.Accepting = space.Accepting.Error()
	}
	queues := spoolQueues(d.methods)
	if sizes, err := d.store.QueueSizes(); err == nil { // else they are not known
		for _, size := range sizes {
			for i := range queues {
				if queues[i].Queue == size.Name {
					queues[i].Bytes = &size.Bytes
				}
			}
		}
	}
	status := api.SpoolStatus{Disk: disk, Queues: queues, SetAside: d.spool.Len()}
	for _, lost := range d.store.Damage() {
		status.Damage = append(status.Damage, api.Damage{
			Queue: lost.Queue, First: lost.First, Last: lost.Last, Records: lost.Records, At: lost.At, Reason: lost.Reason,
		})
	}
	return status
}

var holds = map[delivery.Hold]api.Hold{
	delivery.Open: api.HoldOpen, delivery.Held: api.HoldHeld, delivery.Away: api.HoldAway,
}

// spoolQueues are the queues of the methods that are configured, and of others that have records.
func spoolQueues(set *methods.Set) []api.Queue {
	all := set.Queues()
	out := make([]api.Queue, len(all))
	for i, q := range all {
		m := q.Method
		out[i] = api.Queue{
			Queue: q.Queue, Configured: q.Configured, Lost: q.Lost, Rerouted: q.Rerouted,
			Records: q.Pending, Oldest: q.Oldest.UTC(), InFlight: m.InFlight,
			Delivered: m.Delivered, Elsewhere: q.Elsewhere, Superseded: q.Superseded, SetAside: q.Refused + q.SetAside, Refused: q.Refused,
			NoResponse: m.NoResponse, DownSince: m.DownSince.UTC(), NextProbe: m.NextProbe.UTC(), Hold: holds[m.Hold], Draining: m.Draining,
		}
	}
	return out
}

// Reroute has the records of a queue go by a list.
func (d *commands) Reroute(queue, list string) (int, error) {
	n, err := d.methods.Reroute(queue, list)
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

// ForgetDamage forgets the records that could not be read.
func (d *commands) ForgetDamage() (int, error) { return d.store.ForgetDamage() }

// SetAside lists records that are set aside.
func (d *commands) SetAside(after uint64, limit int) ([]api.SetAside, error) {
	list, err := d.spool.List(after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]api.SetAside, len(list))
	for i := range list {
		out[i] = setAside(&list[i])
	}
	return out, nil
}

// SetAsideRecord is one of them with its attributes.
func (d *commands) SetAsideRecord(seq uint64) (api.SetAside, error) {
	a, err := d.spool.Get(seq)
	if err != nil {
		return api.SetAside{}, recordError(seq, err)
	}
	out := setAside(&a)
	if a.Record == nil {
		out.Raw = fmt.Sprintf("%x", a.Data)
		return out, nil
	}
	for p := range d.names().Print(a.Record.Attrs) {
		out.Attributes = append(out.Attributes, api.Attribute{Name: p.Name, Value: p.Text})
	}
	return out, nil
}

func setAside(a *accounting.SetAside) api.SetAside {
	out := api.SetAside{Seq: a.Seq, From: a.From, At: a.At.UTC(), Reason: a.Reason}
	if r := a.Record; r != nil {
		out.Session, out.Type, out.List = r.SessionName(), r.TypeName(), r.List
		out.User = r.Attrs.Text(radius.UserName)
	}
	return out
}

// errNoMethod is returned for a record that nobody would deliver.
var errNoMethod = errors.New("its method is not configured")

// replayable is nil if a record can be put back into its queue, and will be delivered from there.
func (d *commands) replayable(a *accounting.SetAside) error {
	if a.Damage == nil && !d.methods.Delivers(a.From, a.Record.Next) {
		return fmt.Errorf("record %d of %s: %w", a.Seq, a.From, errNoMethod)
	}
	return a.Damage
}

// Replay puts records back into their queues.
func (d *commands) Replay(seqs []uint64, all bool) (int, error) {
	if all {
		return d.each(d.spool.Replay, d.replayable)
	}
	for _, seq := range seqs { // all or none
		a, err := d.spool.Get(seq)
		if err == nil {
			err = d.replayable(&a)
		}
		if err != nil {
			return 0, recordError(seq, err)
		}
	}
	return inParts(seqs, d.spool.Replay)
}

// Drop forgets records.
func (d *commands) Drop(seqs []uint64, all bool) (int, error) {
	if all {
		return d.each(d.spool.Drop, func(*accounting.SetAside) error { return nil })
	}
	for _, seq := range seqs {
		if _, err := d.spool.Get(seq); err != nil {
			return 0, recordError(seq, err)
		}
	}
	return inParts(seqs, d.spool.Drop)
}

// each does something with all records that are there now and fit; the others stay, and are no error.
func (d *commands) each(do func(...uint64) (int, error), fit func(*accounting.SetAside) error) (total int, err error) {
	left := d.spool.Len() // what comes meanwhile nobody has seen yet
	for after := uint64(0); left > 0; {
		list, err := d.spool.List(after, int(min(left, accounting.SpoolLimit)))
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
		if err != nil && !errors.Is(err, accounting.ErrNotSetAside) { // another call was faster
			return total, err
		}
		left -= uint64(len(list))
		after = list[len(list)-1].Seq
	}
	return total, nil
}

// inParts does something with these records, as many at once as may be.
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

// recordError is why nothing can be done with a record, in the words that control answers by.
func recordError(seq uint64, err error) error {
	switch {
	case errors.Is(err, accounting.ErrDamaged):
		return fmt.Errorf("%w: %d", control.ErrDamaged, seq)
	case errors.Is(err, accounting.ErrNotSetAside):
		return fmt.Errorf("%w: %d", control.ErrNoRecord, seq)
	}
	return err
}
