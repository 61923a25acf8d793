package main

import (
	"context"
	"time"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/internal/retry"
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
// at the same time, and to one server after the other. The servers of the next methods follow.
func (d *daemon) offTime() (longest time.Duration) {
	statuses, round := d.methods.Statuses(), map[accounting.MethodName]time.Duration{}
	for _, s := range statuses {
		add := func(schedule retry.Schedule) {
			round[s.Spec.Name()] += schedule.Timeout * time.Duration(1+schedule.Retransmit)
		}
		switch spec := s.Spec.(type) {
		case *acctradius.Spec:
			for _, server := range spec.Servers {
				add(server.Schedule)
			}
		case *accttacacs.Spec:
			for _, server := range spec.Servers {
				add(server.Schedule)
			}
		}
	}
	for _, s := range statuses {
		if s.OnOff == nil {
			continue
		}
		all := round[s.Spec.Name()]
		for _, name := range s.Next {
			all += round[name]
		}
		longest = max(longest, all)
	}
	return longest
}
