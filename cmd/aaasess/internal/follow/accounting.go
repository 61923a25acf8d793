package follow

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const debugAccountingHelp = `Show accountable events as they occur: one line for each event that matches all the given
filters, until Ctrl-C.

  07:00:00.125 Start 00000005 network, user alice, NAS as5200, line tty1,
    address 10.0.0.98 -> network/default: group isp, else local
  07:00:52.210 Stop 00000005 network, user alice, NAS as5200, line tty1,
    address 10.0.0.98, time 00:00:52, in 8520, out 960, cause User-Request ->
    network/default: group isp, else local
  07:01:10.004 Start 00000006 exec, user bob, NAS as5200, line tty2 ->
    exec/default: not recorded, its list is stop-only

The output has columns, and does not fold lines.

A line has the time, the type of the event, the ID of the session (- if the event is of none),
and the session as it is after the event. Behind -> are the method list and the methods that
get the record. Those of "group isp, else local" are tried in this order. Both of "group isp
and group customer" get it (broadcast). "aaasess explain" shows where the record is then.

  3m20s ago         the event happened so long before: the NAS sent it late, or aaasess has
                    made a stop that has the time of the last packet
  made by aaasess   the NAS sent no such packet
  resync            a server that lost its data is told of the session again

Retransmissions and other copies of a packet are no events. This command never slows the
daemon. Of more events than the reader can read, or than about 10000 a second, some are left
out. A line in their place says how many:

  12 events left out

A filter selects before that, so a narrow one loses nothing to other events. --group selects
the events whose record goes to a server group, also if it is not the first of the methods.

On a terminal a line has the time of day, else the date too. With --json each line is a JSON
document, {"leftOut":12} for events that were left out.

The exit code is 0 after Ctrl-C and after --count events, and 1 if the daemon ends.`

// New returns the command "debug".
func New(g *cli.Global) *cobra.Command {
	debug := &cobra.Command{
		Use: "debug", Short: "Show what happens, live",
		Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	debug.AddCommand(newDebugAccounting(g))
	for _, d := range debugTopics {
		debug.AddCommand(newDebugLog(g, d.topic, d.short, d.what, d.example))
	}
	return debug
}

func newDebugAccounting(g *cli.Global) *cobra.Command {
	var ids []string
	var group string
	var limit uint
	cmd := &cobra.Command{
		Use:   "accounting",
		Short: "Show accountable events as they occur",
		Long:  debugAccountingHelp,
		Example: `  aaasess debug accounting --user alice@example.net
  aaasess debug accounting --nas bras-1 --group isp
  aaasess debug accounting --json | jq -r 'select(.notRecorded) | [.id, .notRecorded] | @tsv'`,
		Args: cobra.NoArgs,
	}
	filter := cli.AddFilterFlags(cmd, g, "state")
	filter.Kinds = api.EventKinds()
	cmd.Flags().Lookup("kind").Usage = "events whose kind is `KIND`: network, exec, connection, resource (a call), or commands"
	cmd.Flags().StringSliceVar(&ids, "id", nil, "the session `ID` (may be repeated)")
	cmd.Flags().StringVar(&group, "group", "", "events whose record goes to the server group `NAME`")
	cmd.Flags().UintVar(&limit, "count", 0, "end after `N` events; 0 for no end")
	_ = cmd.RegisterFlagCompletionFunc("id", g.SuggestIDs(0))
	_ = cmd.RegisterFlagCompletionFunc("group", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return g.SuggestGroups(cmd.Context(), cli.AnyGroup), cobra.ShellCompDirectiveNoFileComp
	})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f, err := cli.ParseFlags(filter, cmd, ids, api.ParseEventFilter)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("group") && group == "" {
			return fmt.Errorf("%w: --group is empty", cli.ErrUsage)
		}
		f.Group = group
		return debugAccounting(cmd.Context(), g, f, limit)
	}
	return cmd
}

