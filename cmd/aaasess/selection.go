package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

// selectionFlags are the flags of a command that ends sessions.
type selectionFlags struct {
	filter *filterFlags
	all    bool
	yes    bool
}

// add adds the flags to a command. all is the usage of --all.
func (f *selectionFlags) add(cmd *cobra.Command, g *global, all string) {
	f.filter = addFilterFlags(cmd, g)
	cmd.Flags().BoolVar(&f.all, "all", false, all)
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask for confirmation")
}

// request returns the request that the flags and the ids describe, and the query for the sessions
// that match it now.
func (f *selectionFlags) request(cmd *cobra.Command, ids []string, wait time.Duration) (api.DisconnectRequest, api.Query, error) {
	none := api.DisconnectRequest{}
	q, err := f.filter.query(cmd, ids)
	if err != nil {
		return none, q, err
	}
	if f.all {
		if !q.IsZero() {
			return none, q, fmt.Errorf("%w: --all excludes IDs and filters", errUsage)
		}
		return api.DisconnectRequest{All: true, Wait: api.InSeconds(wait)}, q, nil
	}
	if q.IsZero() {
		return none, q, fmt.Errorf("%w: give IDs, a filter or --all", errUsage)
	}
	req, err := api.NewDisconnectRequest(q.Filter, wait)
	if err != nil {
		return none, q, fmt.Errorf("%w: %w", errUsage, err)
	}
	return req, q, nil
}

// atMost returns a request that ends no more sessions than the caller has confirmed. Whoever confirms
// all sessions means all.
func atMost(req api.DisconnectRequest, confirmed int) api.DisconnectRequest {
	if len(req.Filter) > 0 {
		req.Most = confirmed
	}
	return req
}

// matching returns how many sessions match a query now, and the first of them. If none matches, it
// returns errNoMatch, unless the command is for all sessions.
func (g *global) matching(ctx context.Context, client *apiclient.Client, q api.Query, all bool) (n int, first api.Session, err error) {
	q.Limit = 1
	list, err := client.Sessions(ctx, q)
	if err != nil {
		return 0, first, err
	}
	defer list.Close()
	if list.Matched == 0 && !all {
		return 0, first, fmt.Errorf("%w (%s live)", errNoMatch, count(list.Total, "session"))
	}
	for first, err = range list.All() {
		if err != nil {
			return 0, first, err
		}
	}
	return list.Matched, first, nil
}

// emptyList prints the JSON document of a list without sessions, if JSON is wanted and err is that
// no session matches. It returns err.
func (g *global) emptyList(head any, err error) error {
	if !g.json || !errors.Is(err, errNoMatch) {
		return err
	}
	b, marshalErr := json.Marshal(head)
	if marshalErr != nil {
		return marshalErr
	}
	if _, writeErr := fmt.Fprintf(g.out, `%s,"sessions":[`+"\n]}\n", b[:len(b)-1]); writeErr != nil {
		return writeErr
	}
	return err
}

// selected describes the sessions of a request in a question.
func selected(n int, all bool) string {
	if all {
		return fmt.Sprintf("ALL sessions, %d now", n)
	}
	return count(n, "session")
}
