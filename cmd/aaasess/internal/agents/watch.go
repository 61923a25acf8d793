package agents

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/snmpmanager"
)

const snmpWatchHelp = `Show the sessions of one or several agents that begin and end, until Ctrl-C. "aaasess snmp --help"
has the ways to give a community or a user.

  07:00:00.125 router-1  42 sessions
  07:00:05.310 router-1  new          0000000D  alice@example.net  10.0.0.98
  07:00:05.311 router-2  no answer
  07:00:20.007 router-1  terminating  0000000D  alice@example.net  10.0.0.98
  07:00:25.202 router-1  ended        0000000D  alice@example.net  10.0.0.98

  new          a session that was not there before
  terminating  casnDisconnect has become true
  changed      casnUserId or casnIpAddr has another value
  ended        a session that is not there any more

The command reads the table of each host every --interval, so a session that begins and ends
between two readings is not seen. The sessions that are there at the start are only counted, and so
are those of a host that answers again; what has begun and ended meanwhile is shown then. A host
that does not answer is reported once, and asked again.

With --json each line is a JSON document: {"time", "host", "event", "session"}; of a host
{"time", "host", "event":"answers", "sessions":42} or {"time", "host", "event":"fails", "error"}.

The exit code is 0 after Ctrl-C and after --count lines of sessions.`

func newSNMPWatch(g *cli.Global) *cobra.Command {
	var interval time.Duration
	var limit uint
	cmd := &cobra.Command{
		Use:   "watch HOST...",
		Short: "Show sessions of SNMP agents that begin and end",
		Long:  snmpWatchHelp,
		Example: `  aaasess snmp watch router-1 router-2 -c public
  aaasess snmp watch router-1 --community-file community --address 10.0.0.0/8 --json`,
		Args: cobra.MinimumNArgs(1),
	}
	flags := addSNMPFlags(cmd, g, false)
	cmd.Flags().DurationVar(&interval, "interval", 5*time.Second, "read the tables every `DURATION` (1s to 1h)")
	cmd.Flags().UintVar(&limit, "count", 0, "end after `N` sessions have begun, changed or ended; 0 for no end")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if interval < time.Second || interval > time.Hour {
			return fmt.Errorf("%w: --interval %v: want 1s to 1h", cli.ErrUsage, interval)
		}
		targets, err := flags.targets(args)
		if err != nil {
			return err
		}
		filter, err := flags.query()
		if err != nil {
			return err
		}
		m, err := flags.manager()
		if err != nil {
			return err
		}
		*g.Started = true
		fmt.Fprintln(g.Err, "sessions that begin and end, as they are seen; Ctrl-C ends")
		ask := func(ctx context.Context, t snmpmanager.Target) snmpmanager.Answer { return m.Ask(ctx, t, filter) }
		reports := snmpmanager.Each(cmd.Context(), targets, func(ctx context.Context, t snmpmanager.Target) iter.Seq[snmpmanager.Report] {
			return snmpmanager.Watch(ctx, t, interval, ask)
		})
		return PrintReports(cmd.Context(), g, reports, widthOfHosts(targets), limit)
	}
	return cmd
}

func widthOfHosts(targets []snmpmanager.Target) (width int) {
	for _, t := range targets {
		width = max(width, len([]rune(t.Name)))
	}
	return width
}

// PrintReports prints reports until they end, or limit changes of sessions are printed.
func PrintReports(ctx context.Context, g *cli.Global, reports iter.Seq[snmpmanager.Report], width int, limit uint) error {
	shown := uint(0)
	for r := range reports {
		if ctx.Err() != nil {
			return nil
		}
		if err := printReport(g, &r, width); err != nil {
			return err
		}
		if r.Err == nil && !r.First {
			shown++
		}
		if limit > 0 && shown == limit {
			return nil
		}
	}
	return nil
}

// snmpEvent is the JSON form of a report.
type snmpEvent struct {
	Time     time.Time    `json:"time"`
	Host     string       `json:"host"`
	Event    string       `json:"event"`
	Error    string       `json:"error,omitempty"`
	Sessions *int         `json:"sessions,omitempty"` // that match, of a host that answers
	Session  *snmpSession `json:"session,omitempty"`
}

func newSNMPEvent(r *snmpmanager.Report) snmpEvent {
	e := snmpEvent{Time: r.Time, Host: r.Target.Name}
	switch {
	case r.Err != nil:
		e.Event, e.Error = "fails", r.Err.Error()
	case r.First:
		e.Event, e.Sessions = "answers", &r.Live
	default:
		s := newSNMPSession(&r.Change.Session)
		e.Event, e.Session = r.Change.Event, &s
	}
	return e
}

func printReport(g *cli.Global, r *snmpmanager.Report, width int) error {
	if g.JSON {
		b, err := json.Marshal(newSNMPEvent(r))
		if err != nil {
			return err
		}
		_, err = g.Out.Write(append(term.EscapeJSON(b), '\n'))
		return err
	}
	_, err := fmt.Fprintln(g.Out, r.Time.Local().Format(g.EventLayout()), reportText(r, width))
	return err
}

// reportText returns the line of a report, without its time.
func reportText(r *snmpmanager.Report, width int) string {
	text := human.Printable(r.Target.Name)
	text += strings.Repeat(" ", max(0, width-len([]rune(text)))) + "  "
	switch s := &r.Change.Session; {
	case r.Err != nil:
		return text + human.Printable(r.Err.Error())
	case r.First:
		return text + term.Count(r.Live, "session")
	default:
		line := fmt.Sprintf("%-11s  %s  %s  %s", r.Change.Event, api.ID(s.Number), cmp.Or(term.Word(s.User), "-"), snmpAddress(s))
		return text + strings.TrimRight(line, " ")
	}
}
