package records

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
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

// NewShowSpool returns the command "show spool".
func NewShowSpool(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use:   "spool",
		Short: "Show the records that wait for accounting servers",
		Long:  showSpoolHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := g.Client().Spool(cmd.Context())
			if err != nil {
				return err
			}
			if g.JSON {
				err = g.PrintJSON(status)
			} else {
				err = PrintSpool(g.Out, status, time.Now())
			}
			if n := lostQueues(status.Queues); err == nil && n > 0 && !g.JSON {
				_, err = fmt.Fprintf(g.Err, "%s without a configured method: see \"aaasess spool reroute --help\"\n", term.Count(n, "queue"))
			}
			if err == nil && len(status.Damage) > 0 {
				err = cli.ErrDamaged
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

// PrintSpool prints the queues, the disk, and what is damaged.
func PrintSpool(w io.Writer, status *api.SpoolStatus, now time.Time) error {
	if err := term.PrintLines(w, diskLines(status)); err != nil || len(status.Queues) == 0 {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	t := term.NewTable(w, []term.Column{
		{Title: "QUEUE"},
		{Title: "RECORDS", Right: true},
		{Title: "BYTES", Right: true},
		{Title: "OLDEST", Right: true},
		{Title: "IN-FLIGHT", Right: true},
		{Title: "DELIVERED", Right: true},
		{Title: "ELSEWHERE", Right: true},
		{Title: "SUPERSEDED", Right: true},
		{Title: "SET-ASIDE", Right: true},
		{Title: "REFUSED", Right: true},
		{Title: "NO-RESPONSE", Right: true},
		{Title: "STATE"},
	})
	for i := range status.Queues {
		q := &status.Queues[i]
		size, oldest := "", ""
		if q.Bytes != nil {
			size = term.Amount(*q.Bytes)
		}
		if !q.Oldest.IsZero() {
			oldest = human.Span(now.Sub(q.Oldest))
		}
		cells := []string{q.Queue, strconv.FormatUint(q.Records, 10), size, oldest, strconv.Itoa(q.InFlight)}
		for _, n := range []uint64{q.Delivered, q.Elsewhere, q.Superseded, q.SetAside, q.Refused, q.NoResponse} {
			cells = append(cells, strconv.FormatUint(n, 10))
		}
		damaged := slices.ContainsFunc(status.Damage, func(d api.Damage) bool { return d.Queue == q.Queue })
		if err := t.Row(append(cells, queueState(q, damaged, now))...); err != nil {
			return err
		}
	}
	return t.Flush()
}

func diskLines(status *api.SpoolStatus) []term.StatusLine {
	disk := &status.Disk
	size := term.BinaryAmount(disk.Size)
	if disk.MaxSize > 0 {
		size += ", at most " + term.BinaryAmount(disk.MaxSize) + limitsText("above", disk.WarnSize, disk.AcceptSize)
	}
	free := "unknown"
	if disk.Free >= 0 {
		free = term.BinaryAmount(disk.Free)
	}
	if disk.MinFree > 0 {
		free += ", at least " + term.BinaryAmount(disk.MinFree) + limitsText("below", disk.WarnFree, disk.AcceptFree)
	}

	lines := []term.StatusLine{
		{Name: "disk", Value: ""},
		{Depth: 1, Name: "folder", Value: disk.Folder},
		{Depth: 1, Name: "size", Value: size},
		{Depth: 1, Name: "free", Value: free},
		{Depth: 1, Name: "accepting", Value: disk.Accepting},
		{Depth: 1, Name: "warning", Value: cmp.Or(disk.Warning, "none")},
		{Name: "set aside", Value: term.Count(int(status.SetAside), "record")},
	}
	for i := range status.Damage {
		lines = append(lines, term.StatusLine{Name: "damaged", Value: damageText(&status.Damage[i])})
	}
	return lines
}

// limitsText describes when the daemon warns, and when it accepts events again.
func limitsText(side string, warn, accept int64) string {
	if warn == 0 || accept == 0 {
		return "" // a daemon of an earlier version
	}
	return fmt.Sprintf(" (accepting again at %s; warning %s %s)", term.BinaryAmount(accept), side, term.BinaryAmount(warn))
}

// damageText describes what is lost.
func damageText(d *api.Damage) string {
	at := term.Date(d.At)
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
		parts = append(parts, "down "+human.Span(now.Sub(q.DownSince)))
	}
	if !q.NextProbe.IsZero() {
		parts = append(parts, "next probe in "+human.Span(q.NextProbe.Sub(now)))
	}
	if len(parts) == 0 && q.OperState == "unknown" {
		parts = append(parts, "unknown")
	}
	if q.Draining {
		parts = append(parts, "draining")
	}
	return cmp.Or(strings.Join(parts, ", "), "up")
}
