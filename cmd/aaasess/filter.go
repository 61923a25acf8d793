package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// filterFlags are the flags that say which sessions are meant.
type filterFlags struct {
	values  map[string]*string // by parameter of the control socket, which is also the flag
	numbers []uint
}

// filterKeys are the filters, with what they mean.
var filterKeys = [...]struct{ name, usage string }{
	{"user", "the User-Name is exactly `NAME`"},
	{"address", "the Framed-IP-Address is `ADDRESS`"},
	{"nas", "the address or the name of the NAS is `NAS`"},
	{"calling-station", "the Calling-Station-Id is `STATION`; a MAC address in any notation"},
	{"acct-session-id", "the NAS calls the session `ID`"},
	{"kind", "`KIND` is network, exec or connection"},
	{"state", "`STATE` is active or terminating"},
}

func addFilterFlags(cmd *cobra.Command, g *global) *filterFlags {
	f := &filterFlags{values: map[string]*string{}}
	for _, k := range filterKeys {
		f.values[k.name] = cmd.Flags().String(k.name, "", k.usage)
	}
	cmd.Flags().UintSliceVar(&f.numbers, "number", nil, "the casnSessionId is `N` (may be repeated)")
	cmd.Flags().Lookup("number").DefValue = "" // not "[]" in the help
	complete(cmd, "kind", "network", "exec", "connection")
	complete(cmd, "state", "active", "terminating")
	for name, field := range map[string]func(api.Session) string{
		"user":    func(s api.Session) string { return s.User },
		"address": func(s api.Session) string { return s.Address },
		"nas":     func(s api.Session) string { return cmp.Or(s.NAS, s.NASAddress) },
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return g.suggest(cmd.Context(), field), cobra.ShellCompDirectiveNoFileComp
		})
	}
	return f
}

// complete says what a flag can be.
func complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// suggest asks the daemon for values to complete with; none if it does not answer. What is not
// printable cannot be typed, and is left out.
func (g *global) suggest(ctx context.Context, field func(api.Session) string) []string {
	client := apiclient.New(g.socketPath(), time.Second)
	list, err := client.Sessions(ctx, api.Query{Limit: 200})
	if err != nil {
		return nil
	}
	defer list.Close()
	var out []string
	for s, err := range list.All() {
		if err != nil {
			break
		}
		if v := field(s); v != "" && v == printable(v) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// query reads the flags, with the ids that stand beside them.
func (f *filterFlags) query(cmd *cobra.Command, ids []string) (api.Query, error) {
	values := url.Values{}
	for _, id := range ids {
		values.Add("id", id)
	}
	for _, n := range f.numbers {
		if n == 0 || uint64(n) > 1<<32-1 {
			return api.Query{}, fmt.Errorf("%w: no session has the number %d", errUsage, n)
		}
		values.Add("id", api.ID(n).String())
	}
	for name, value := range f.values {
		if cmd.Flags().Changed(name) {
			values.Set(name, *value)
		}
	}
	q, err := api.ParseQuery(values)
	if err != nil {
		return api.Query{}, fmt.Errorf("%w: %w", errUsage, err)
	}
	return q, nil
}
