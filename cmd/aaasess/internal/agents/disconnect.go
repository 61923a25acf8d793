package agents

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/snmpmanager"
)

const snmpDisconnectHelp = `End sessions of other agents: those with the given --id and --number, those that match all the
given filters, or with --all every session. "aaasess snmp --help" has the ways to give a community
or a user; it must be allowed to SET casnDisconnect.

The command reads the sessions first, and then sets casnDisconnect of each to true, one SET for
each session, so that one that the agent rejects leaves the others alone. A line for each session
says what the agent has answered, with the error of the agent by its name in RFC 3416:

  being disconnected       the agent ends it; this cannot be canceled
  noCreation, noSuchName   the session has ended meanwhile
  notWritable, noAccess    the agent allows no disconnects ("session-mib-disconnect" of aaasessd)
  authorizationError       this community or user may not
  inconsistentValue        nothing can end this session

On a terminal, the command asks before it ends more than one session, and says how many match.
Without a terminal, more than one session needs --yes.

The exit code is 0 if the agents end all the sessions; 1 if the answer is not yes, if an agent
rejects a session, or if a host fails (the others are carried out); 2 if --yes is missing; and 4 if
no session matches.`

func newSNMPDisconnect(g *cli.Global) *cobra.Command {
	var all, yes bool
	cmd := &cobra.Command{
		Use:   "disconnect HOST...",
		Short: "End sessions of SNMP agents",
		Long:  snmpDisconnectHelp,
		Example: `  aaasess snmp disconnect router-1 --community-file private --id 0000000D
  aaasess snmp disconnect router-1 router-2 -u noc -a SHA-256 -x AES-128 \
    --auth-password-file auth --priv-password-file priv --user alice@example.net`,
		Args: cobra.MinimumNArgs(1),
	}
	flags := addSNMPFlags(cmd, g, true)
	cmd.Flags().BoolVar(&all, "all", false, "end every session of the hosts")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		targets, err := flags.targets(args)
		if err != nil {
			return err
		}
		filter, err := flags.query()
		switch {
		case err != nil:
			return err
		case all && !filter.IsZero():
			return fmt.Errorf("%w: --all excludes IDs and filters", cli.ErrUsage)
		case !all && filter.IsZero():
			return fmt.Errorf("%w: give --id, --number, a filter or --all", cli.ErrUsage)
		case all && !yes && !g.Terminal:
			return fmt.Errorf("%w: --all needs --yes if the standard input is not a terminal", cli.ErrUsage)
		}
		m, err := flags.manager()
		if err != nil {
			return err
		}
		*g.Started = true
		d := &snmpDisconnect{g: g, m: m, all: all, yes: yes, hosts: []snmpHost{}}
		return d.run(cmd.Context(), targets, filter)
	}
	return cmd
}

// snmpDisconnect is a disconnect while it runs.
type snmpDisconnect struct {
	g        *cli.Global
	m        *snmpManager
	all, yes bool

	hosts    []snmpHost
	failed   int // hosts
	sessions map[string][]snmpmanager.Session
	matched  int
}

func (d *snmpDisconnect) run(ctx context.Context, targets []snmpmanager.Target, filter *snmpmanager.Filter) error {
	if err := d.find(ctx, targets, filter); err != nil {
		return err
	}
	if d.matched == 0 {
		err := cmp.Or(hostsFailed(d.failed, len(targets)), cli.ErrNoMatch)
		if d.g.JSON {
			return errors.Join(err, d.printJSON(nil, 0))
		}
		return err
	}
	if err := d.confirm(ctx); err != nil {
		return err
	}
	var found []snmpmanager.Target
	for _, t := range targets {
		if len(d.sessions[t.Name]) > 0 {
			found = append(found, t)
		}
	}
	return cmp.Or(d.end(ctx, found), hostsFailed(d.failed, len(targets)))
}

