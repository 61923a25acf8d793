package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
)

const radiusStatisticsHelp = `Show the statistics of each accounting server since the daemon started, for all server groups
or for GROUP. A server of several groups is shown with each of them, with the same counts.

  Requests sent              records sent, without retransmissions
  Retransmissions            further transmissions of records to this server
  Total responses seen       datagrams from the server, valid or not
  Packets with responses     records with a valid answer
  Packets without responses  records without a valid answer after all transmissions
  Number of RADIUS timeouts  transmissions without an answer in time
  Malformed responses        datagrams that are not valid RADIUS packets
  Bad authenticators         answers with a wrong authenticator: usually a wrong secret
  Unexpected responses       answers of another type, or to no pending request: usually
                             duplicates
  Pending requests           transmissions that wait for an answer now
  Average response delay     of all valid answers, in milliseconds
  Last response delay        of the last valid answer, in milliseconds
  Server state               up, down or unknown (nothing was sent yet), and for how long
  Previous state             how long the previous state lasted
  Dead                       how often the server was declared down, and for how long in all
  Tried again at             when the hold down time of a server that is down ends

Times are local; with --json they are in RFC 3339. The exit code is 4 if there is no server
group GROUP.`

func newShowRadius(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "radius", Short: "Show RADIUS statistics", Args: subcommandArgs, RunE: requireSubcommand,
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "statistics [GROUP]",
		Short: "Show the statistics of the accounting servers",
		Long:  radiusStatisticsHelp,
		Args:  optionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return g.suggestGroups(cmd.Context(), anyGroup), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client := g.client()
			var groups []api.ServerGroup
			if len(args) > 0 {
				group, err := client.ServerGroup(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				groups = append(groups, *group)
			} else {
				var err error
				if groups, err = client.ServerGroups(cmd.Context()); err != nil {
					return err
				}
			}
			if g.json {
				return g.printJSON(statisticsOf(groups))
			}
			return printRadiusStatistics(g.out, groups, time.Now())
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

func printRadiusStatistics(w io.Writer, groups []api.ServerGroup, now time.Time) error {
	var s screen
	for _, group := range groups {
		for i := range group.Servers {
			s.statistics(group.Name, &group.Servers[i], now)
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// statistics writes the statistics of one server.
func (s *screen) statistics(group string, server *api.GroupServer, now time.Time) {
	st := &server.Statistics
	const width = 34
	text := func(label, value string) { s.line(fmt.Sprintf("%*s: %s", width, label, printable(value))) }
	row := func(label, value string) { text(label, fmt.Sprintf("%12s", value)) }
	s.title("RADIUS statistics of server %s", quoted(server.Name))
	text("Server group", group)
	text("Address", net.JoinHostPort(server.Address, strconv.Itoa(int(server.AccountingPort))))
	s.line(fmt.Sprintf("%*s  %12s", width, "", "Acct."))
	for _, line := range []struct {
		label string
		n     uint64
	}{
		{"Requests sent", st.Requests},
		{"Retransmissions", st.Retransmissions},
		{"Total responses seen", st.Responses},
		{"Packets with responses", st.Successes},
		{"Packets without responses", st.Failures},
		{"Number of RADIUS timeouts", st.Timeouts},
		{"Malformed responses", st.MalformedResponses},
		{"Bad authenticators", st.BadAuthenticators},
		{"Unexpected responses", st.Unexpected},
		{"Pending requests", st.PendingRequests},
	} {
		row(line.label, strconv.FormatUint(line.n, 10))
	}
	row("Average response delay(ms)", milliseconds(st.AverageResponseTime))
	row("Last response delay(ms)", milliseconds(st.RoundTripTime))
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
