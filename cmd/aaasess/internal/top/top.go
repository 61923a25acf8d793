package top

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

const topHelp = `Show the live sessions in a table that is always up to date, one screen of the list at a time.

  up, down, j, k       select a session (PageUp, PageDown, Home and End too)
  enter                show the details of the session; esc goes back to the list
  d                    disconnect the session: a question names its user and NAS, and only y
                       means yes
  s                    sort by the next order: address, id, idle, input, nas, octets, output,
                       started, user
  r                    reverse the order
  /                    change the filter: words such as user=alice nas=lab, with the names of
                       the flags below; a word alone is a user; an empty line shows all
  q, Ctrl-C            quit; Ctrl-Z suspends

  IN/s, OUT/s          octets a second from and to the user (k, M, G: powers of 1000)
  IN PKT/s, OUT PKT/s  packets a second, if the terminal has at least 117 columns

A rate is the difference of two reports. It is - until the second report has arrived, and stays
until the next one: a NAS that sends an interim every five minutes has the rate of the last five
minutes. Sessions whose interface is on the daemon's host have the rate since the last request.

The daemon sorts, filters and sends what the screen shows, so a million sessions are no burden.
If it goes away, the table stays, a line says so, and the command asks again until it is back.

The command needs a terminal of any size; 80 columns and more show whole lines. On a terminal that
cannot move the cursor (TERM=dumb) it prints the table again and again, until Ctrl-C. NO_COLOR turns
colors off. "aaasess show sessions" is for scripts.`

// New returns the command "top".
func New(g *cli.Global) *cobra.Command {
	var ids []string
	var order string
	var interval time.Duration
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show the live sessions in a live table",
		Long:  topHelp,
		Example: `  aaasess top
  aaasess top --nas nas-1 --sort idle`,
		Args: cobra.NoArgs,
	}
	filter := cli.AddFilterFlags(cmd, g)
	filter.AddSearch(cmd)
	cmd.Flags().StringSliceVar(&ids, "id", nil, "the session `ID` (may be repeated)")
	cmd.Flags().StringVar(&order, "sort", "octets", "sort by `ORDER`, as \"show sessions\" does; a leading - reverses the order")
	cmd.Flags().DurationVar(&interval, "interval", 2*time.Second, "ask the daemon every `DURATION` (100ms to 1h)")
	cli.Complete(cmd, "sort", api.Orders()...)
	_ = cmd.RegisterFlagCompletionFunc("id", g.SuggestIDs(0))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := filter.Query(cmd, ids)
		if err != nil {
			return err
		}
		values := q.Values()
		values.Set("sort", order)
		if q, err = api.ParseQuery(values); err != nil {
			return fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
		if interval < 100*time.Millisecond || interval > time.Hour {
			return fmt.Errorf("%w: --interval %v: want 100ms to 1h", cli.ErrUsage, interval)
		}
		if g.JSON {
			return fmt.Errorf(`%w: top has no JSON: see "aaasess show sessions --json"`, cli.ErrUsage)
		}
		return top(cmd.Context(), g, q, interval)
	}
	return cmd
}

// top runs the live table.
func top(ctx context.Context, g *cli.Global, q api.Query, interval time.Duration) error {
	out, ok := g.Out.(*os.File)
	if !ok || !cli.IsTerminal(out) || !g.Terminal {
		return fmt.Errorf(`%w: top needs a terminal: see "aaasess show sessions"`, cli.ErrUsage)
	}
	m := newTopModel(Ask(ctx, g.Client()), q, interval)
	if term := g.Getenv("TERM"); term == "" || term == "dumb" {
		return printTop(ctx, g, m)
	}
	m.suspends = hasShell()
	// The context ends it at a signal.
	_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(g.In), tea.WithOutput(out), tea.WithoutSignalHandler()).Run()
	return cmp.Or(m.fatal, err)
}

// hasShell reports whether the parent can continue the process after a Ctrl-Z, as a shell does. Without
// one, the kernel would not stop the process, and the library would wait for its continuation.
func hasShell() bool {
	parent := os.Getppid()
	session, errSession := unix.Getsid(0)
	itsSession, errIts := unix.Getsid(parent)
	itsGroup, errGroup := unix.Getpgid(parent)
	return errors.Join(errSession, errIts, errGroup) == nil && itsSession == session && itsGroup != unix.Getpgrp()
}

// printTop prints the start of the list again and again, without any control sequence.
func printTop(ctx context.Context, g *cli.Global, m *topModel) error {
	m.plain = true
	m.width = cmp.Or(g.Width, 80)
	m.cursor = -1
	for {
		m.Update(m.request()())
		if ctx.Err() != nil {
			return nil
		}
		if m.fatal != nil {
			return m.fatal
		}
		lines := m.body()
		if m.err != nil {
			lines = append(lines, m.footer()[0])
		}
		if _, err := fmt.Fprintln(g.Out, strings.Join(lines, "\n")); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(m.interval):
		}
	}
}

// Ask returns the requests of the live table.
func Ask(ctx context.Context, client *apiclient.Client) topAsker {
	return topAsker{
		now: time.Now,
		session: func(id api.ID) (*api.SessionDetail, error) {
			return client.Session(ctx, id)
		},
		List: func(q api.Query) (topPage, error) {
			list, err := client.Sessions(ctx, q)
			if err != nil {
				return topPage{}, err
			}
			defer list.Close()
			page := topPage{start: q.Offset, total: list.Total, matched: list.Matched}
			for s, err := range list.All() {
				if err != nil {
					return topPage{}, err
				}
				if len(page.Rows) == q.Limit { // it may never end
					return topPage{}, fmt.Errorf("%w: more than the %d sessions that were asked for", apiclient.ErrInvalid, q.Limit)
				}
				page.Rows = append(page.Rows, s)
			}
			return page, nil
		},
		disconnect: func(id string) (ended api.Session, err error) {
			list, err := client.Disconnect(ctx, api.DisconnectRequest{IDs: []string{id}})
			if err != nil {
				return ended, err
			}
			defer list.Close()
			for s, err := range list.All() {
				if err != nil {
					return ended, err
				}
				ended = s
			}
			if ended.ID == "" {
				return ended, errors.New("the daemon has named no session")
			}
			return ended, nil
		},
	}
}
