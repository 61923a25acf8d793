package main

import (
	"context"
	"time"

	acctradius "aaasess/accounting/radius"
)

// verdictEvery is how often the service manager gets the verdict, if it has changed.
const verdictEvery = 10 * time.Second

// managerTasks returns the tasks that tell the service manager, if there is one, how the daemon is.
func (d *daemon) managerTasks() (tasks []task) {
	if d.service.HasManager() {
		tasks = append(tasks, loop{"service manager", readyAtOnce(), d.tellVerdict})
	}
	if w := d.service.Watchdog((&health{daemon: d}).probe); w != nil {
		tasks = append(tasks, loop{"watchdog", readyAtOnce(), w.Run})
	}
	return tasks
}

func (d *daemon) tellVerdict(ctx context.Context) error {
	tick := time.NewTicker(verdictEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			d.service.SetVerdict(d.reasons())
		}
	}
}

// offTime returns how long the Accounting-Offs can take at the end of the daemon: groups send theirs
// at the same time, and to one server after the other.
func (d *daemon) offTime() (longest time.Duration) {
	for _, s := range d.methods.Statuses() {
		spec, ok := s.Spec.(*acctradius.Spec)
		if !ok || s.OnOff == nil {
			continue
		}
		var all time.Duration
		for _, server := range spec.Servers {
			all += server.Schedule.Timeout * time.Duration(1+server.Schedule.Retransmit)
		}
		longest = max(longest, all)
	}
	return longest
}
