package methods

import (
	"reflect"
	"slices"
	"sync"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
)

// hostChange is what an instance tells single servers when it takes over an Accounting-On from the
// instance before, and when it hands the Accounting-On over to the next one (R52 "host-config").
type hostChange struct {
	added   map[string]*onoff.Sender // servers that get an On from this instance, by host
	removed []string                 // servers that get an Off at its end
	// handedOver: the next instance continues the Accounting-On.
	handedOver bool
}

// canTakeOver reports whether an instance may continue the Accounting-On of the one before: both send
// the same, and at least one server stays. An Off and an On would end the sessions at this server. A
// server of another protocol is another server, also at the same address. The caller holds the lock.
func (in *instance) canTakeOver(old *instance) bool {
	was, is := old.about, in.about
	if was == nil || is == nil || reflect.TypeOf(old.spec) != reflect.TypeOf(in.spec) {
		return false
	}
	a, b := *was, *is
	a.HostConfig, b.HostConfig = false, false
	return reflect.DeepEqual(a, b) && slices.ContainsFunc(in.servers, func(host string) bool { return slices.Contains(old.servers, host) })
}

// handOver makes an instance continue the Accounting-On of the one before, and decides which servers
// are told of the change. The caller holds the lock.
func (s *Set) handOver(old, in *instance) {
	old.hosts.handedOver, in.tookOver = true, true
	in.onOff.TakeOver(old.onOff.Status())
	in.hosts.added = map[string]*onoff.Sender{}
	if !in.about.HostConfig {
		return
	}
	was, is := old.servers, in.servers
	for i, host := range is {
		pending := old.hosts.added[host]
		if !slices.Contains(was, host) || pending != nil && pending.Status().State != onoff.On {
			in.hosts.added[host] = s.hostSender(in, i)
		}
	}
	for _, host := range was {
		if !slices.Contains(is, host) {
			old.hosts.removed = append(old.hosts.removed, host)
		}
	}
}

// hostSender returns a Sender for one server of an instance.
func (s *Set) hostSender(in *instance, server int) *onoff.Sender {
	sender, err := onoff.New(onoff.Config{
		Group: in.name.Group(), Attributes: in.about.Attributes, Logger: s.log.With("host", in.servers[server]),
	}, func(rec *accounting.Record, done func(string, error)) { in.AnnounceTo(server, rec, done) })
	if err != nil {
		panic(err) // the Sender of the instance has the same attributes
	}
	return sender
}

// tellAdded sends each added server its Accounting-On, again and again until it answers or the
// instance ends.
func (s *Set) tellAdded(in *instance) {
	for _, sender := range in.hosts.added {
		s.tasks.Go(func() { s.report(sender, sender.Run(in.senders)) })
		if !in.about.OnlyOff {
			sender.On(onoff.TriggerConfigChange)
		}
	}
}

// tellRemoved sends each server that the next instance lacks its Accounting-Off, and waits until it
// answers or its schedule is over.
func (s *Set) tellRemoved(in *instance) {
	if len(in.hosts.removed) == 0 {
		return
	}
	if in.Abandon != nil {
		in.Abandon() // no record may follow the Off
	}
	var all sync.WaitGroup
	for _, host := range in.hosts.removed {
		sender := in.hosts.added[host] // has sent the On
		if sender == nil {
			sender = s.hostSender(in, slices.Index(in.servers, host))
			s.tasks.Go(func() { s.report(sender, sender.Run(in.senders)) })
		}
		all.Go(func() { s.awaitOff(sender, onoff.TriggerConfigChange) })
	}
	all.Wait()
}