// debugAccounting prints events until ctx is done, which is no error, or for limit events.
func debugAccounting(ctx context.Context, g *cli.Global, f api.EventFilter, limit uint) error {
	stream, err := g.Client().Events(ctx, f)
	if err != nil {
		return err
	}
	defer stream.Close()
	fmt.Fprintln(g.Err, "accountable events, as they occur; Ctrl-C ends")
	return followLines(ctx, stream.All(), func(line *api.EventLine) (bool, error) { return PrintEvent(g, line) }, limit)
}

// PrintEvent prints an event, or how many were left out. It reports whether it was an event.
func PrintEvent(g *cli.Global, line *api.EventLine) (bool, error) {
	e := line.AccountableEvent
	if e == nil {
		return false, printLine(g, line, time.Time{}, "", line.LeftOut, "event")
	}
	return true, printLine(g, line, e.Time, eventText(e), line.LeftOut, "event")
}

// followLines prints lines until ctx is done, which is no error, or limit of them are printed; 0 means no
// limit. Those that print reports as none are not counted.
func followLines[T any](ctx context.Context, lines iter.Seq2[T, error], print func(*T) (bool, error), limit uint) error {
	shown := uint(0)
	for line, err := range lines {
		counts := false
		if err == nil {
			counts, err = print(&line)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if counts {
			shown++
		}
		if limit > 0 && shown == limit {
			return nil
		}
	}
	return nil
}

// printLine prints what a stream has sent: the JSON of line, or for people how many things were left out
// and the text, which has a time unless it is empty.
func printLine(g *cli.Global, line any, at time.Time, text string, leftOut uint64, thing string) error {
	if g.JSON {
		b, err := json.Marshal(line)
		if err != nil {
			return err
		}
		_, err = g.Out.Write(append(term.EscapeJSON(b), '\n'))
		return err
	}
	out := ""
	if leftOut > 0 {
		out = term.Count(int(leftOut), thing) + " left out\n"
	}
	if text != "" {
		out += at.Local().Format(g.EventLayout()) + " " + text + "\n"
	}
	_, err := fmt.Fprint(g.Out, out)
	return err
}

// eventText returns the line of an event, without its time.
func eventText(e *api.AccountableEvent) string {
	parts := []string{fmt.Sprintf("%-14s %-8s %s", human.Printable(e.Type), human.Printable(cmp.Or(e.ID, "-")), human.Printable(e.Kind))}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+value)
		}
	}
	switch {
	case e.Resync:
		add("", "resync")
	case e.Made:
		add("", "made by aaasess")
	}
	if late := e.Time.Sub(e.At); late >= time.Second {
		add("", human.Span(late)+" ago")
	}
	add("user ", term.Word(e.User))
	add("NAS ", term.Word(cmp.Or(e.NAS, e.NASAddress)))
	add("line ", term.Word(cli.Line(e.Session)))
	add("address ", human.Printable(cli.Address(e.Session)))
	if e.Command != nil {
		add("level ", strconv.Itoa(e.Command.Level))
		add("command ", term.Word(e.Command.Text))
	} else if e.Type == "Stop" || e.Type == "Interim-Update" {
		add("time ", term.Clock(e.SessionTime))
	}
	if e.InputOctets > 0 || e.OutputOctets > 0 {
		add("in ", strconv.FormatUint(e.InputOctets, 10))
		add("out ", strconv.FormatUint(e.OutputOctets, 10))
	}
	add("cause ", human.Printable(e.TerminateCause))
	return strings.Join(parts, ", ") + " -> " + outcomeText(e)
}

// outcomeText says what becomes of an event.
func outcomeText(e *api.AccountableEvent) string {
	text := "not recorded, " + human.Printable(e.NotRecorded)
	if e.NotRecorded == "" {
		between := ", else "
		if e.Broadcast {
			between = " and "
		}
		text = human.Printable(strings.Join(e.Methods, between))
	}
	if e.List == "" {
		return text
	}
	return human.Printable(e.List) + ": " + text
}
