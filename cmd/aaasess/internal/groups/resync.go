package groups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const resyncHelp = `Tell the servers of the server group GROUP of all live sessions again, because they have lost
their data. For each live session whose records go to GROUP the daemon makes an interim, or
a start if --type is start. Other groups get none. The records go into the queue of the
group, where no record of a session follows its stop.

An interim has all that is known of the session, the time since its start and the last known
counters. A server that keeps a table of sessions, such as FreeRADIUS with SQL, adds the
session or updates it. A start repeats the first one, with the time of that and so with a
long Acct-Delay-Time, for servers that ignore interims of sessions that they do not know. A
group that gets no interims by the list of a session always gets a start.

Sessions that begin meanwhile are left out, because their own starts are recorded. The
others that are left out are counted: sessions whose records do not go to the group, go
there only if other methods do not answer, or are only stops, and sessions without a
User-Name of which no records are made.

The resync waits while records of more than two seconds at its rate (at least 2000) wait in
the queue of the group. It survives a restart and a crash of the daemon, and then continues
where it was. One resync of a group runs at a time.

The command waits for the end. On a terminal it shows the progress. If it is interrupted,
the resync continues; --no-wait returns when the request is on disk. --status shows the
latest resync of the group, --cancel ends it: records that are in the queue stay there.

The exit code is 4 if there is no server group GROUP, or if --status or --cancel finds no
resync of it. It is 1 if a resync of the group is already running, if --cancel finds that it
has ended, or if another command cancels it.`

var errResyncCanceled = errors.New("the resync was canceled")

// resyncPoll is the time between two looks at a resync that the command waits for.
const resyncPoll = 200 * time.Millisecond

func newPerformResync(g *cli.Global) *cobra.Command {
	var req api.ResyncRequest
	var noWait, status, cancel bool
	cmd := &cobra.Command{
		Use: "resync GROUP", Short: "Tell the servers of a group of all live sessions again", Long: resyncHelp,
		Example: `  aaasess perform resync isp
  aaasess perform resync isp --type start --rate 5000 --no-wait
  aaasess perform resync isp --status`,
		Args: cli.Arguments("GROUP"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return g.SuggestGroups(cmd.Context(), cli.AnyGroup), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			group := args[0]
			switch {
			case group == "":
				return fmt.Errorf("%w: the name is empty", cli.ErrUsage)
			case req.Type != api.ResyncInterim && req.Type != api.ResyncStart:
				return fmt.Errorf("%w: --type %s: want %s or %s", cli.ErrUsage, req.Type, api.ResyncInterim, api.ResyncStart)
			case req.Rate < 1 || req.Rate > api.MaxResyncRate:
				return fmt.Errorf("%w: --rate %d: want 1 to %d", cli.ErrUsage, req.Rate, api.MaxResyncRate)
			case status:
				return showResync(cmd.Context(), g, group)
			case cancel:
				return cancelResync(cmd.Context(), g, group)
			}
			return resync(cmd.Context(), g, group, req, noWait)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&req.Type, "type", api.ResyncInterim, "make records of `TYPE`: interim or start")
	flags.IntVar(&req.Rate, "rate", api.DefaultResyncRate, fmt.Sprintf("make at most `N` records a second, 1 to %d", api.MaxResyncRate))
	flags.BoolVar(&noWait, "no-wait", false, "do not wait for the end")
	flags.BoolVar(&status, "status", false, "show the latest resync of the group")
	flags.BoolVar(&cancel, "cancel", false, "end the resync of the group")
	cli.Complete(cmd, "type", api.ResyncInterim, api.ResyncStart)
	for _, other := range []string{"type", "rate", "no-wait"} {
		cmd.MarkFlagsMutuallyExclusive("status", "cancel", other)
	}
	return cmd
}

// resync begins a resync and, unless noWait, waits for its end.
func resync(ctx context.Context, g *cli.Global, group string, req api.ResyncRequest, noWait bool) error {
	client := g.Client()
	r, err := client.BeginResync(ctx, group, req)
	if err != nil {
		return err
	}
	for r.State == api.ResyncRunning && !noWait {
		ShowProgress(g, r)
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-time.After(resyncPoll):
			r, err = client.Resync(ctx, group)
		}
		if err != nil {
			clearProgress(g)
			fmt.Fprintf(g.Err, "the resync continues in the daemon; see \"aaasess perform resync %s --status\"\n", human.Printable(group))
			return err
		}
	}
	clearProgress(g)
	if err := printResync(g, r); err != nil {
		return err
	}
	if r.State == api.ResyncCanceled {
		return fmt.Errorf("server group %q: %w", group, errResyncCanceled)
	}
	return nil
}

