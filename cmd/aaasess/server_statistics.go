package main

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
)

// counter is a counter of a server, and what it counts.
type counter struct {
	label, meaning string
	count          func(*api.GroupServer) uint64
}

// counters returns the counters of servers of a protocol, in the order in which they are shown.
func counters(p api.Protocol) []counter {
	all := []counter{
		{"Requests sent", "records sent, without retransmissions", func(s *api.GroupServer) uint64 { return s.Statistics.Requests }},
		{"Retransmissions", "further transmissions of records to this server", func(s *api.GroupServer) uint64 { return s.Statistics.Retransmissions }},
		{"Total responses seen", "datagrams from the server, valid or not", func(s *api.GroupServer) uint64 { return s.Statistics.Responses }},
		{"Packets with responses", "records with a valid answer", func(s *api.GroupServer) uint64 { return s.Statistics.Successes }},
		{"Packets without responses", "records without a valid answer after all transmissions", func(s *api.GroupServer) uint64 { return s.Statistics.Failures }},
		{"Number of " + protocolName(p) + " timeouts", "transmissions without an answer in time", func(s *api.GroupServer) uint64 { return s.Statistics.Timeouts }},
		{"Malformed responses", "datagrams that are not valid RADIUS packets", func(s *api.GroupServer) uint64 { return s.Statistics.MalformedResponses }},
		{"Bad authenticators", "answers with a wrong authenticator: usually a wrong secret", func(s *api.GroupServer) uint64 { return s.Statistics.BadAuthenticators }},
		{"Unexpected responses", "answers of another type, or to no pending request: usually\nduplicates", func(s *api.GroupServer) uint64 { return s.Statistics.Unexpected }},
		{"Pending requests", "transmissions that wait for an answer now", func(s *api.GroupServer) uint64 { return s.Statistics.PendingRequests }},
	}
	if p != api.TACACS {
		return all
	}
	all[2].meaning = "packets from the server, valid or not"
	all[3].meaning = "records that the server has accepted"
	all[4].meaning = "records that it has not accepted after all transmissions"
	all[6].meaning = "packets that are not valid TACACS+ packets"
	all[7].label, all[7].meaning = "Wrong keys", "answers that a wrong key explains: lengths that do not add up"
	all[8].meaning = "answers of another type or another session"
	ofTACACS := func(count func(*api.TACACSServer) uint64) func(*api.GroupServer) uint64 {
		return func(s *api.GroupServer) uint64 {
			if s.TACACS == nil {
				return 0
			}
			return count(s.TACACS)
		}
	}
	return append(all,
		counter{"Answers with ERROR", "the record goes to the next server", ofTACACS(func(s *api.TACACSServer) uint64 { return s.Errors })},
		counter{"Answers with FOLLOW", "treated like ERROR", ofTACACS(func(s *api.TACACSServer) uint64 { return s.Follows })},
		counter{"Connections now", "open connections", ofTACACS(func(s *api.TACACSServer) uint64 { return uint64(max(0, s.Connections)) })},
		counter{"Connections opened", "in all", ofTACACS(func(s *api.TACACSServer) uint64 { return s.Opened })},
		counter{"Connections failed", "not opened, or ended by the server before an answer", ofTACACS(func(s *api.TACACSServer) uint64 { return s.Failed })},
	)
}

// protocolName returns the name of a protocol for titles.
func protocolName(p api.Protocol) string {
	if p == api.TACACS {
		return "TACACS+"
	}
	return "RADIUS"
}

// statisticsHelp describes the statistics of the servers of a protocol.
func statisticsHelp(p api.Protocol) string {
	var b strings.Builder
	b.WriteString("Show the statistics of each accounting server since the daemon started, for all server groups\n" +
		"or for GROUP. A server of several groups is shown with each of them, with the same counts.\n\n")
	width := len("Number of " + protocolName(p) + " timeouts") // the longest label
	line := func(label, meaning string) {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, label, strings.ReplaceAll(meaning, "\n", "\n"+strings.Repeat(" ", width+4)))
	}
	for _, c := range counters(p) {
		line(c.label, c.meaning)
	}
	line("Average response delay", "of all valid answers, in milliseconds")
	line("Last response delay", "of the last valid answer, in milliseconds")
	if p == api.TACACS {
		line("Single connection", "whether the server takes many records over one connection")
	}
	line("Server state", "up, down or unknown (nothing was sent yet), and for how long")
	line("Previous state", "how long the previous state lasted")
	line("Dead", "how often the server was declared down, and for how long in all")
	line("Tried again at", "when the hold down time of a server that is down ends")
	b.WriteString("\nTimes are local; with --json they are in RFC 3339. The exit code is 4 if there is no server\ngroup GROUP.")
	return b.String()
}

