package groups

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
)

const serverGroupHelp = `Show the groups of servers, of RADIUS and of TACACS+.

Without NAME, list all groups:

  NAME         name of the group
  PROTOCOL     of all of its servers: radius or tacacs+
  ALGORITHM    access algorithm: direct (the first server that is not down), round-robin, or
               least-outstanding (the server with the fewest unanswered records)
  UP           number of servers that are up, and number of servers; unknown if nothing was
               sent to any of them yet
  ACCT-ON-OFF  state of Accounting-On and -Off, or of the system records of a TACACS+ group:
                 sendAcctOn, sendAcctOff  the request is being sent
                 on, off                  a server has answered
                 OffNoResp                no server answered the Accounting-Off
                 unknown                  neither was sent
                 monitors G               the group waits for the acct-on-off-group G
                 disabled                 the group sends none of them
  BLOCKED      yes if records wait until an Accounting-On is answered
  WAITING      number of records that wait for the group; - if unknown

Below, if SNMP managers have changed servers by SETs of casConfigTable (CISCO-AAA-SERVER-MIB):

  BY SNMP   created or destroyed
  PROTOCOL  of the server
  SERVER    its name. It is, or was, in group radius or group tacacs+ only.
  DETAILS   its address, if it was created; or why the change is given up: the configuration
            file says otherwise since

With NAME, show the settings and the servers of one group, and for group radius and group tacacs+
what SNMP managers have changed. (SNMP) is behind the name of a server that they have created.

  Acct-On-Off         whether it is enabled, and whether the group is blocked
  Retry               transmissions after the first one, at intervals of Timeout
  Back-off            transmissions after those, at intervals that double
  Hold down time (s)  time that a failed server is skipped
  Dead criteria       when a server counts as failed
  Window (records)    records that may wait for answers at the same time
  Drain rate          speed at which a backlog is sent
  Relays logins       whether Access-Requests are relayed to the group
  Port                of a RADIUS server for authentication and accounting, - if it has none;
                      of a TACACS+ server for accounting
  Oper State          up, down, or unknown if nothing was sent to the server yet; of both ports,
                      in their order, if they differ
  Tests               how a server is tested when it is idle or down: the User-Name of the test
                      requests, or Status-Server; after how many idle seconds; on which ports

Of TACACS+ servers:

  Single connection   whether a server is asked to take many records over one connection, and
                      whether it has agreed
  Connections         connections that may be open to a server
  Watchdog            the flags of interims: with-start or plain

If the servers differ in one of these settings, a table shows them for each server.

With NAME and acct-on-off, show the state of Accounting-On and -Off: the time of the last
change, what triggered the request (and in brackets the acct-on-off-group), and the server
that answered. Session Id is the Acct-Session-Id of these requests.

Times are local; with --json they are in RFC 3339. The exit code is 4 if there is no group
NAME.`

