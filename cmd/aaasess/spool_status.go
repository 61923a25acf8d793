package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/internal/control"
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
  IN-FLIGHT    records that wait for an answer now
  DELIVERED    records that were delivered since the daemon started
  SUPERSEDED   interims that were dropped as a later record of the session says more;
               never a start or a stop
  SET-ASIDE    records that were set aside: refused, damaged, or never answered while
               others were
  REFUSED      those of them that were refused
  NO-RESPONSE  times that all transmissions of a record were over without an answer
  STATE        up, or:
                 down FOR, next probe in T  nobody answers; one record is tried at a time
                 held            nothing is sent before the Accounting-On is answered
                 away            nobody answers the Accounting-On: records go to their next
                                 method
                 draining        a backlog is being sent, at the drain rate of the group
                 no method       the configuration has no method for this queue any more:
                                 the records wait until it has one again. (One that a reload
                                 took away still sends what is left, until the daemon ends.)
                                 "aaasess spool reroute" moves them
                 damaged         records could not be read on the disk and are lost; the rest
                                 is delivered

damaged, if anything is, says which records and since when; the exit code is 6 until "aaasess
spool forget-damage". If it is the state that is damaged, the daemon lacks nothing now, but
its next start refuses to go on without what is lost, unless it has --accept-loss.

"aaasess spool list" has the records that are set aside. In JSON, a queue without a method has
"configured": false.`

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
			if n := withoutMethod(status.Queues); err == nil && n > 0 && !g.json {
				_, err = fmt.Fprintf(g.err, "%s without a method: see \"aaasess spool reroute --help\"\n", count(n, "queue"))
			}
			if err == nil && len(status.Damage) > 0 {
				err = errDamaged
			}
			return err
		},
	}
}

// withoutMethod is how many queues have no method that is configured.
func withoutMethod(queues []control.Queue) (n int) {
	for i := range queues {
		if !queues[i].Configured {
			n++
		}
	}
	return n
}

func printSpool(w io.Writer, status *control.SpoolStatus, now time.Time) error {
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
		for _, n := range []uint64{q.Delivered, q.Superseded, q.SetAside, q.Refused, q.NoResponse} {
			cells = append(cells, strconv.FormatUint(n, 10))
		}
		damaged := slices.ContainsFunc(status.Damage, func(d control.Damage) bool { return d.Queue == q.Queue })
		if err := t.row(append(cells, queueState(q, damaged, now))...); err != nil {
			return err
		}
	}
	return t.flush()
}

func diskLines(status *control.SpoolStatus) []statusLine {
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
func damageText(d *control.Damage) string {
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
func queueState(q *control.Queue, damaged bool, now time.Time) string {
	var parts []string
	if damaged {
		parts = append(parts, "damaged")
	}
	if !q.Configured {
		parts = append(parts, "no method")
	}
	if q.Hold == control.HoldHeld || q.Hold == control.HoldAway {
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
