package live

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const showLoginsHelp = `List the users whom a server has accepted, and whose accounting has not started: the newest first.

  USER     User-Name of the Access-Accept, else of the Access-Request
  KIND     what is to start: network, exec or connection; resource is a call
  STATION  Calling-Station-Id
  PORT     NAS-Port-Id, else NAS-Port
  AGE      time since the Access-Accept
  LEFT     time until the user counts as one whose session never started
  SESSION  the session ID that is reserved for the session, if the configuration wants that
           (attribute-44)

With --json each has the attributes of the request that say who and where, and what was
granted.

The exit code is 4 if the daemon relays no authentication.`

// NewShowLogins returns the command "show logins".
func NewShowLogins(g *cli.Global) *cobra.Command {
	limit := api.PageSize
	cmd := &cobra.Command{
		Use: "logins", Short: "List the users who were accepted and whose accounting has not started", Long: showLoginsHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > api.MaxPage {
				return fmt.Errorf("%w: --limit %d: want 1 to %d", cli.ErrUsage, limit, api.MaxPage)
			}
			list, err := g.Client().Logins(cmd.Context(), limit)
			if err != nil {
				return err
			}
			if g.JSON {
				return g.PrintJSON(list)
			}
			if err := PrintLogins(g.Out, list, time.Now()); err != nil {
				return err
			}
			fmt.Fprintln(g.Err, LoginsText(len(list.Logins), list.Waiting, limit))
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, fmt.Sprintf("list at most `N` users, 1 to %d", api.MaxPage))
	return cmd
}

// LoginsText says how many users are listed, and how many of the logins that wait are not.
func LoginsText(listed, waiting, limit int) string {
	others := max(0, waiting-listed)
	users, login, are, why := term.Count(listed, "user"), "more login", "are", "not accepted yet"
	if listed == 0 {
		users, login = "no users", "login"
	}
	if others == 1 {
		are = "is"
	}
	if listed == limit {
		why += " or not listed (--limit)"
	}
	switch {
	case listed == 0 && others == 0:
		return "no user waits for accounting to start"
	case others == 0:
		return users
	}
	return fmt.Sprintf("%s; %s %s %s", users, term.Count(others, login), are, why)
}

// PrintLogins prints a list of logins as a table.
func PrintLogins(w io.Writer, list *api.LoginList, now time.Time) error {
	t := term.NewTable(w, []term.Column{
		{Title: "USER"},
		{Title: "KIND"},
		{Title: "NAS"},
		{Title: "STATION"},
		{Title: "PORT"},
		{Title: "AGE", Right: true},
		{Title: "LEFT", Right: true},
		{Title: "SESSION"},
	})
	for _, a := range list.Logins {
		port := a.NASPortID
		if a.NASPort != nil && port == "" {
			port = strconv.FormatUint(uint64(*a.NASPort), 10)
		}
		err := t.Row(a.User, a.Kind, cmp.Or(a.NAS, a.NASAddress), a.CallingStation, port, human.Span(now.Sub(a.Accepted)), human.Span(max(0, a.Until.Sub(now))), a.Session)
		if err != nil {
			return err
		}
	}
	return t.Flush()
}