// newShowStatistics returns "show radius" or "show tacacs". name is the word for the protocol.
func newShowStatistics(g *global, name string, p api.Protocol) *cobra.Command {
	cmd := &cobra.Command{
		Use: name, Short: "Show " + protocolName(p) + " statistics", Args: subcommandArgs, RunE: requireSubcommand,
	}
	has := func(group api.ServerGroup) bool { return group.Protocol == p }
	cmd.AddCommand(&cobra.Command{
		Use:   "statistics [GROUP]",
		Short: "Show the statistics of the " + protocolName(p) + " accounting servers",
		Long:  statisticsHelp(p),
		Args:  optionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return g.suggestGroups(cmd.Context(), has), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client := g.client()
			var groups []api.ServerGroup
			if len(args) > 0 {
				group, err := client.ServerGroup(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if !has(*group) {
					return fmt.Errorf("server group %q has %s servers, not %s", args[0], protocolName(group.Protocol), protocolName(p))
				}
				groups = append(groups, *group)
			} else {
				all, err := client.ServerGroups(cmd.Context())
				if err != nil {
					return err
				}
				groups = slices.DeleteFunc(all, func(group api.ServerGroup) bool { return !has(group) })
			}
			if g.json {
				return g.printJSON(statisticsOf(groups))
			}
			return printStatistics(g.out, groups, time.Now())
		},
	})
	return cmd
}

// groupStatistics is what --json prints of a group.
type groupStatistics struct {
	Name    string            `json:"name"`
	Servers []api.GroupServer `json:"servers"`
}

func statisticsOf(groups []api.ServerGroup) any {
	out := struct {
		Groups []groupStatistics `json:"groups"`
	}{[]groupStatistics{}}
	for _, group := range groups {
		out.Groups = append(out.Groups, groupStatistics{group.Name, append([]api.GroupServer{}, group.Servers...)})
	}
	return out
}

func printStatistics(w io.Writer, groups []api.ServerGroup, now time.Time) error {
	var s screen
	for _, group := range groups {
		for i := range group.Servers {
			s.statistics(&group, &group.Servers[i], now)
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// statistics writes the statistics of one server.
func (s *screen) statistics(group *api.ServerGroup, server *api.GroupServer, now time.Time) {
	st := &server.Statistics
	const width = 34
	text := func(label, value string) { s.line(fmt.Sprintf("%*s: %s", width, label, printable(value))) }
	row := func(label, value string) { text(label, fmt.Sprintf("%12s", value)) }
	s.title("%s statistics of server %s", protocolName(group.Protocol), quoted(server.Name))
	text("Server group", group.Name)
	text("Address", net.JoinHostPort(server.Address, strconv.Itoa(int(server.AccountingPort))))
	s.line(fmt.Sprintf("%*s  %12s", width, "", "Acct."))
	for _, c := range counters(group.Protocol) {
		row(c.label, strconv.FormatUint(c.count(server), 10))
	}
	row("Average response delay(ms)", milliseconds(st.AverageResponseTime))
	row("Last response delay(ms)", milliseconds(st.RoundTripTime))
	if server.TACACS != nil {
		text("Single connection", singleConnectionText(server.TACACS))
	}
	state := server.OperState
	if !st.StateSince.IsZero() {
		state += " since " + date(st.StateSince) + ", " + span(now.Sub(st.StateSince))
	}
	text("Server state", state)
	text("Previous state", span(st.PreviousStateDuration.Duration()))
	text("Dead", fmt.Sprintf("%s, %s in all", count(int(st.DeadCount), "time"), span(st.TotalDeadTime.Duration())))
	if !st.DownUntil.IsZero() {
		text("Tried again at", date(st.DownUntil))
	}
	s.rule("=")
}

// singleConnectionText returns whether a server takes many records over one connection.
func singleConnectionText(t *api.TACACSServer) string {
	switch {
	case !t.SingleConnection:
		return "not asked for"
	case t.Agreed:
		return "agreed"
	case t.Opened == 0:
		return "unknown"
	}
	return "not agreed"
}

// milliseconds formats a time in milliseconds, with two decimals below 10; - if there is none.
func milliseconds(s api.Seconds) string {
	ms := float64(s) * 1000
	switch {
	case ms <= 0:
		return "-"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 2, 64)
	}
	return strconv.FormatFloat(ms, 'f', 0, 64)
}
