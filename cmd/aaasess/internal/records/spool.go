package records

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

const spoolHelp = `Show, replay or drop the accounting records that were set aside. Reroute the records of a
queue whose method is no longer configured. Clear the report of unreadable records.

A record is set aside if a server rejects it for good, if it is damaged on disk, or if no
server answers it by the end of its schedule while other records are answered. It then no
longer delays the records behind it. It stays on disk, also across restarts, until it is
replayed or dropped.`

const spoolReplayHelp = `Put set-aside records back at the end of the queues that they came from. They are sent again,
with their full schedule.

If one of the given SEQs cannot be replayed, no record is. A record cannot be replayed if it
is not set aside, if it is damaged, or if none of its methods is configured. --all replays
every record that can be replayed.

The command returns as soon as the change is on disk. It does not wait for the delivery. The
exit code is 4 if a SEQ is not set aside, or if --all finds no record to replay.`

const spoolDropHelp = `Delete set-aside records for good: no server ever receives them. If one of the given SEQs is
not set aside, no record is deleted.

On a terminal, --all asks for confirmation. Without a terminal, --all needs --yes.

The exit code is 4 if a SEQ is not set aside, or if --all finds no record.`

// NewSpool returns the command "spool".
func NewSpool(g *cli.Global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "spool", Short: "Show, replay or drop set-aside records, and reroute queues", Long: spoolHelp,
		Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	cmd.AddCommand(newSpoolList(g), newSpoolShow(g), newSpoolReplay(g), newSpoolDrop(g), newSpoolReroute(g), newSpoolForgetDamage(g))
	return cmd
}

func newSpoolShow(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use: "show SEQ", Short: "Show a set-aside record with its attributes", ValidArgsFunction: completeSeqs(g, 1),
		Args: cli.Arguments("SEQ"),
		RunE: func(cmd *cobra.Command, args []string) error {
			seqs, err := parseSeqs(args)
			if err != nil {
				return err
			}
			record, err := g.Client().SetAsideRecord(cmd.Context(), seqs[0])
			if err != nil {
				return err
			}
			if g.JSON {
				return g.PrintJSON(record)
			}
			return PrintRecord(g.Out, record)
		},
	}
}

// PrintRecord prints a set-aside record with its attributes.
func PrintRecord(w io.Writer, r *api.SetAside) error {
	lines := []term.StatusLine{
		{Name: "number", Value: strconv.FormatUint(r.Seq, 10)},
		{Name: "since", Value: term.Date(r.At)},
		{Name: "from", Value: r.From},
		{Name: "reason", Value: r.Reason},
	}
	if r.Raw != "" {
		lines = append(lines, term.StatusLine{Name: "damaged, octets", Value: r.Raw})
		return term.PrintLines(w, lines)
	}
	lines = append(lines,
		term.StatusLine{Name: "session", Value: r.Session},
		term.StatusLine{Name: "type", Value: typeText(r.Type, r.Resync)},
		term.StatusLine{Name: "list", Value: r.List},
		term.StatusLine{Name: "user", Value: r.User},
		term.StatusLine{Name: "attributes", Value: ""},
	)
	for _, a := range r.Attributes {
		lines = append(lines, term.StatusLine{Depth: 1, Name: a.Name, Value: a.Value})
	}
	return term.PrintLines(w, lines)
}

func newSpoolReplay(g *cli.Global) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "replay {SEQ... | --all}", Short: "Send set-aside records again", Long: spoolReplayHelp,
		ValidArgsFunction: completeSeqs(g, 0),
		Example: `  aaasess spool replay 17 18
  aaasess spool replay --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := recordsRequest(args, all)
			if err != nil {
				return err
			}
			client := g.Client()
			done := g.RecordsProgress(cmd.Context(), client, "replaying", len(req.Seqs))
			n, err := client.Replay(cmd.Context(), req)
			done()
			return printCount(g, n, err, "replayed")
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "replay every record that can be replayed")
	return cmd
}

func newSpoolDrop(g *cli.Global) *cobra.Command {
	var all, yes bool
	cmd := &cobra.Command{
		Use: "drop {SEQ... | --all}", Short: "Delete set-aside records", Long: spoolDropHelp,
		ValidArgsFunction: completeSeqs(g, 0),
		Example: `  aaasess spool drop 17
  aaasess spool drop --all --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := recordsRequest(args, all)
			if err != nil {
				return err
			}
			if all && !yes && !g.Terminal {
				return fmt.Errorf("%w: --all needs --yes if the standard input is not a terminal", cli.ErrUsage)
			}
			client := g.Client()
			if all && !yes {
				if err := confirmDrop(cmd.Context(), g, client); err != nil {
					return err
				}
			}
			done := g.RecordsProgress(cmd.Context(), client, "dropping", len(req.Seqs))
			n, err := client.Drop(cmd.Context(), req)
			done()
			return printCount(g, n, err, "dropped")
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "drop every set-aside record")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

const spoolForgetDamageHelp = `Clear the report of unreadable records in "show spool", so that its exit code is 0 again. The
records are lost in either case. Damage of the daemon's state is reported until the daemon
has been started with --accept-loss.`

func newSpoolForgetDamage(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use: "forget-damage", Short: "Clear the report of unreadable records", Long: spoolForgetDamageHelp,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := g.Client().ForgetDamage(cmd.Context())
			if err != nil {
				return err
			}
			if g.JSON {
				return g.PrintJSON(api.ForgetAnswer{Entries: n})
			}
			fmt.Fprintf(g.Err, "%s of damage cleared\n", term.Count(n, "report"))
			return nil
		},
	}
}

func confirmDrop(ctx context.Context, g *cli.Global, client *apiclient.Client) error {
	status, err := client.Spool(ctx)
	if err != nil {
		return err
	}
	if status.SetAside == 0 {
		return cli.ErrNoRecord
	}
	yes, err := g.Prompt(ctx, fmt.Sprintf("Drop ALL set-aside records, %d now?", status.SetAside))
	if err == nil && !yes {
		err = cli.ErrNotDropped
	}
	return err
}

// printCount prints how many records were changed; done says how. err is the error of the request.
func printCount(g *cli.Global, n int, err error, done string) error {
	switch {
	case err != nil:
		return err
	case g.JSON:
		err = g.PrintJSON(api.RecordsAnswer{Records: n})
	case n > 0:
		fmt.Fprintln(g.Err, term.Count(n, "record"), done)
	}
	if err == nil && n == 0 {
		err = cli.ErrNoRecord
	}
	return err
}

func recordsRequest(args []string, all bool) (api.RecordsRequest, error) {
	if (len(args) > 0) == all {
		return api.RecordsRequest{}, fmt.Errorf("%w: give either SEQs or --all", cli.ErrUsage)
	}
	seqs, err := parseSeqs(args)
	return api.RecordsRequest{Seqs: seqs, All: all}, err
}

func parseSeqs(args []string) ([]uint64, error) {
	var seqs []uint64
	for _, arg := range args {
		seq, err := strconv.ParseUint(arg, 10, 64)
		if err != nil || seq == 0 {
			return nil, fmt.Errorf("%w: %q is not a record number", cli.ErrUsage, arg)
		}
		seqs = append(seqs, seq)
	}
	return seqs, nil
}

// completeSeqs suggests record numbers for at most maxArgs arguments; 0 means any number of
// arguments.
func completeSeqs(g *cli.Global, maxArgs int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if maxArgs > 0 && len(args) >= maxArgs {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		list, err := g.SuggestClient().SetAside(cmd.Context(), 0, 200)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, r := range list.Records {
			out = append(out, strconv.FormatUint(r.Seq, 10))
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}
