package methods

import (
	"cmp"
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
	spec     accounting.Spec   // guarded by Set.mu once it runs
	about    *accounting.OnOff // of spec
	servers  []string          // Hosts of spec
	onOff    *onoff.Sender     // nil: it sends none
	since    time.Time         // when it started
	replaced chan struct{}     // closed when it is replaced or removed
	shared   bool              // its method was opened for the instance before
	tookOver bool              // it continues the Accounting-On of the instance before
	// formerNext has the next methods that its Off goes to once it is replaced, guarded by Set.mu.
	formerNext []accounting.MethodName
	hosts      hostChange      // set by start, before the instances run or are replaced
	senders    context.Context // of its Senders
	// endSender and endMethod end what runs. An instance that takes the method over has endMethod.
	endSender, endMethod context.CancelFunc
}

// open opens a method.
func (s *Set) open(spec accounting.Spec) (*instance, error) {
	name := spec.Name()
	opened, err := spec.Open(func() { s.delivery.Answered(name) }, s.log)
	if err != nil {
		return nil, err
	}
	in := newInstance(opened, spec)
	if err := s.addSender(in); err != nil {
		in.discard()
		return nil, err
	}
	return in, nil
}

func newInstance(opened *accounting.Opened, spec accounting.Spec) *instance {
	return &instance{Opened: opened, name: spec.Name(), spec: spec, about: spec.OnOff(), servers: spec.Hosts(), replaced: make(chan struct{})}
}

// addSender adds the Sender of an instance whose Spec has one.
func (s *Set) addSender(in *instance) (err error) {
	switch {
	case in.about == nil:
		return nil
	case in.Announce == nil:
		return fmt.Errorf("%w: the transport of method %q cannot send Accounting-On and -Off", ErrConfig, string(in.name))
	}
	in.onOff, err = onoff.New(onoff.Config{
		Group: cmp.Or(in.name.Group(), string(in.name)), AcctOnOffGroup: in.about.Controls, Blocks: in.about.Blocks, Attributes: in.about.Attributes,
		Logger: s.log, Changed: func(onoff.Status) { s.updateHolds() },
	}, s.announcer(in))
	return err
}

// String names the method for a log.
func (in *instance) String() string { return "accounting method " + string(in.name) }

// discard closes an instance that will not run.
func (in *instance) discard() {
	if in.shared {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = in.Run(ctx)
}

// run runs an instance, in place of old unless that is nil, until its stop is called. The end of ctx
// does not end it. The caller holds the lock.
func (s *Set) run(ctx context.Context, in, old *instance) {
	ctx = context.WithoutCancel(ctx)
	in.since = time.Now()
	s.runMethod(ctx, in, old)
	in.senders, in.endSender = context.WithCancel(ctx)
	if in.onOff != nil {
		s.tasks.Go(func() { s.report(in.onOff, in.onOff.Run(in.senders)) })
	}
}

// stop ends an instance.
func (in *instance) stop() {
	in.endSender()
	in.endMethod()
}

// sendOn requests the Accounting-On.
func (s *Set) sendOn(in *instance, trigger onoff.Trigger) {
	switch {
	case in.onOff == nil || in.about.OnlyOff:
	case in.tookOver && in.onOff.Status().State != onoff.Unknown:
	case trigger == onoff.TriggerStartUp && s.isSuppressed(in.name):
		in.onOff.Continue()
	default:
		in.onOff.On(trigger)
	}
}

// sendOff sends the Accounting-Off of an instance, and waits until a server answers or no server has
// answered.
func (s *Set) sendOff(in *instance, trigger onoff.Trigger) {
	if in.onOff == nil || s.store.Err() != nil {
		return
	}
	if trigger == onoff.TriggerShutDown && s.isSuppressed(in.name) {
		s.log.Info("Accounting-Off not sent: sessions go on over the restart", "method", string(in.name))
		return
	}
	if in.Abandon != nil {
		in.Abandon() // no record may follow the Off
	}
	s.awaitOff(in.onOff, trigger)
}

// awaitOff sends an Accounting-Off, and waits until it is answered or its schedule is over. It sends
// none after the store has failed, because NASes wait for the next daemon.
func (s *Set) awaitOff(sender *onoff.Sender, trigger onoff.Trigger) {
	if s.store.Err() != nil {
		return
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
	_ = sender.Off(ctx, trigger, 0) // the Sender logs the result, and nothing depends on it
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
	s.blocks.Store(&blocks)
	for name := range s.running {
		hold := delivery.Open
		b := blocks[name.Group()] // "" is the method local
		if first := s.firstBefore(name); first != "" {
			status, runs := statuses[first.Group()]
			if b = status.Block; !runs {
				b = onoff.Block{Blocked: true}
			}
		}
		switch {
		case b.Blocked && b.NoResponse:
			hold = delivery.Away
		case b.Blocked:
			hold = delivery.Held
		}
		s.delivery.SetHold(name, hold)
	}
}
