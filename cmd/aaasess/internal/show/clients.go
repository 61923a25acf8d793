package show

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const showClientsHelp = `Show the RADIUS clients of the configuration, which are the NASes, and what they have sent since the
daemon started. With NAME, only the client with that name. A client has a line for accounting and,
if the daemon relays authentication, one for that. A client with several addresses has lines for
each.

  REQUESTS   datagrams from the address
  ANSWERS    answers sent, including repeated ones and those to Status-Servers
  COPIES     datagrams that the client has sent again
  INVALID    datagrams that were dropped: malformed, or with a wrong authenticator, which is usually
             a wrong secret, or without the Message-Authenticator that they must have
  REFUSED    requests that were left unanswered: nothing could be stored, or no server answered
  UNSENT     answers that could not be sent
  ANSWERED   time since the last answer; - if there was none

A client with requests and no answers has another secret than the configuration, or sends from
another address than it should. The log says which.

The exit code is 4 if no client has the NAME.`

// clientView is the JSON form of a client.
type clientView struct {
	Name           string                `json:"name"`
	Address        string                `json:"address"` // its prefix
	Accounting     *api.ClientStatus     `json:"accounting,omitempty"`
	Authentication *api.AuthClientStatus `json:"authentication,omitempty"`
}

// ClientsView is the JSON document of the command.
type ClientsView struct {
	Clients []clientView `json:"clients"` // in the order of the configuration
	// UnknownClients counts datagrams from addresses of no client, over all listeners.
	UnknownClients uint64 `json:"unknownClients"`
}

// NewShowClients returns the command "show clients".
func NewShowClients(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use:   "clients [NAME]",
		Short: "Show the NASes and what they have sent",
		Long:  showClientsHelp,
		Example: `  aaasess show clients
  aaasess show clients lab --json`,
		Args: cli.OptionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return SuggestClients(cmd.Context(), g), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			status, err := g.Client().Status(cmd.Context())
			if err != nil {
				return err
			}
			view, err := NewClientsView(status)
			if err != nil {
				return err
			}
			if len(args) > 0 {
				view.Clients = slices.DeleteFunc(view.Clients, func(c clientView) bool { return c.Name != args[0] })
				if len(view.Clients) == 0 {
					return fmt.Errorf("%w %q", cli.ErrNoClient, args[0])
				}
			}
			if g.JSON {
				return g.PrintJSON(view)
			}
			if err := PrintClients(g.Out, view, time.Now()); err != nil {
				return err
			}
			if len(args) == 0 {
				fmt.Fprintln(g.Err, ClientsText(view))
			}
			return nil
		},
	}
}

// NewClientsView joins the clients of both listeners.
func NewClientsView(status *api.Status) (*ClientsView, error) {
	view := &ClientsView{Clients: []clientView{}}
	if section := status.Sections[api.RadiusSection]; section != nil {
		var s api.ListenerStatus
		if err := json.Unmarshal(section, &s); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.RadiusSection, err)
		}
		view.UnknownClients += s.UnknownClients
		for i := range s.Clients {
			c := &s.Clients[i]
			view.Clients = append(view.Clients, clientView{Name: c.Name, Address: c.Address, Accounting: c})
		}
	}
	if section := status.Sections[api.AuthenticationSection]; section != nil {
		var s api.AuthenticationStatus
		if err := json.Unmarshal(section, &s); err != nil {
			return nil, fmt.Errorf("section %q: %w", api.AuthenticationSection, err)
		}
		view.UnknownClients += s.Listener.UnknownClients
		for i := range s.Listener.Clients {
			c := &s.Listener.Clients[i]
			same := func(v clientView) bool { return v.Address == c.Address }
			if j := slices.IndexFunc(view.Clients, same); j >= 0 {
				view.Clients[j].Authentication = c
			} else {
				view.Clients = append(view.Clients, clientView{Name: c.Name, Address: c.Address, Authentication: c})
			}
		}
	}
	return view, nil
}

// PrintClients prints the clients as a table.
func PrintClients(w io.Writer, view *ClientsView, now time.Time) error {
	t := term.NewTable(w, []term.Column{
		{Title: "CLIENT"},
		{Title: "ADDRESS"},
		{Title: "SERVICE"},
		{Title: "REQUESTS", Right: true},
		{Title: "ANSWERS", Right: true},
		{Title: "COPIES", Right: true},
		{Title: "INVALID", Right: true},
		{Title: "REFUSED", Right: true},
		{Title: "UNSENT", Right: true},
		{Title: "ANSWERED", Right: true},
	})
	row := func(c *clientView, service string, last *time.Time, counts ...uint64) error {
		cells := []string{cmp.Or(c.Name, c.Address), c.Address, service}
		for _, n := range counts {
			cells = append(cells, strconv.FormatUint(n, 10))
		}
		age := ""
		if last != nil {
			age = human.Span(now.Sub(*last))
		}
		return t.Row(append(cells, age)...)
	}
	for i := range view.Clients {
		c := &view.Clients[i]
		if s := c.Accounting; s != nil {
			err := row(c, "accounting", s.LastAnswered, s.Requests, s.Responses, s.Duplicates, s.Malformed+s.BadAuthenticators, s.Refused, s.Dropped)
			if err != nil {
				return err
			}
		}
		if s := c.Authentication; s != nil {
			err := row(c, "authentication", s.LastAnswered, s.Requests, s.Responses, s.Duplicates, s.Malformed+s.BadAuthenticators+s.Unsigned, s.Refused, s.Dropped)
			if err != nil {
				return err
			}
		}
	}
	return t.Flush()
}

// ClientsText returns the line below the table.
func ClientsText(view *ClientsView) string {
	text := term.Count(len(view.Clients), "client")
	if view.UnknownClients > 0 {
		text += fmt.Sprintf("; %s from unknown addresses", term.Count(int(min(view.UnknownClients, 1<<62)), "datagram"))
	}
	return text
}

// SuggestClients returns the names of the clients.
func SuggestClients(ctx context.Context, g *cli.Global) (names []string) {
	status, err := g.SuggestClient().Status(ctx)
	if err != nil {
		return nil
	}
	view, err := NewClientsView(status)
	if err != nil {
		return nil
	}
	for _, c := range view.Clients {
		if c.Name == human.Printable(c.Name) && !slices.Contains(names, c.Name) && len(names) < cli.MaxSuggestions {
			names = append(names, c.Name)
		}
	}
	return names
}
