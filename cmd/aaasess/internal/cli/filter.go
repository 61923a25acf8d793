package cli

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"aaasess/cmd/internal/api"
)

// filterFlags are the flags that select sessions.
type filterFlags struct {
	values  map[string]*string // by flag, also the name of the parameter
	Kinds   []string           // values of --kind
	numbers []uint
}

// filterKeys are the flags that filter by an attribute, with their usage.
var filterKeys = [...]struct{ name, usage string }{
	{"user", "sessions whose User-Name is exactly `NAME`"},
	{"address", "sessions with `ADDRESS`, an IPv4 or IPv6 address, or with an address in this prefix"},
	{"line", "sessions on the `LINE` of a NAS: its NAS-Port-Id, or its NAS-Port in decimal"},
	{"nas", "sessions of the `NAS`: the client's name in the configuration, what the NAS calls itself, its address, or name@address"},
	{"calling-station", "sessions whose Calling-Station-Id is `STATION`; a MAC address in any notation"},
	{"acct-session-id", "sessions whose Acct-Session-Id at the NAS is `ID`"},
	{"kind", "sessions whose kind is `KIND`: network, exec or connection"},
	{"state", "sessions whose state is `STATE`: active, terminating, or stuck (being disconnected without success)"},
}

// AddFilterFlags adds the flags to a command, except for those of filterKeys named in without.
func AddFilterFlags(cmd *cobra.Command, g *Global, without ...string) *filterFlags {
	f := &filterFlags{values: map[string]*string{}, Kinds: api.Kinds()}
	for _, k := range filterKeys {
		if !slices.Contains(without, k.name) {
			f.values[k.name] = cmd.Flags().String(k.name, "", k.usage)
		}
	}
	cmd.Flags().UintSliceVar(&f.numbers, "number", nil, "sessions whose casnSessionId is `N` (may be repeated)")
	cmd.Flags().Lookup("number").DefValue = "" // else the help says "[]"
	_ = cmd.RegisterFlagCompletionFunc("kind", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return f.Kinds, cobra.ShellCompDirectiveNoFileComp
	})
	Complete(cmd, "state", api.States()...)
	for name, field := range map[string]func(api.Session) string{
		"user":    func(s api.Session) string { return s.User },
		"address": Address,
		"line":    Line,
		"nas":     func(s api.Session) string { return cmp.Or(s.NAS, s.NASAddress) },

		"calling-station": func(s api.Session) string { return s.CallingStation },
		"acct-session-id": func(s api.Session) string { return s.AcctSessionID },
		"number":          func(s api.Session) string { return strconv.FormatUint(uint64(s.Number), 10) },
	} {
		g.CompleteField(cmd, name, field)
	}
	return f
}

// AddSearch adds the flag that searches for a text.
func (f *filterFlags) AddSearch(cmd *cobra.Command) {
	f.values["search"] = cmd.Flags().String("search", "",
		"sessions with `TEXT` anywhere, in upper or lower case, in user, address, NAS, line, Calling-Station-Id, Acct-Session-Id or ID")
}

// Query returns the query that the flags and the ids describe.
func (f *filterFlags) Query(cmd *cobra.Command, ids []string) (api.Query, error) {
	return ParseFlags(f, cmd, ids, api.ParseQuery)
}

// ParseFlags parses the parameters that the flags and the ids are.
func ParseFlags[T any](f *filterFlags, cmd *cobra.Command, ids []string, parse func(url.Values) (T, error)) (parsed T, err error) {
	values := url.Values{}
	for _, id := range ids {
		values.Add("id", id)
	}
	for _, n := range f.numbers {
		if n == 0 || uint64(n) > 1<<32-1 {
			return parsed, fmt.Errorf("%w: no session has the number %d", ErrUsage, n)
		}
		values.Add("id", api.ID(n).String())
	}
	for name, value := range f.values {
		if cmd.Flags().Changed(name) {
			values.Set(name, *value)
		}
	}
	if parsed, err = parse(values); err != nil {
		return parsed, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return parsed, nil
}

// Address returns the address of a session, or its first IPv6 address or prefix.
func Address(s api.Session) string {
	if v6 := IPv6(s); s.Address == "" && len(v6) > 0 {
		return v6[0]
	}
	return s.Address
}

// Line returns the line of a session as --line has it: its NAS-Port-Id, else its NAS-Port in
// decimal, else "".
func Line(s api.Session) string {
	if s.NASPortID == "" && s.NASPort != nil {
		return strconv.FormatUint(uint64(*s.NASPort), 10)
	}
	return s.NASPortID
}

// IPv6 returns the IPv6 addresses and prefixes of a session.
func IPv6(s api.Session) []string {
	return slices.Concat(s.IPv6Addresses, s.IPv6Prefixes, s.DelegatedPrefixes)
}
