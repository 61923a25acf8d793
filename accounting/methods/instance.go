package methods

import (
	"context"
	"fmt"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
)

// instance is an opened method, with the Accounting-On and -Off of its servers.
type instance struct {
	*accounting.Opened
	name     accounting.MethodName
	spec     accounting.Spec // guarded by Set.mu once it runs
	onOff    *onoff.Sender   // nil: it sends none
	since    time.Time       // when it started
	replaced chan struct{}   // closed when it is replaced or removed
	stop     context.CancelFunc
}

// open opens a method.
func (s *Set) open(spec accounting.Spec) (*instance, error) {
	name := spec.Name()
	opened, err := spec.Open(func() { s.delivery.Answered(name) }, s.log)
	if err != nil {
		return nil, err
	}
	in := &instance{Opened: opened, name: name, spec: spec, replaced: make(chan struct{})}
	about := spec.OnOff()
	switch {
	case about == nil:
		return in, nil
	case name.Group() == "":
		err = fmt.Errorf("%w: method %q is not a server group, so it cannot send Accounting-On and -Off", ErrConfig, string(name))
	case opened.Announce == nil:
		err = fmt.Errorf("%w: the transport of method %q cannot send Accounting-On and -Off", ErrConfig, string(name))
	default:
		in.onOff, err = onoff.New(onoff.Config{
			Group: name.Group(), AcctOnOffGroup: about.Controls, Blocks: about.Blocks, Attributes: about.Attributes,
			Logger: s.log, Changed: func(onoff.Status) { s.updateHolds() },
		}, opened.Announce)
	}
	if err != nil {
		in.discard()
		return nil, err
	}
	return in, nil
}

// String names the method for a log.
func (in *instance) String() string { return "accounting method " + string(in.name) }

// discard closes an instance that will not run.
func (in *instance) discard() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = in.Run(ctx)
}

// run runs an instance until its stop is called. The end of ctx does not end it. The caller holds
// the lock.
func (s *Set) run(ctx context.Context, in *instance) {
	ctx, in.stop = context.WithCancel(context.WithoutCancel(ctx))
	in.since = time.Now()
	s.tasks.Go(func() { s.report(in, in.Run(ctx)) })
	if in.onOff != nil {
		s.tasks.Go(func() { s.report(in.onOff, in.onOff.Run(ctx)) })
	}
}

// sendOn requests the Accounting-On.
func (in *instance) sendOn(trigger onoff.Trigger) {
	if in.onOff != nil {
		in.onOff.On(trigger)
	}
}

// sendOff sends the Accounting-Off, and waits until a server answers or no server has answered. It
// sends none after the store has failed, because NASes wait for the next daemon.
func (s *Set) sendOff(in *instance, trigger onoff.Trigger) {
	if in.onOff == nil || s.store.Err() != nil {
		return
	}
	if in.Abandon != nil {
		in.Abandon() // no record may follow the Off
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.store.Failed():
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = in.onOff.Off(ctx, trigger, 0) // the Sender logs the result, and nothing depends on it
}

func (s *Set) updateHolds() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updateHoldsLocked()
}

// updateHoldsLocked tells the delivery which methods' records wait for an Accounting-On. The caller
// holds the lock.
func (s *Set) updateHoldsLocked() {
	statuses := map[string]onoff.Status{}
	for name, m := range s.running {
		if m.onOff != nil {
			statuses[name.Group()] = m.onOff.Status()
		}
	}
	blocks := s.config.OnOffGroups.Blocks(statuses)
	for _, g := range s.config.OnOffGroups {
		if _, runs := statuses[g.Controller]; !runs { // the controller does not run yet
			for _, name := range g.Monitors {
				blocks[name] = onoff.Block{Blocked: true}
			}
		}
	}
	for name := range s.running {
		hold := delivery.Open
		switch b := blocks[name.Group()]; {
		case b.Blocked && b.NoResponse:
			hold = delivery.Away
		case b.Blocked:
			hold = delivery.Held
		}
		s.delivery.SetHold(name, hold)
	}
}
