package groups

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

// counter is a counter of a server, and what it counts. Of its three functions one is set.
type counter struct {
	label, meaning string
	count          func(*api.ServerCounters) uint64           // for both purposes
	ofAuth         func(*api.AuthenticationStatistics) uint64 // for authentication only
	ofTACACS       func(*api.TACACSServer) uint64             // for accounting only
}

// counters returns the counters of servers of a protocol, in the order in which they are shown.
func counters(p api.Protocol) []counter {
	both := func(label, meaning string, count func(*api.ServerCounters) uint64) counter {
		return counter{label: label, meaning: meaning, count: count}
	}
	all := []counter{
		both("Requests sent", "requests sent, without retransmissions", func(c *api.ServerCounters) uint64 { return c.Requests }),
		both("Retransmissions", "further transmissions of requests to this server", func(c *api.ServerCounters) uint64 { return c.Retransmissions }),
		both("Total responses seen", "datagrams from the server, valid or not", func(c *api.ServerCounters) uint64 { return c.Responses }),
		both("Packets with responses", "requests with a valid answer", func(c *api.ServerCounters) uint64 { return c.Successes }),
		both("Packets without responses", "requests without a valid answer after all transmissions", func(c *api.ServerCounters) uint64 { return c.Failures }),
		both("Number of "+protocolName(p)+" timeouts", "transmissions without an answer in time", func(c *api.ServerCounters) uint64 { return c.Timeouts }),
		both("Malformed responses", "datagrams that are not valid RADIUS packets", func(c *api.ServerCounters) uint64 { return c.MalformedResponses }),
		both("Bad authenticators", "answers with a wrong authenticator: usually a wrong secret", func(c *api.ServerCounters) uint64 { return c.BadAuthenticators }),
		both("Unexpected responses", "answers of another type, or to no pending request: usually\nduplicates", func(c *api.ServerCounters) uint64 { return c.Unexpected }),
		both("Late responses", "valid answers after their timeout", func(c *api.ServerCounters) uint64 { return c.LateResponses }),
		both("Pending requests", "transmissions that wait for an answer now", func(c *api.ServerCounters) uint64 { return c.PendingRequests }),
	}
	if p != api.TACACS {
		ofAuth := func(label, meaning string, count func(*api.AuthenticationStatistics) uint64) counter {
			return counter{label: label, meaning: meaning, ofAuth: count}
		}
		return append(all,
			both("Test requests", "requests of the server's test. Only Status-Servers are not\namong those sent", func(c *api.ServerCounters) uint64 { return c.Tests }),
			both("Tests without responses", "those without a valid answer", func(c *api.ServerCounters) uint64 { return c.TestsFailed }),
			ofAuth("Access accepts", "Access-Accepts: users whom the server has accepted", func(a *api.AuthenticationStatistics) uint64 { return a.Accepts }),
			ofAuth("Access rejects", "Access-Rejects: users whom it has rejected", func(a *api.AuthenticationStatistics) uint64 { return a.Rejects }),
			ofAuth("Access challenges", "Access-Challenges: rounds of a login that goes on", func(a *api.AuthenticationStatistics) uint64 { return a.Challenges }),
		)
	}
	all[2].meaning = "packets from the server, valid or not"
	all[3].meaning = "records that the server has accepted"
	all[4].meaning = "records that it has not accepted after all transmissions"
	all[6].meaning = "packets that are not valid TACACS+ packets"
	all[7].label, all[7].meaning = "Wrong keys", "answers that a wrong key explains: lengths that do not add up"
	all[8].meaning = "answers of another type or another session"
	ofTACACS := func(label, meaning string, count func(*api.TACACSServer) uint64) counter {
		return counter{label: label, meaning: meaning, ofTACACS: count}
	}
	return append(all,
		ofTACACS("Answers with ERROR", "the record goes to the next server", func(s *api.TACACSServer) uint64 { return s.Errors }),
		ofTACACS("Answers with FOLLOW", "treated like ERROR", func(s *api.TACACSServer) uint64 { return s.Follows }),
		ofTACACS("Connections now", "open connections", func(s *api.TACACSServer) uint64 { return uint64(max(0, s.Connections)) }),
		ofTACACS("Connections opened", "in all", func(s *api.TACACSServer) uint64 { return s.Opened }),
		ofTACACS("Connections failed", "not opened, or ended by the server before an answer", func(s *api.TACACSServer) uint64 { return s.Failed }),
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
	b.WriteString("Show the statistics of each server, for all server groups or for GROUP. A server of several groups\n" +
		"is shown with each of them, with the same counts. They stay with the name of the server when\n" +
		"anything else of it changes, and when the daemon starts anew.\n\n")
	if p != api.TACACS {
		b.WriteString("Auth. is authentication, Acct. accounting, and Both their sum, or their average. NA stands where\n" +
			"a group does not authenticate, and where a counter is not of this purpose.\n\n")
	}
	width := len("Number of " + protocolName(p) + " timeouts") // the longest label
	line := func(label, meaning string) {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, label, strings.ReplaceAll(meaning, "\n", "\n"+strings.Repeat(" ", width+4)))
	}
	for _, c := range counters(p) {
		line(c.label, c.meaning)
	}
	line("Average response delay", "of the valid answers before their timeout, in milliseconds")
	line("Maximum response delay", "of all valid answers, in milliseconds")
	line("Last response delay", "of the last valid answer, in milliseconds")
	line("Counted since", "when these counts began, or when the daemon started after an end in\nwhich up to 10 seconds of counts were lost")
	if p == api.TACACS {
		line("Single connection", "whether the server takes many records over one connection")
	}
	if p == api.TACACS {
		line("Server state", "up, down or unknown (nothing was sent yet), and for how long")
	} else {
		line("Server state", "up, down or unknown (nothing was sent yet), and for how long: of\n"+
			"the port for authentication and of that for accounting, if both are\nused")
	}
	line("Previous state", "how long the previous state lasted")
	line("Dead", "how often the server was declared down, and for how long in all")
	line("Tried again at", "when the hold down time of a server that is down ends")
	b.WriteString("\nTimes are local; with --json they are in RFC 3339. The exit code is 4 if there is no server\ngroup GROUP.")
	return b.String()
}

