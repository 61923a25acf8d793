package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
)

const showSpoolHelp = `Show the records that wait for accounting servers, and the disk that they are on.

Of the disk: size is what the daemon's files take and may take, free what is free and has to
be left (octets; k, M, G are powers of 1000). accepting is yes, or why new events are refused
now: NASes then get no answer and send again, so that nothing is lost. warning is what runs
short before that.

  QUEUE        "group/" and the name of a server group, or local, the file of JSON lines
  RECORDS      records that wait
  BYTES        octets that they take; - if that is not known
  OLDEST       how long ago the event of the oldest of them happened
  IN-FLIGHT    records that the method has now and has not answered, of whatever queue
  DELIVERED    records that the method took since the daemon started, of whatever queue
  ELSEWHERE    records of this queue that another method of their list took since then
  SUPERSEDED   interims that were dropped as a later record of the session says more;
               never a start or a stop
  SET-ASIDE    records that were set aside: refused, damaged, or never answered while
               others were
  REFUSED      those of them that were refused
  NO-RESPONSE  times that the method did not answer a record, of whatever queue
  STATE        up, or:
                 down FOR, next probe in T  nobody answers; one record is tried at a time
                 held            nothing is sent before the Accounting-On is answered
                 away            nobody answers the Accounting-On: records go to their next
                                 method
                 draining        a backlog is being sent, at the drain rate of the group
                 not configured  the method is not in the configuration any more. One that a
                                 reload removed still delivers as long as live sessions or
                                 records name it, or the daemon ends; otherwise the records
                                 go to the next methods of their lists
                 by LIST         the same, and the records go by this method list, as "aaasess
                                 spool reroute" said
                 no method       none of the methods of some records is there any more: they
                                 wait until one is configured again. "aaasess spool reroute"
                                 gives them another list
                 damaged         records could not be read on the disk and are lost; the rest
                                 is delivered

damaged, if anything is, says which records and since when; the exit code is 6 until "aaasess
spool forget-damage". If it is the state that is damaged, the daemon lacks nothing now, but
its next start refuses to go on without what is lost, unless it has --accept-loss.

"aaasess spool list" has the records that are set aside. In JSON, a queue with the state "no method"
has "lost": true.`

func newShowSpool(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "spool",
		Short: "Show the records that wait for accounting servers",
		Long:  showSpoolHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := g.client().Spool(cmd.Context())
			if err != nil {
				return err
			}
			if g.json {
				err = g.printJSON(status)
			} else {
				err = printSpool(g.out, status, time.Now())
			}
			if n := lostQueues(status.Queues); err == nil && n > 0 && !g.json {
				_, err = fmt.Fprintf(g.err, "%s without a method: see \"aaasess spool reroute --help\"\n", count(n, "queue"))
			}
			if err == nil && len(status.Damage) > 0 {
				err = errDamaged
			}
			return err
		},
	}
}

// lostQueues is how many queues have records that no method takes.
func lostQueues(queues []api.Queue) (n int) {
	for i := range queues {
		if queues[i].Lost {
			n++
		}
	}
	return n
}

func printSpool(w io.Writer, status *api.SpoolStatus, now time.Time) error {
	if err := printLines(w, diskLines(status)); err != nil || len(status.Queues) == 0 {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	t := newTable(w, []column{
		{title: "QUEUE"},
		{title: "RECORDS", right: true},
		{title: "BYTES", right: true},
		{title: "OLDEST", right: true},
		{title: "IN-FLIGHT", right: true},
		{title: "DELIVERED", right: true},
		{title: "ELSEWHERE", right: true},
		{title: "SUPERSEDED", right: true},
		{title: "SET-ASIDE", right: true},
		{title: "REFUSED", right: true},
		{title: "NO-RESPONSE", right: true},
		{title: "STATE"},
	})
	for i := range status.Queues {
		q := &status.Queues[i]
		size, oldest := "", ""
		if q.Bytes != nil {
			size = amount(*q.Bytes)
		}
		if !q.Oldest.IsZero() {
			oldest = span(now.Sub(q.Oldest))
		}
		cells := []string{q.Queue, strconv.FormatUint(q.Records, 10), size, oldest, strconv.Itoa(q.InFlight)}
		for _, n := range []uint64{q.Delivered, q.Elsewhere, q.Superseded, q.SetAside, q.Refused, q.NoResponse} {
			cells = append(cells, strconv.FormatUint(n, 10))
		}
		damaged := slices.ContainsFunc(status.Damage, func(d api.Damage) bool { return d.Queue == q.Queue })
		if err := t.row(append(cells, queueState(q, damaged, now))...); err != nil {
			return err
		}
	}
	return t.flush()
}

func diskLines(status *api.SpoolStatus) []statusLine {
	disk := &status.Disk
	size := amount(uint64(max(0, disk.Size)))
	if disk.MaxSize > 0 {
		size += ", at most " + amount(uint64(disk.MaxSize))
	}
	free := "not known"
	if disk.Free >= 0 {
		free = amount(uint64(disk.Free))
	}
	if disk.MinFree > 0 {
		free += ", at least " + amount(uint64(disk.MinFree))
	}
	aside := "records"
	if status.SetAside == 1 {
		aside = "record"
	}
	lines := []statusLine{
		{0, "disk", ""},
		{1, "folder", disk.Folder},
		{1, "size", size},
		{1, "free", free},
		{1, "accepting", disk.Accepting},
		{1, "warning", orElse(disk.Warning, "none")},
		{0, "set aside", strconv.FormatUint(status.SetAside, 10) + " " + aside},
	}
	for i := range status.Damage {
		lines = append(lines, statusLine{0, "damaged", damageText(&status.Damage[i])})
	}
	return lines
}

// damageText says in words what is lost.
func damageText(d *api.Damage) string {
	at := d.At.Local().Format(time.DateTime)
	switch {
	case d.Queue == "" && d.Records < 0:
		return fmt.Sprintf("state, lost with the next start, since %s: %s", at, d.Reason)
	case d.Queue == "":
		return fmt.Sprintf("at most %d keys of the state, lost with the next start, since %s: %s", d.Records, at, d.Reason)
	case d.Records == 1:
		return fmt.Sprintf("1 record of %s, number %d, could not be read since %s: %s", d.Queue, d.First, at, d.Reason)
	}
	return fmt.Sprintf("%d records of %s, numbers %d to %d, could not be read since %s: %s", d.Records, d.Queue, d.First, d.Last, at, d.Reason)
}

// queueState says in words how a queue is.
func queueState(q *api.Queue, damaged bool, now time.Time) string {
	var parts []string
	if damaged {
		parts = append(parts, "damaged")
	}
	switch {
	case q.Lost:
		parts = append(parts, "no method")
	case !q.Configured && q.Rerouted == "":
		parts = append(parts, "not configured")
	}
	if q.Rerouted != "" {
		parts = append(parts, "by "+q.Rerouted)
	}
	if q.Hold == api.HoldHeld || q.Hold == api.HoldAway {
		parts = append(parts, string(q.Hold))
	}
	if !q.DownSince.IsZero() {
		parts = append(parts, "down "+span(now.Sub(q.DownSince)))
	}
	if !q.NextProbe.IsZero() {
		parts = append(parts, "next probe in "+span(q.NextProbe.Sub(now)))
	}
	if q.Draining {
		parts = append(parts, "draining")
	}
	return orElse(strings.Join(parts, ", "), "up")
}
