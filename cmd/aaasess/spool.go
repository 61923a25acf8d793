package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

const spoolHelp = `Look at the accounting records that were set aside, and replay or drop them. Move records
whose server group is not configured any more.

A record is set aside when a server refuses it for good, when it is damaged on the disk, or
when all its transmissions are over and nobody answered it while other records were answered.
So it holds nobody else up. It stays, also over a restart, until it is replayed or dropped.`

const spoolReplayHelp = `Put records that are set aside back into the queues that they came from, at their end: they
are sent again, by the whole schedule. With SEQ all are replayed, or none if one of them is
not there or is damaged. --all leaves those that are damaged.

The command ends when that is sure, also if the daemon is killed now; it does not wait for a
server. The exit code is 4 if there is no such record.`

const spoolDropHelp = `Forget records that are set aside, for ever: no server ever gets them. With SEQ all are
dropped, or none if one of them is not there. On a terminal --all asks before; without one
it wants --yes.

The exit code is 4 if there is no such record.`

func newSpool(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "spool", Short: "Look at records that were set aside, replay or drop them, move records", Long: spoolHelp,
		Args: cobra.NoArgs, RunE: wantCommand,
	}
	cmd.AddCommand(newSpoolList(g), newSpoolShow(g), newSpoolReplay(g), newSpoolDrop(g), newSpoolReroute(g), newSpoolForgetDamage(g))
	return cmd
}

func newSpoolShow(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "show SEQ", Short: "Show a record that is set aside, with its attributes", ValidArgsFunction: g.completeSeqs(1),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			seqs, err := parseSeqs(args)
			if err != nil {
				return err
			}
			record, err := g.client().SetAsideRecord(cmd.Context(), seqs[0])
			if err != nil {
				return err
			}
			if g.json {
				return g.printJSON(record)
			}
			return printRecord(g.out, record)
		},
	}
}

func printRecord(w io.Writer, r *api.SetAside) error {
	lines := []statusLine{
		{0, "number", strconv.FormatUint(r.Seq, 10)},
		{0, "since", r.At.Local().Format(time.DateTime)},
		{0, "from", r.From},
		{0, "reason", r.Reason},
	}
	if r.Raw != "" {
		lines = append(lines, statusLine{0, "damaged, octets", r.Raw})
		return printLines(w, lines)
	}
	lines = append(lines,
		statusLine{0, "session", r.Session},
		statusLine{0, "type", r.Type},
		statusLine{0, "list", r.List},
		statusLine{0, "user", r.User},
		statusLine{0, "attributes", ""},
	)
	for _, a := range r.Attributes {
		lines = append(lines, statusLine{1, a.Name, a.Value})
	}
	return printLines(w, lines)
}

func newSpoolReplay(g *global) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "replay {SEQ... | --all}", Short: "Send records that are set aside again", Long: spoolReplayHelp,
		ValidArgsFunction: g.completeSeqs(0),
		Example: `  aaasess spool replay 17 18
  aaasess spool replay --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := recordsRequest(args, all)
			if err != nil {
				return err
			}
			n, err := g.client().Replay(cmd.Context(), req)
			return g.tellRecords(n, err, "goes back to its queue", "go back to their queues")
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every record that is not damaged")
	return cmd
}

func newSpoolDrop(g *global) *cobra.Command {
	var all, yes bool
	cmd := &cobra.Command{
		Use: "drop {SEQ... | --all}", Short: "Forget records that are set aside", Long: spoolDropHelp,
		ValidArgsFunction: g.completeSeqs(0),
		Example: `  aaasess spool drop 17
  aaasess spool drop --all --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := recordsRequest(args, all)
			if err != nil {
				return err
			}
			if all && !yes && !g.terminal {
				return fmt.Errorf("%w: --all wants --yes where nobody can be asked", errUsage)
			}
			client := g.client()
			if all && !yes {
				if err := g.confirmDrop(cmd.Context(), client); err != nil {
					return err
				}
			}
			n, err := client.Drop(cmd.Context(), req)
			return g.tellRecords(n, err, "dropped", "dropped")
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every record that is set aside")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

const spoolForgetDamageHelp = `Forget what "show spool" tells of records that could not be read on the disk, when you have
seen it: its exit code is 0 again. The records are lost either way. Damage of the state is
told until the daemon was started with --accept-loss.`

func newSpoolForgetDamage(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "forget-damage", Short: "Forget the records that could not be read on the disk", Long: spoolForgetDamageHelp,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := g.client().ForgetDamage(cmd.Context())
			if err != nil {
				return err
			}
			if g.json {
				return g.printJSON(api.ForgetAnswer{Entries: n})
			}
			fmt.Fprintf(g.err, "%d %s of damage forgotten\n", n, plural(n, "entry", "entries"))
			return nil
		},
	}
}

func plural(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

func (g *global) confirmDrop(ctx context.Context, client *apiclient.Client) error {
	status, err := client.Spool(ctx)
	if err != nil {
		return err
	}
	if status.SetAside == 0 {
		return errNoRecord
	}
	yes, err := g.ask(ctx, fmt.Sprintf("Drop ALL records that are set aside, %d now?", status.SetAside))
	if err == nil && !yes {
		err = errNotDropped
	}
	return err
}

// tellRecords says what was done with how many records.
func (g *global) tellRecords(n int, err error, one, several string) error {
	switch {
	case err != nil:
		return err
	case g.json:
		err = g.printJSON(api.RecordsAnswer{Records: n})
	case n == 1:
		fmt.Fprintln(g.err, "1 record "+one)
	case n > 1:
		fmt.Fprintf(g.err, "%d records %s\n", n, several)
	}
	if err == nil && n == 0 {
		err = errNoRecord
	}
	return err
}

func recordsRequest(args []string, all bool) (api.RecordsRequest, error) {
	if (len(args) > 0) == all {
		return api.RecordsRequest{}, fmt.Errorf("%w: say which records: SEQs or --all, and one of them only", errUsage)
	}
	seqs, err := parseSeqs(args)
	return api.RecordsRequest{Seqs: seqs, All: all}, err
}

func parseSeqs(args []string) ([]uint64, error) {
	var seqs []uint64
	for _, arg := range args {
		seq, err := strconv.ParseUint(arg, 10, 64)
		if err != nil || seq == 0 {
			return nil, fmt.Errorf("%w: %q is no number of a record", errUsage, arg)
		}
		seqs = append(seqs, seq)
	}
	return seqs, nil
}

// completeSeqs suggests numbers of records, for at most so many words; 0 is any number.
func (g *global) completeSeqs(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		list, err := apiclient.New(g.socketPath(), time.Second).SetAside(cmd.Context(), 0, 200)
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