// NewShowStatistics returns "show radius" or "show tacacs". name is the word for the protocol.
func NewShowStatistics(g *cli.Global, name string, p api.Protocol) *cobra.Command {
	cmd := &cobra.Command{
		Use: name, Short: "Show " + protocolName(p) + " statistics", Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	has := func(group api.ServerGroup) bool { return group.Protocol == p }
	cmd.AddCommand(&cobra.Command{
		Use:   "statistics [GROUP]",
		Short: "Show the statistics of the " + protocolName(p) + " servers",
		Long:  statisticsHelp(p),
		Args:  cli.OptionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return g.SuggestGroups(cmd.Context(), has), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client := g.Client()
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
			if g.JSON {
				return g.PrintJSON(statisticsOf(groups))
			}
			return PrintStatistics(g.Out, groups, time.Now())
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

// PrintStatistics prints the statistics of the servers of each group.
func PrintStatistics(w io.Writer, groups []api.ServerGroup, now time.Time) error {
	var s term.Screen
	for _, group := range groups {
		for i := range group.Servers {
			statistics(&s, &group, &group.Servers[i], now)
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// statistics writes the statistics of one server.
func statistics(s *term.Screen, group *api.ServerGroup, server *api.GroupServer, now time.Time) {
	const width = 34
	text := func(label, value string) { s.Line(fmt.Sprintf("%*s: %s", width, label, human.Printable(value))) }
	row := func(label string, values ...string) {
		line := ""
		for _, v := range values {
			line += fmt.Sprintf("%12s", v)
		}
		text(label, line)
	}
	s.Title("%s statistics of server %s", protocolName(group.Protocol), term.Quoted(server.Name))
	text("Server group", group.Name)
	text("Address", net.JoinHostPort(server.Address, portsText(group.Protocol, server)))
	if group.Protocol == api.TACACS {
		s.Line(fmt.Sprintf("%*s  %12s", width, "", "Acct."))
	} else {
		s.Line(fmt.Sprintf("%*s  %12s%12s%12s", width, "", "Auth.", "Acct.", "Both"))
	}
	for _, c := range counters(group.Protocol) {
		row(c.label, c.columns(group.Protocol, server)...)
	}
	for _, d := range delays(group.Protocol, server) {
		row(d.label, d.columns...)
	}
	if since := countedSince(server); !since.IsZero() {
		text("Counted since", term.Date(since))
	}
	if server.TACACS != nil {
		text("Single connection", singleConnectionText(server.TACACS))
	}
	state := func(label func(string) string, oper string, st *api.ServerStatistics) {
		if !st.StateSince.IsZero() {
			oper += " since " + term.Date(st.StateSince) + ", " + human.Span(now.Sub(st.StateSince))
		}
		text(label("Server state"), oper)
		text(label("Previous state"), human.Span(st.PreviousStateDuration.Duration()))
		text(label("Dead"), fmt.Sprintf("%s, %s in all", term.Count(int(st.DeadCount), "time"), human.Span(st.TotalDeadTime.Duration())))
		if !st.DownUntil.IsZero() {
			text(label("Tried again at"), term.Date(st.DownUntil))
		}
	}
	auth := server.Authentication
	if auth != nil {
		state(func(label string) string { return "Auth. " + label }, auth.OperState, &auth.ServerStatistics)
	}
	switch {
	case auth == nil:
		state(func(label string) string { return label }, server.OperState, &server.Statistics)
	case server.AccountingPort != 0:
		state(func(label string) string { return "Acct. " + label }, server.OperState, &server.Statistics)
	}
	s.Rule("=")
}

// countedSince returns since when all counters of a server count without a gap.
func countedSince(server *api.GroupServer) time.Time {
	since := server.Statistics.CountedSince
	if auth := server.Authentication; auth != nil && auth.CountedSince.After(since) {
		since = auth.CountedSince
	}
	return since
}

// notApplicable stands where there is no count, as in IOS.
const notApplicable = "NA"

// columns returns the counts of a server: for a TACACS+ server that of accounting, else those of
// authentication, accounting and both.
func (c *counter) columns(p api.Protocol, server *api.GroupServer) []string {
	text := func(n uint64) string { return strconv.FormatUint(n, 10) }
	switch {
	case c.ofTACACS != nil && server.TACACS == nil:
		return []string{"0"}
	case c.ofTACACS != nil:
		return []string{text(c.ofTACACS(server.TACACS))}
	case c.ofAuth != nil && server.Authentication == nil:
		return []string{notApplicable, notApplicable, notApplicable}
	case c.ofAuth != nil:
		n := text(c.ofAuth(server.Authentication))
		return []string{n, notApplicable, n}
	}
	acct := c.count(&server.Statistics.ServerCounters)
	switch {
	case p == api.TACACS:
		return []string{text(acct)}
	case server.Authentication == nil:
		return []string{notApplicable, text(acct), text(acct)}
	}
	auth := c.count(&server.Authentication.ServerCounters)
	return []string{text(auth), text(acct), text(auth + acct)}
}

// delay is a response delay of a server in the columns of the counters.
type delay struct {
	label   string
	columns []string
}

// delays returns the response delays of a server. The average of both purposes counts each answer
// in time once. Which purpose had the last answer is not known.
func delays(p api.Protocol, server *api.GroupServer) []delay {
	const average, maximum, last = "Average response delay(ms)", "Maximum response delay(ms)", "Last response delay(ms)"
	columns := func(times ...api.Seconds) (texts []string) {
		for _, t := range times {
			texts = append(texts, Milliseconds(t))
		}
		return texts
	}
	acct := &server.Statistics
	if p == api.TACACS {
		return []delay{{average, columns(acct.AverageResponseTime)}, {maximum, columns(acct.MaxResponseTime)}, {last, columns(acct.RoundTripTime)}}
	}
	auth := server.Authentication
	if auth == nil {
		only := func(t api.Seconds) []string { return append([]string{notApplicable}, columns(t, t)...) }
		return []delay{{average, only(acct.AverageResponseTime)}, {maximum, only(acct.MaxResponseTime)}, {last, only(acct.RoundTripTime)}}
	}
	both := api.Seconds(0)
	if n := auth.TimedResponses + acct.TimedResponses; n > 0 {
		both = (auth.AverageResponseTime*api.Seconds(auth.TimedResponses) + acct.AverageResponseTime*api.Seconds(acct.TimedResponses)) / api.Seconds(n)
	}
	return []delay{
		{average, columns(auth.AverageResponseTime, acct.AverageResponseTime, both)},
		{maximum, columns(auth.MaxResponseTime, acct.MaxResponseTime, max(auth.MaxResponseTime, acct.MaxResponseTime))},
		{last, append(columns(auth.RoundTripTime, acct.RoundTripTime), notApplicable)},
	}
}

// portsText returns the ports of a server: of a RADIUS server as S3 has them, Auth/Acct.
func portsText(p api.Protocol, s *api.GroupServer) string {
	port := func(n uint16) string {
		if n == 0 {
			return "-"
		}
		return strconv.Itoa(int(n))
	}
	if p == api.TACACS {
		return port(s.AccountingPort)
	}
	return port(s.AuthenticationPort) + "/" + port(s.AccountingPort)
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

// Milliseconds formats a time in milliseconds, with two decimals below 10; - if there is none.
func Milliseconds(s api.Seconds) string {
	ms := float64(s) * 1000
	switch {
	case ms <= 0:
		return "-"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 2, 64)
	}
	return strconv.FormatFloat(ms, 'f', 0, 64)
}
