package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

const sessionsHelp = `List the live sessions that match all the given filters. Without a filter, list all.

An ID is the Acct-Session-Id in the first column: exactly eight hex digits, or 0x and one to
eight hex digits. --number selects by the same value as a decimal number (casnSessionId).

  AGE    time since the session started
  IDLE   time since user data last flowed
  IN     octets from the user, as the NAS last reported them (k, M, G: powers of 1000)
  OUT    octets to the user
  STATE  active; terminating while the session is being disconnected; stuck if the NAS has
         not ended it in five attempts (the daemon goes on asking)
  DISCONNECT  the last outcome, the number of attempts, and the time until the next one

On a terminal, lines fit its width if it has at least 80 columns: below 110 there is no
DISCONNECT, below 96 no IN and OUT, and long values are cut. Otherwise all columns are
printed.

The exit code is 4 if filters are given and no session matches them.`

func newShowSessions(g *global) *cobra.Command {
	var ids []string
	var order string
	var limit uint
	var wide bool
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List the live sessions",
		Long:  sessionsHelp,
		Example: `  aaasess show sessions --user alice@example.net
  aaasess show sessions --nas nas-1 --sort octets --limit 10
  aaasess show sessions --json | jq -r '.sessions[] | select(.idle > 3600) | .id'`,
		Args: cobra.NoArgs,
	}
	filter := addFilterFlags(cmd, g)
	cmd.Flags().StringSliceVar(&ids, "id", nil, "the session `ID` (may be repeated)")
	cmd.Flags().StringVar(&order, "sort", "id",
		"sort by `ORDER`: id, user, address, nas, started (oldest first), idle (longest first), octets, input or output (most first); a leading - reverses the order")
	cmd.Flags().UintVar(&limit, "limit", 0, "list at most `N` sessions; 0 for all")
	cmd.Flags().BoolVar(&wide, "wide", false, "print more columns, and do not cut long values, whatever the width of the terminal")
	complete(cmd, "sort", api.Orders()...)
	_ = cmd.RegisterFlagCompletionFunc("id", g.suggestIDs(0))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := filter.query(cmd, ids)
		if err != nil {
			return err
		}
		values := q.Values()
		values.Set("sort", order)
		values.Set("limit", strconv.FormatUint(uint64(limit), 10))
		if q, err = api.ParseQuery(values); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		return g.showSessions(cmd, q, wide)
	}
	return cmd
}

func (g *global) showSessions(cmd *cobra.Command, q api.Query, wide bool) error {
	list, err := g.client().Sessions(cmd.Context(), q)
	if err != nil {
		return err
	}
	defer list.Close()
	shown := 0
	if g.json {
		head := api.SessionsHead{Total: list.Total, Matched: list.Matched}
		err = printList(g.out, head, list.All(), func(api.Session) { shown++ })
	} else {
		shown, err = g.printTable(list, wide, time.Now())
	}
	if err != nil {
		return err
	}
	if list.Matched == 0 && !q.IsZero() {
		return fmt.Errorf("%w (%s live)", errNoMatch, count(list.Total, "session"))
	}
	if !g.json {
		fmt.Fprintln(g.err, summary(shown, list.Matched, list.Total, q.IsZero()))
	}
	return nil
}

// summary returns the line below a table. all says that no filter was given.
func summary(shown, matched, total int, all bool) string {
	out := count(matched, "session")
	if shown < matched {
		out = fmt.Sprintf("%d of %s", shown, out)
	}
	if !all {
		out += fmt.Sprintf(" matched, %d live", total)
	}
	return out
}

var (
	narrowColumns = []column{
		{title: "ID"},
		{title: "USER", cut: 32},
		{title: "ADDRESS"},
		{title: "NAS", cut: 32},
		{title: "AGE", right: true},
		{title: "IDLE", right: true},
		{title: "IN", right: true},
		{title: "OUT", right: true},
		{title: "STATE"},
		{title: "DISCONNECT"},
	}
	wideColumns = []column{
		{title: "ID"},
		{title: "NUMBER", right: true},
		{title: "KIND"},
		{title: "USER"},
		{title: "ADDRESS"},
		{title: "IPV6"},
		{title: "NAS"},
		{title: "NAS-IDENTIFIER"},
		{title: "NAS-ADDRESS"},
		{title: "PORT"},
		{title: "NAS-SESSION-ID"},
		{title: "CALLING-STATION"},
		{title: "CALLED-STATION"},
		{title: "STARTED"},
		{title: "HEARD"},
		{title: "IDLE", right: true},
		{title: "IN", right: true},
		{title: "OUT", right: true},
		{title: "STATE"},
		{title: "DISCONNECT"},
	}
)

func (g *global) printTable(list *apiclient.List, wide bool, now time.Time) (shown int, err error) {
	columns, cells := narrowColumns, narrowCells
	switch {
	case wide:
		columns, cells = wideColumns, wideCells
	case g.width > 0:
		columns, cells = fittingColumns(g.width)
	}
	t := g.stateColors(newTable(g.out, columns))
	for s, err := range list.All() {
		if err != nil {
			return shown, err
		}
		if err := t.row(cells(s, now)...); err != nil {
			return shown, err
		}
		shown++
	}
	return shown, t.flush()
}

func narrowCells(s api.Session, now time.Time) []string {
	return []string{
		s.ID, s.User, address(s), cmp.Or(s.NAS, s.NASAddress),
		span(now.Sub(s.Started)), span(time.Duration(s.Idle) * time.Second),
		amount(s.InputOctets), amount(s.OutputOctets), state(s), attemptsText(s, now),
	}
}

// ipv6 returns the IPv6 addresses and prefixes of a session.
func ipv6(s api.Session) []string {
	return slices.Concat(s.IPv6Addresses, s.IPv6Prefixes, s.DelegatedPrefixes)
}

// address returns the address of a session, or its first IPv6 address or prefix.
func address(s api.Session) string {
	if v6 := ipv6(s); s.Address == "" && len(v6) > 0 {
		return v6[0]
	}
	return s.Address
}

func wideCells(s api.Session, now time.Time) []string {
	port := s.NASPortID
	if s.NASPort != nil && port == "" {
		port = strconv.FormatUint(uint64(*s.NASPort), 10)
	}
	return []string{
		s.ID, strconv.FormatUint(uint64(s.Number), 10), s.Kind, s.User, s.Address, strings.Join(ipv6(s), ","),
		s.NAS, s.NASIdentifier, s.NASAddress,
		port, s.AcctSessionID, s.CallingStation, s.CalledStation,
		date(s.Started), date(s.Heard),
		span(time.Duration(s.Idle) * time.Second),
		strconv.FormatUint(s.InputOctets, 10), strconv.FormatUint(s.OutputOctets, 10), state(s), attemptsText(s, now),
	}
}

// state returns the state of a session, with stuck as a state of its own.
func state(s api.Session) string {
	if s.Termination != nil && s.Termination.Stuck {
		return "stuck"
	}
	return s.State
}

// attemptsText returns the progress of the disconnect, if the NAS was asked to end the session.
func attemptsText(s api.Session, now time.Time) string {
	t := s.Termination
	if t == nil || t.Attempts == 0 {
		return ""
	}
	var details []string
	if t.Last != "" {
		details = append(details, t.Last)
	}
	details = append(details, count(t.Attempts, "attempt"))
	if t.Next != nil {
		details = append(details, "next in "+span(t.Next.Sub(now)))
	}
	return strings.Join(details, ", ")
}
