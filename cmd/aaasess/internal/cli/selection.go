package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// SelectionFlags are the flags of a command that ends sessions.
type SelectionFlags struct {
	filter *filterFlags
	All    bool
	Yes    bool
}

// Add adds the flags to a command. all is the usage of --all.
func (f *SelectionFlags) Add(cmd *cobra.Command, g *Global, all string) {
	f.filter = AddFilterFlags(cmd, g)
	cmd.Flags().BoolVar(&f.All, "all", false, all)
	cmd.Flags().BoolVarP(&f.Yes, "yes", "y", false, "do not ask for confirmation")
}

// Request returns the request that the flags and the ids describe, and the query for the sessions
// that match it now.
func (f *SelectionFlags) Request(cmd *cobra.Command, ids []string, wait time.Duration) (api.DisconnectRequest, api.Query, error) {
	none := api.DisconnectRequest{}
	q, err := f.filter.Query(cmd, ids)
	if err != nil {
		return none, q, err
	}
	if f.All {
		if !q.IsZero() {
			return none, q, fmt.Errorf("%w: --all excludes IDs and filters", ErrUsage)
		}
		return api.DisconnectRequest{All: true, Wait: api.InSeconds(wait)}, q, nil
	}
	if q.IsZero() {
		return none, q, fmt.Errorf("%w: give IDs, a filter or --all", ErrUsage)
	}
	req, err := api.NewDisconnectRequest(q.Filter, wait)
	if err != nil {
		return none, q, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return req, q, nil
}

// AtMost returns a request that ends no more sessions than the caller has confirmed. Whoever confirms
// all sessions means all.
func AtMost(req api.DisconnectRequest, confirmed int) api.DisconnectRequest {
	if len(req.Filter) > 0 {
		req.Most = confirmed
	}
	return req
}

// Matching returns how many sessions match a query now, and the first of them. If none matches, it
// returns ErrNoMatch, unless the command is for all sessions.
func (g *Global) Matching(ctx context.Context, client *apiclient.Client, q api.Query, all bool) (n int, first api.Session, err error) {
	q.Limit = 1
	list, err := client.Sessions(ctx, q)
	if err != nil {
		return 0, first, err
	}
	defer list.Close()
	if list.Matched == 0 && !all {
		return 0, first, fmt.Errorf("%w (%s live)", ErrNoMatch, term.Count(list.Total, "session"))
	}
	for first, err = range list.All() {
		if err != nil {
			return 0, first, err
		}
	}
	return list.Matched, first, nil
}

// EmptyList prints the JSON document of a list without sessions, if JSON is wanted and err is that
// no session matches. It returns err.
func (g *Global) EmptyList(head any, err error) error {
	if !g.JSON || !errors.Is(err, ErrNoMatch) {
		return err
	}
	b, marshalErr := json.Marshal(head)
	if marshalErr != nil {
		return marshalErr
	}
	if _, writeErr := fmt.Fprintf(g.Out, `%s,"sessions":[`+"\n]}\n", b[:len(b)-1]); writeErr != nil {
		return writeErr
	}
	return err
}

// Selected describes the sessions of a request in a question.
func Selected(n int, all bool) string {
	if all {
		return fmt.Sprintf("ALL sessions, %d now", n)
	}
	return term.Count(n, "session")
}