// find asks the hosts for the sessions.
func (d *snmpDisconnect) find(ctx context.Context, targets []snmpmanager.Target, filter *snmpmanager.Filter) error {
	d.sessions = map[string][]snmpmanager.Session{}
	for answer := range d.m.askAll(ctx, targets, filter) {
		if ctx.Err() != nil {
			break
		}
		d.hosts = append(d.hosts, newSNMPHost(&answer))
		if answer.Err != nil {
			d.failed++
			printHostError(d.g, answer.Target, answer.Err)
			continue
		}
		d.sessions[answer.Target.Name] = answer.Sessions
		d.matched += len(answer.Sessions)
	}
	sortHosts(d.hosts, targets)
	return context.Cause(ctx)
}

// confirm prompts if more than one session would end. Only the sessions that it has counted end.
func (d *snmpDisconnect) confirm(ctx context.Context) error {
	switch {
	case d.yes || d.matched == 1 && !d.all:
		return nil
	case !d.g.Terminal:
		return fmt.Errorf("%w: %s match; more than one needs --yes if the standard input is not a terminal", cli.ErrUsage, term.Count(d.matched, "session"))
	}
	with := 0
	for _, list := range d.sessions {
		if len(list) > 0 {
			with++
		}
	}
	yes, err := d.g.Prompt(ctx, fmt.Sprintf("Disconnect %s at %s?", cli.Selected(d.matched, d.all), term.Count(with, "host")))
	if err == nil && !yes {
		err = cli.ErrNotDisconnected
	}
	return err
}

// end sends the SETs and prints their outcomes.
func (d *snmpDisconnect) end(ctx context.Context, targets []snmpmanager.Target) error {
	var documents []snmpSession
	marked, done := 0, 0
	var ended atomic.Int64
	shown := func() {}
	if d.g.JSON || !d.g.OutTerminal { // else the lines on the terminal show it
		shown = d.g.Progress(ctx, func(context.Context) string {
			return cli.OfTotal("disconnecting", int(ended.Load()), d.matched, "session")
		})
	}
	defer shown()
	results := snmpmanager.Each(ctx, targets, func(ctx context.Context, t snmpmanager.Target) iter.Seq[snmpmanager.Result] {
		return d.m.Disconnect(ctx, t, d.sessions[t.Name])
	})
	for r := range results {
		if ctx.Err() != nil {
			break
		}
		done++
		ended.Add(1)
		text := "being disconnected"
		document := newSNMPSession(&r.Session)
		if r.Err != nil {
			text = r.Err.Error()
			document.Error = text
		} else {
			marked++
			document.State = snmpmanager.Terminating
		}
		if d.g.JSON {
			documents = append(documents, document)
			continue
		}
		if _, err := fmt.Fprintf(d.g.Out, "%s  %s  %s  %s\n", human.Printable(r.Host), api.ID(r.Number), human.Printable(cmp.Or(r.User, "-")), human.Printable(text)); err != nil {
			return err
		}
	}
	shown()
	if d.g.JSON {
		if err := d.printJSON(documents, marked); err != nil {
			return err
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w after %d of %s", cause, done, term.Count(d.matched, "session"))
	}
	if !d.g.JSON {
		fmt.Fprintln(d.g.Err, term.Count(marked, "session"), "being disconnected")
	}
	if marked < d.matched {
		return fmt.Errorf("%w: %d of %d are left", cli.ErrSessionsRun, d.matched-marked, d.matched)
	}
	return nil
}

func (d *snmpDisconnect) printJSON(documents []snmpSession, marked int) error {
	head := struct {
		Hosts   []snmpHost `json:"hosts"`
		Matched int        `json:"matched"`
		Marked  int        `json:"marked"` // that the agents end
	}{d.hosts, d.matched, marked}
	return cli.PrintList(d.g.Out, head, func(yield func(snmpSession, error) bool) {
		for _, s := range documents {
			if !yield(s, nil) {
				return
			}
		}
	}, func(snmpSession) {})
}