// NewShowServerGroup returns the command "show server-group".
func NewShowServerGroup(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use:   "server-group [NAME [acct-on-off]]",
		Short: "Show the groups of servers",
		Long:  serverGroupHelp,
		Example: `  aaasess show server-group
  aaasess show server-group isp
  aaasess show server-group isp acct-on-off
  aaasess show server-group --json | jq -r '.groups[] | select(.acctOnOff.blocked) | .name'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 && args[1] != "acct-on-off" {
				return fmt.Errorf("unknown argument %q: want acct-on-off", args[1])
			}
			return cli.OptionalName(2)(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return g.SuggestGroups(cmd.Context(), cli.AnyGroup), cobra.ShellCompDirectiveNoFileComp
			case 1:
				return []string{"acct-on-off"}, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return showServerGroups(cmd.Context(), g)
			}
			group, err := g.Client().ServerGroup(cmd.Context(), args[0])
			switch {
			case err != nil:
				return err
			case len(args) > 1 && g.JSON:
				return g.PrintJSON(group.AcctOnOff)
			case len(args) > 1:
				return PrintAcctOnOff(g.Out, group)
			case g.JSON:
				return g.PrintJSON(group)
			}
			return PrintServerGroup(g.Out, group)
		},
	}
}

// ServerGroups is what --json prints of all groups.
type ServerGroups struct {
	Groups  []api.ServerGroup  `json:"groups"`
	Managed api.ManagedServers `json:"managed"`
}

func showServerGroups(ctx context.Context, g *cli.Global) error {
	client := g.Client()
	groups, err := client.ServerGroups(ctx)
	if err != nil {
		return err
	}
	managed, err := client.ManagedServers(ctx)
	if err != nil {
		return err
	}
	if g.JSON {
		return g.PrintJSON(ServerGroups{append([]api.ServerGroup{}, groups...), *managed})
	}
	if err := PrintServerGroups(g.Out, groups); err != nil {
		return err
	}
	if err := printManagedServers(g.Out, managed); err != nil {
		return err
	}
	fmt.Fprintln(g.Err, term.Count(len(groups), "server group"))
	return nil
}

// PrintServerGroups prints the groups as a table.
func PrintServerGroups(w io.Writer, groups []api.ServerGroup) error {
	t := term.NewTable(w, []term.Column{
		{Title: "NAME"},
		{Title: "PROTOCOL"},
		{Title: "ALGORITHM"},
		{Title: "UP", Right: true},
		{Title: "ACCT-ON-OFF"},
		{Title: "BLOCKED"},
		{Title: "WAITING", Right: true},
	})
	for _, group := range groups {
		waiting := ""
		if group.Waiting != nil {
			waiting = strconv.FormatUint(*group.Waiting, 10)
		}
		err := t.Row(group.Name, string(group.Protocol), group.AccessAlgorithm, serversUp(group.Servers),
			OnOffText(&group.AcctOnOff), term.YesNo(group.AcctOnOff.Blocked), waiting)
		if err != nil {
			return err
		}
	}
	return t.Flush()
}

// WorstState returns the state of a server: down if one of its ports is, else up if one is.
func WorstState(s *api.GroupServer) string {
	states := statesOf(s)
	for _, state := range []string{"down", "up"} {
		if slices.Contains(states, state) {
			return state
		}
	}
	return states[0]
}

// statesOf returns the states of the ports that a server is used by: authentication, accounting.
func statesOf(s *api.GroupServer) (states []string) {
	if s.Authentication != nil {
		states = append(states, s.Authentication.OperState)
	}
	if s.AccountingPort != 0 || s.Authentication == nil {
		states = append(states, s.OperState)
	}
	return states
}

// StateText returns the state of a server: of both ports, as S3 has the ports, if they differ.
func StateText(s *api.GroupServer) string {
	return strings.Join(slices.Compact(statesOf(s)), "/")
}

// serversUp returns how many servers are up, of how many. Servers that were never contacted are
// neither up nor down: if there are only such servers, it returns unknown.
func serversUp(servers []api.GroupServer) string {
	states := map[string]int{}
	for i := range servers {
		states[WorstState(&servers[i])]++
	}
	text := fmt.Sprintf("%d/%d", states["up"], len(servers))
	switch n := states["unknown"]; {
	case n == 0:
		return text
	case n == len(servers):
		return "unknown"
	default:
		return fmt.Sprintf("%s, %d unknown", text, n)
	}
}

// OnOffText returns the state of the Accounting-On and -Off of a group.
func OnOffText(a *api.AcctOnOff) string {
	switch {
	case !a.Enabled:
		return "disabled"
	case a.MonitorGroup != "":
		return "monitors " + a.MonitorGroup
	case a.After != "":
		return "after " + a.After
	}
	return string(a.State)
}

// PrintServerGroup prints the second layout of S3.
func PrintServerGroup(w io.Writer, group *api.ServerGroup) error {
	var s term.Screen
	s.Title("%s server group %s", protocolName(group.Protocol), term.Quoted(group.Name))
	s.Field("Description", cmp.Or(group.Description, term.NotSpecified))
	if group.Protocol == api.RADIUS {
		s.Field("Relays logins", term.YesNo(group.RelaysLogins))
	}
	s.Field("Acct-On-Off", enabledText(&group.AcctOnOff))
	if a := group.AcctOnOff; a.Enabled {
		s.Field("Oper state change", term.YesNo(a.OperStateChange))
		s.Field("Acct-On-Off group", cmp.Or(a.Group, term.None))
		s.Field("Acct-On-Off monitor group", cmp.Or(a.MonitorGroup, term.None))
		if a.After != "" {
			s.Field("Acct-On-Off after", a.After)
		}
	}
	waiting := "(Unknown)"
	if group.Waiting != nil {
		waiting = strconv.FormatUint(*group.Waiting, 10)
	}
	s.Field("Records waiting", waiting)
	s.Section(protocolName(group.Protocol) + " server settings")
	s.Field("Source address", cmp.Or(group.SourceAddress, term.NotSpecified))
	s.Field("Access algorithm", group.AccessAlgorithm)
	if group.BatchSize > 0 {
		s.Field("Batch size (records)", strconv.Itoa(group.BatchSize))
	}
	retry, retryDiffers := common(group.Servers, retryText)
	timeout, timeoutDiffers := common(group.Servers, timeoutText)
	backoff, backoffDiffers := common(group.Servers, backoffText)
	s.Field("Retry", retry)
	s.Field("Timeout (s)", timeout)
	s.Field("Back-off", backoff)
	differ := false
	if group.Protocol == api.TACACS {
		differ = connectionFields(&s, group)
	}
	s.Field("Hold down time (s)", number(float64(group.HoldDown)))
	s.Field("Dead criteria", deadText(group.DeadCriteria))
	s.Field("Window (records)", strconv.Itoa(group.Window))
	drain := "(Not limited)"
	if group.DrainRate > 0 {
		drain = number(group.DrainRate)
	}
	s.Field("Drain rate (records/s)", drain)
	s.Field("Last management change", term.Moment(group.LastManagementChange))
	s.Rule("=")
	servers(&s, group)
	if slices.ContainsFunc(group.Servers, func(server api.GroupServer) bool { return server.Test != nil }) {
		tests(&s, group)
	}
	if retryDiffers || timeoutDiffers || backoffDiffers {
		transmissions(&s, group)
	}
	if differ {
		connections(&s, group)
	}
	_, err := io.WriteString(w, s.String())
	return err
}

func servers(s *term.Screen, group *api.ServerGroup) {
	s.Title("Servers for %s", term.Quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		name := server.Name
		if server.Created {
			name += " (SNMP)"
		}
		rows = append(rows, []string{
			strconv.Itoa(server.Index), name, server.Address, portsText(group.Protocol, &server), StateText(&server),
		})
	}
	ports := "Auth/Acct"
	if group.Protocol == api.TACACS {
		ports = "Acct"
	}
	s.Cells([]int{4, 33, 16, 12, 11}, [][]string{
		{"Idx", "Name", "Address", "Port", "Oper State"},
		{"", "", "", ports, ""},
	}, rows)
	s.Rule("=")
	if group.Managed != nil {
		managed(s, group)
	}
}

// tests writes how the servers are tested.
func tests(s *term.Screen, group *api.ServerGroup) {
	s.Title("Tests of the servers for %s", term.Quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		row := []string{strconv.Itoa(server.Index), term.None, "", ""}
		if t := server.Test; t != nil {
			row = []string{strconv.Itoa(server.Index), cmp.Or(t.Username, "Status-Server"), number(float64(t.IdleTime)), testedText(t)}
		}
		rows = append(rows, row)
	}
	s.Cells([]int{4, 33, 16, 12}, [][]string{{"Idx", "Request", "Idle time (s)", "Ports"}}, rows)
	s.Rule("=")
}

func testedText(t *api.ServerTest) string {
	var ports []string
	if t.AuthenticationPort {
		ports = append(ports, "Auth")
	}
	if t.AccountingPort {
		ports = append(ports, "Acct")
	}
	return strings.Join(ports, "/")
}

func transmissions(s *term.Screen, group *api.ServerGroup) {
	s.Title("Transmissions to the servers for %s", term.Quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		rows = append(rows, []string{strconv.Itoa(server.Index), retryText(server), timeoutText(server), backoffText(server)})
	}
	s.Cells([]int{4, 12, 16, 10}, [][]string{{"Idx", "Retry", "Timeout (s)", "Back-off"}}, rows)
	s.Rule("=")
}

// connectionFields writes the settings of connections to TACACS+ servers. It reports whether the
// servers differ in one.
func connectionFields(s *term.Screen, group *api.ServerGroup) (differ bool) {
	for _, f := range []struct {
		label string
		text  func(*api.TACACSServer) string
	}{{"Single connection", singleConnectionText}, {"Connections", connectionsText}, {"Watchdog", watchdogText}} {
		text, differs := common(group.Servers, func(server api.GroupServer) string { return ofTACACS(server, f.text) })
		s.Field(f.label, text)
		differ = differ || differs
	}
	return differ
}

func connections(s *term.Screen, group *api.ServerGroup) {
	s.Title("Connections to the servers for %s", term.Quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		rows = append(rows, []string{
			strconv.Itoa(server.Index), ofTACACS(server, singleConnectionText), ofTACACS(server, connectionsText), ofTACACS(server, watchdogText),
		})
	}
	s.Cells([]int{4, 19, 13, 12}, [][]string{{"Idx", "Single connection", "Connections", "Watchdog"}}, rows)
	s.Rule("=")
}

func connectionsText(t *api.TACACSServer) string { return strconv.Itoa(t.MaxConnections) }

func watchdogText(t *api.TACACSServer) string { return t.Watchdog }

// ofTACACS returns a setting of a TACACS+ server.
func ofTACACS(server api.GroupServer, text func(*api.TACACSServer) string) string {
	if server.TACACS == nil {
		return term.None
	}
	return text(server.TACACS)
}

// common returns the setting that all servers share, or that it differs between them.
func common(servers []api.GroupServer, setting func(api.GroupServer) string) (text string, differs bool) {
	for i, server := range servers {
		if i > 0 && setting(server) != text {
			return "(By server)", true
		}
		text = setting(server)
	}
	return cmp.Or(text, term.None), false
}

func retryText(s api.GroupServer) string { return strconv.Itoa(s.Retransmit) }

func timeoutText(s api.GroupServer) string { return number(float64(s.Timeout)) }

func backoffText(s api.GroupServer) string {
	if s.Backoff == nil {
		return term.None
	}
	return fmt.Sprintf("%s, at most %s s apart", term.Count(s.Backoff.Retry, "retransmission"), number(float64(s.Backoff.MaxDelay)))
}

func deadText(d *api.DeadCriteria) string {
	if d == nil {
		return "(Default)"
	}
	return fmt.Sprintf("%s s without an answer, and %s", number(float64(d.Time)), term.Count(d.Tries, "timeout"))
}

// number formats a number with as many decimals as it needs.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func enabledText(a *api.AcctOnOff) string {
	switch {
	case !a.Enabled:
		return "Disabled"
	case a.Blocked:
		return "Enabled (state Blocked)"
	}
	return "Enabled (state Not Blocked)"
}

// PrintAcctOnOff prints the first layout of S3.
func PrintAcctOnOff(w io.Writer, group *api.ServerGroup) error {
	var s term.Screen
	a := &group.AcctOnOff
	s.Title("%s server group %s AcctOnOff info", protocolName(group.Protocol), term.Quoted(group.Name))
	if !a.Enabled {
		s.Field("Acct-On-Off", enabledText(a))
	} else {
		trigger := cmp.Or(a.Trigger, term.None)
		if name := cmp.Or(a.Group, a.MonitorGroup); name != "" && a.Trigger != "" {
			trigger += " (" + name + ")"
		}
		server := term.None
		if a.Server != "" {
			server = term.Quoted(a.Server)
		}
		s.Field("Oper state", string(a.State))
		s.Field("Session Id", cmp.Or(a.SessionID, term.None))
		s.Field("Last state change", term.Moment(a.LastStateChange))
		s.Field("Trigger", trigger)
		s.Field("Server", server)
	}
	s.Rule("=")
	_, err := io.WriteString(w, s.String())
	return err
}