// ShowProgress replaces the last line of a terminal by the progress of a resync.
func ShowProgress(g *cli.Global, r *api.Resync) {
	if g.Width == 0 || g.JSON {
		return
	}
	text := fmt.Sprintf("%s: %d of %s", human.Printable(r.Group), r.Sessions, term.Count(int(r.Total), "session"))
	switch {
	case r.Waiting != "":
		text += ", waits: " + human.Printable(r.Waiting)
	case r.Total > r.Sessions:
		text += ", " + human.Span(time.Duration(r.Total-r.Sessions)*time.Second/time.Duration(r.Rate)) + " left"
	}
	if runes := []rune(text); len(runes) >= g.Width {
		text = string(runes[:g.Width-1])
	}
	fmt.Fprint(g.Err, "\r\x1b[K"+text)
}

func clearProgress(g *cli.Global) {
	if g.Width > 0 && !g.JSON {
		fmt.Fprint(g.Err, "\r\x1b[K")
	}
}

func cancelResync(ctx context.Context, g *cli.Global, group string) error {
	r, err := g.Client().CancelResync(ctx, group)
	if err != nil {
		return err
	}
	return printResync(g, r)
}

// printResync prints how far a resync has come: a line, or with --json the document.
func printResync(g *cli.Global, r *api.Resync) error {
	if g.JSON {
		return g.PrintJSON(r)
	}
	_, err := fmt.Fprintln(g.Err, human.Printable(ResyncText(r)))
	return err
}

// ResyncText describes a resync in a line.
func ResyncText(r *api.Resync) string {
	if r.State == api.ResyncRunning {
		return fmt.Sprintf("%s: resync begun, %s", r.Group, term.Count(int(r.Total), "session"))
	}
	out := fmt.Sprintf("%s: resync %s in %s: %s of %s", r.Group, r.State, human.Span(r.Ended.Sub(r.Began)),
		term.Count(int(r.Records), r.Type), term.Count(int(r.Sessions), "session"))
	if left := leftOutTexts(r); len(left) > 0 {
		out += "; left out: " + strings.Join(left, ", ")
	}
	return out
}

// leftOutTexts returns how many sessions were left out, for each reason.
func leftOutTexts(r *api.Resync) (out []string) {
	for _, l := range []struct {
		n   uint64
		why string
	}{
		{r.LeftOut.Elsewhere, "of other methods or not accounted"},
		{r.LeftOut.StopOnly, "stop-only"},
		{r.LeftOut.Fallback, "only if other methods do not answer"},
		{r.LeftOut.NullUsername, "without User-Name"},
	} {
		if l.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", l.n, l.why))
		}
	}
	return out
}

func showResync(ctx context.Context, g *cli.Global, group string) error {
	r, err := g.Client().Resync(ctx, group)
	if err != nil {
		return err
	}
	if g.JSON {
		return g.PrintJSON(r)
	}
	return PrintResyncStatus(g.Out, r)
}

// PrintResyncStatus prints the state of a resync.
func PrintResyncStatus(w io.Writer, r *api.Resync) error {
	lines := []term.StatusLine{
		{Name: "group", Value: r.Group},
		{Name: "state", Value: r.State},
	}
	if r.Waiting != "" {
		lines = append(lines, term.StatusLine{Name: "waits", Value: r.Waiting})
	}
	lines = append(lines,
		term.StatusLine{Name: "records", Value: fmt.Sprintf("%s, at most %d a second", term.Count(int(r.Records), r.Type), r.Rate)},
		term.StatusLine{Name: "sessions", Value: fmt.Sprintf("%d of %d", r.Sessions, r.Total)})
	if left := leftOutTexts(r); len(left) > 0 {
		lines = append(lines, term.StatusLine{Name: "left out", Value: strings.Join(left, ", ")})
	}
	return term.PrintLines(w, append(lines, term.StatusLine{Name: "began", Value: term.Date(r.Began)}, term.StatusLine{Name: "ended", Value: term.Date(r.Ended)}))
}
