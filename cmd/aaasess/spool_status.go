package main

import (
	"cmp"
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

  size       what the files of the daemon use, their limit, and when the daemon warns and
             accepts events again (KiB, MiB, GiB: powers of 1024, as in the configuration)
  free       what is free, and the minimum
  accepting  yes, or why the daemon rejects new events now: it does not answer the NASes,
             which retransmit, so nothing is lost
  warning    none, or why the daemon may soon have to reject events
  set aside  number of set-aside records; "aaasess spool list" lists them
  damaged    printed if records or a part of the daemon's state cannot be read: what is lost,
             and since when

Each queue has a line:

  QUEUE        "group/" and the name of a server group, or local (the file of JSON lines)
  RECORDS      records that wait
  BYTES        octets of these records (k, M, G: powers of 1000); an estimate of more than
               4096 records; - if unknown
  OLDEST       time since the event of the oldest waiting record
  IN-FLIGHT    records of any queue that were sent to the method and are not answered yet
  DELIVERED    records of any queue that the method accepted since the daemon started
  ELSEWHERE    records of this queue that another method of their list accepted since then
  SUPERSEDED   interims that were dropped because a later record of the session includes
               them; starts and stops are never dropped
  SET-ASIDE    records that were set aside: rejected, damaged, or not answered while other
               records were
  REFUSED      set-aside records that the method rejected
  NO-RESPONSE  how often the method did not answer a record of any queue
  STATE        up, unknown (no server of the group has answered yet), or one or more of:
                 down FOR        no server has answered for this time. One record at a time is
                                 sent as a probe; "next probe in T" says when
                 held            records wait until the Accounting-On is answered
                 away            no server answers the Accounting-On: records go to the next
                                 method of their list
                 draining        a backlog is being sent, at the drain rate of the group
                 not configured  the method is no longer configured. After a reload it still
                                 delivers as long as live sessions or records name it. After
                                 a restart, the records go to the next methods of their lists
                 by LIST         not configured; the records go to the methods of this list
                                 (see "aaasess spool reroute")
                 no method       some records have no configured method left. They wait
                                 until one is configured again, or "aaasess spool reroute"
                                 gives them another list. In JSON: "lost": true
                 damaged         records could not be read and are lost; the rest is
                                 delivered

The exit code is 6 while damage is reported. After damage of records, clear the report with
"aaasess spool forget-damage". After damage of the state, the running daemon still has
everything in memory, but the next start needs --accept-loss.`

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
				_, err = fmt.Fprintf(g.err, "%s without a configured method: see \"aaasess spool reroute --help\"\n", count(n, "queue"))
			}
			if err == nil && len(status.Damage) > 0 {
				err = errDamaged
			}
			return err
		},
	}
}

// lostQueues returns how many queues have records without a configured method.
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
	size := binaryAmount(disk.Size)
	if disk.MaxSize > 0 {
		size += ", at most " + binaryAmount(disk.MaxSize) + limitsText("above", disk.WarnSize, disk.AcceptSize)
	}
	free := "unknown"
	if disk.Free >= 0 {
		free = binaryAmount(disk.Free)
	}
	if disk.MinFree > 0 {
		free += ", at least " + binaryAmount(disk.MinFree) + limitsText("below", disk.WarnFree, disk.AcceptFree)
	}

	lines := []statusLine{
		{0, "disk", ""},
		{1, "folder", disk.Folder},
		{1, "size", size},
		{1, "free", free},
		{1, "accepting", disk.Accepting},
		{1, "warning", cmp.Or(disk.Warning, "none")},
		{0, "set aside", count(int(status.SetAside), "record")},
	}
	for i := range status.Damage {
		lines = append(lines, statusLine{0, "damaged", damageText(&status.Damage[i])})
	}
	return lines
}

// limitsText describes when the daemon warns, and when it accepts events again.
func limitsText(side string, warn, accept int64) string {
	if warn == 0 || accept == 0 {
		return "" // a daemon of an earlier version
	}
	return fmt.Sprintf(" (accepting again at %s; warning %s %s)", binaryAmount(accept), side, binaryAmount(warn))
}

// damageText describes what is lost.
func damageText(d *api.Damage) string {
	at := date(d.At)
	switch {
	case d.Queue == "" && d.Records < 0:
		return fmt.Sprintf("state, lost at the next start, since %s: %s", at, d.Reason)
	case d.Queue == "":
		return fmt.Sprintf("at most %d keys of the state, lost at the next start, since %s: %s", d.Records, at, d.Reason)
	case d.Records == 1:
		return fmt.Sprintf("1 record of %s, number %d, lost since %s: %s", d.Queue, d.First, at, d.Reason)
	}
	return fmt.Sprintf("%d records of %s, numbers %d to %d, lost since %s: %s", d.Records, d.Queue, d.First, d.Last, at, d.Reason)
}

// queueState describes the state of a queue.
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
	if len(parts) == 0 && q.OperState == "unknown" {
		parts = append(parts, "unknown")
	}
	if q.Draining {
		parts = append(parts, "draining")
	}
	return cmp.Or(strings.Join(parts, ", "), "up")
}
