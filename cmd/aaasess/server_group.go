package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
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

func newShowServerGroup(g *global) *cobra.Command {
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
			return optionalName(2)(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return g.suggestGroups(cmd.Context(), anyGroup), cobra.ShellCompDirectiveNoFileComp
			case 1:
				return []string{"acct-on-off"}, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return g.showServerGroups(cmd.Context())
			}
			group, err := g.client().ServerGroup(cmd.Context(), args[0])
			switch {
			case err != nil:
				return err
			case len(args) > 1 && g.json:
				return g.printJSON(group.AcctOnOff)
			case len(args) > 1:
				return printAcctOnOff(g.out, group)
			case g.json:
				return g.printJSON(group)
			}
			return printServerGroup(g.out, group)
		},
	}
}

// optionalName accepts at most maxArgs arguments. The first one, a name, must not be empty.
func optionalName(maxArgs int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 && args[0] == "" {
			return fmt.Errorf("%w: the name is empty", errUsage)
		}
		if len(args) > maxArgs {
			return fmt.Errorf("want at most %s, got %d", count(maxArgs, "argument"), len(args))
		}
		return nil
	}
}

func anyGroup(api.ServerGroup) bool { return true }

// suggestGroups returns names of server groups for shell completion, none if the daemon does not
// answer.
func (g *global) suggestGroups(ctx context.Context, match func(api.ServerGroup) bool) []string {
	groups, _ := g.suggestClient().ServerGroups(ctx)
	groups = slices.DeleteFunc(groups, func(group api.ServerGroup) bool { return !match(group) })
	return typeable(groups, func(group api.ServerGroup) string { return group.Name })
}

// typeable returns the names that a user can type: those of printable characters only.
func typeable[T any](items []T, name func(T) string) []string {
	var out []string
	for _, item := range items {
		if n := name(item); n == printable(n) {
			out = append(out, n)
		}
	}
	return out
}

// serverGroups is what --json prints of all groups.
type serverGroups struct {
	Groups  []api.ServerGroup  `json:"groups"`
	Managed api.ManagedServers `json:"managed"`
}

func (g *global) showServerGroups(ctx context.Context) error {
	client := g.client()
	groups, err := client.ServerGroups(ctx)
	if err != nil {
		return err
	}
	managed, err := client.ManagedServers(ctx)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(serverGroups{append([]api.ServerGroup{}, groups...), *managed})
	}
	if err := printServerGroups(g.out, groups); err != nil {
		return err
	}
	if err := printManagedServers(g.out, managed); err != nil {
		return err
	}
	fmt.Fprintln(g.err, count(len(groups), "server group"))
	return nil
}

func printServerGroups(w io.Writer, groups []api.ServerGroup) error {
	t := newTable(w, []column{
		{title: "NAME"},
		{title: "PROTOCOL"},
		{title: "ALGORITHM"},
		{title: "UP", right: true},
		{title: "ACCT-ON-OFF"},
		{title: "BLOCKED"},
		{title: "WAITING", right: true},
	})
	for _, group := range groups {
		waiting := ""
		if group.Waiting != nil {
			waiting = strconv.FormatUint(*group.Waiting, 10)
		}
		err := t.row(group.Name, string(group.Protocol), group.AccessAlgorithm, serversUp(group.Servers),
			onOffText(&group.AcctOnOff), yesNo(group.AcctOnOff.Blocked), waiting)
		if err != nil {
			return err
		}
	}
	return t.flush()
}

// worstState returns the state of a server: down if one of its ports is, else up if one is.
func worstState(s *api.GroupServer) string {
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

// stateText returns the state of a server: of both ports, as S3 has the ports, if they differ.
func stateText(s *api.GroupServer) string {
	return strings.Join(slices.Compact(statesOf(s)), "/")
}

// serversUp returns how many servers are up, of how many. Servers that were never contacted are
// neither up nor down: if there are only such servers, it returns unknown.
func serversUp(servers []api.GroupServer) string {
	states := map[string]int{}
	for i := range servers {
		states[worstState(&servers[i])]++
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

func onOffText(a *api.AcctOnOff) string {
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

// printServerGroup prints the second layout of S3.
func printServerGroup(w io.Writer, group *api.ServerGroup) error {
	var s screen
	s.title("%s server group %s", protocolName(group.Protocol), quoted(group.Name))
	s.field("Description", cmp.Or(group.Description, notSpecified))
	if group.Protocol == api.RADIUS {
		s.field("Relays logins", yesNo(group.RelaysLogins))
	}
	s.field("Acct-On-Off", enabledText(&group.AcctOnOff))
	if a := group.AcctOnOff; a.Enabled {
		s.field("Oper state change", yesNo(a.OperStateChange))
		s.field("Acct-On-Off group", cmp.Or(a.Group, none))
		s.field("Acct-On-Off monitor group", cmp.Or(a.MonitorGroup, none))
		if a.After != "" {
			s.field("Acct-On-Off after", a.After)
		}
	}
	waiting := "(Unknown)"
	if group.Waiting != nil {
		waiting = strconv.FormatUint(*group.Waiting, 10)
	}
	s.field("Records waiting", waiting)
	s.section(protocolName(group.Protocol) + " server settings")
	s.field("Source address", cmp.Or(group.SourceAddress, notSpecified))
	s.field("Access algorithm", group.AccessAlgorithm)
	if group.BatchSize > 0 {
		s.field("Batch size (records)", strconv.Itoa(group.BatchSize))
	}
	retry, retryDiffers := common(group.Servers, retryText)
	timeout, timeoutDiffers := common(group.Servers, timeoutText)
	backoff, backoffDiffers := common(group.Servers, backoffText)
	s.field("Retry", retry)
	s.field("Timeout (s)", timeout)
	s.field("Back-off", backoff)
	connections := false
	if group.Protocol == api.TACACS {
		connections = s.connectionFields(group)
	}
	s.field("Hold down time (s)", number(float64(group.HoldDown)))
	s.field("Dead criteria", deadText(group.DeadCriteria))
	s.field("Window (records)", strconv.Itoa(group.Window))
	drain := "(Not limited)"
	if group.DrainRate > 0 {
		drain = number(group.DrainRate)
	}
	s.field("Drain rate (records/s)", drain)
	s.field("Last management change", moment(group.LastManagementChange))
	s.rule("=")
	s.servers(group)
	if slices.ContainsFunc(group.Servers, func(server api.GroupServer) bool { return server.Test != nil }) {
		s.tests(group)
	}
	if retryDiffers || timeoutDiffers || backoffDiffers {
		s.transmissions(group)
	}
	if connections {
		s.connections(group)
	}
	_, err := io.WriteString(w, s.String())
	return err
}

func (s *screen) servers(group *api.ServerGroup) {
	s.title("Servers for %s", quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		name := server.Name
		if server.Created {
			name += " (SNMP)"
		}
		rows = append(rows, []string{
			strconv.Itoa(server.Index), name, server.Address, portsText(group.Protocol, &server), stateText(&server),
		})
	}
	ports := "Auth/Acct"
	if group.Protocol == api.TACACS {
		ports = "Acct"
	}
	s.cells([]int{4, 33, 16, 12, 11}, [][]string{
		{"Idx", "Name", "Address", "Port", "Oper State"},
		{"", "", "", ports, ""},
	}, rows)
	s.rule("=")
	if group.Managed != nil {
		s.managed(group)
	}
}

// tests writes how the servers are tested.
func (s *screen) tests(group *api.ServerGroup) {
	s.title("Tests of the servers for %s", quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		row := []string{strconv.Itoa(server.Index), none, "", ""}
		if t := server.Test; t != nil {
			row = []string{strconv.Itoa(server.Index), cmp.Or(t.Username, "Status-Server"), number(float64(t.IdleTime)), testedText(t)}
		}
		rows = append(rows, row)
	}
	s.cells([]int{4, 33, 16, 12}, [][]string{{"Idx", "Request", "Idle time (s)", "Ports"}}, rows)
	s.rule("=")
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

func (s *screen) transmissions(group *api.ServerGroup) {
	s.title("Transmissions to the servers for %s", quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		rows = append(rows, []string{strconv.Itoa(server.Index), retryText(server), timeoutText(server), backoffText(server)})
	}
	s.cells([]int{4, 12, 16, 10}, [][]string{{"Idx", "Retry", "Timeout (s)", "Back-off"}}, rows)
	s.rule("=")
}

// connectionFields writes the settings of connections to TACACS+ servers. It reports whether the
// servers differ in one.
func (s *screen) connectionFields(group *api.ServerGroup) (differ bool) {
	for _, f := range []struct {
		label string
		text  func(*api.TACACSServer) string
	}{{"Single connection", singleConnectionText}, {"Connections", connectionsText}, {"Watchdog", watchdogText}} {
		text, differs := common(group.Servers, func(server api.GroupServer) string { return ofTACACS(server, f.text) })
		s.field(f.label, text)
		differ = differ || differs
	}
	return differ
}

func (s *screen) connections(group *api.ServerGroup) {
	s.title("Connections to the servers for %s", quoted(group.Name))
	var rows [][]string
	for _, server := range group.Servers {
		rows = append(rows, []string{
			strconv.Itoa(server.Index), ofTACACS(server, singleConnectionText), ofTACACS(server, connectionsText), ofTACACS(server, watchdogText),
		})
	}
	s.cells([]int{4, 19, 13, 12}, [][]string{{"Idx", "Single connection", "Connections", "Watchdog"}}, rows)
	s.rule("=")
}

func connectionsText(t *api.TACACSServer) string { return strconv.Itoa(t.MaxConnections) }

func watchdogText(t *api.TACACSServer) string { return t.Watchdog }

// ofTACACS returns a setting of a TACACS+ server.
func ofTACACS(server api.GroupServer, text func(*api.TACACSServer) string) string {
	if server.TACACS == nil {
		return none
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
	return cmp.Or(text, none), false
}

func retryText(s api.GroupServer) string { return strconv.Itoa(s.Retransmit) }

func timeoutText(s api.GroupServer) string { return number(float64(s.Timeout)) }

func backoffText(s api.GroupServer) string {
	if s.Backoff == nil {
		return none
	}
	return fmt.Sprintf("%s, at most %s s apart", count(s.Backoff.Retry, "retransmission"), number(float64(s.Backoff.MaxDelay)))
}

func deadText(d *api.DeadCriteria) string {
	if d == nil {
		return "(Default)"
	}
	return fmt.Sprintf("%s s without an answer, and %s", number(float64(d.Time)), count(d.Tries, "timeout"))
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

// printAcctOnOff prints the first layout of S3.
func printAcctOnOff(w io.Writer, group *api.ServerGroup) error {
	var s screen
	a := &group.AcctOnOff
	s.title("%s server group %s AcctOnOff info", protocolName(group.Protocol), quoted(group.Name))
	if !a.Enabled {
		s.field("Acct-On-Off", enabledText(a))
	} else {
		trigger := cmp.Or(a.Trigger, none)
		if name := cmp.Or(a.Group, a.MonitorGroup); name != "" && a.Trigger != "" {
			trigger += " (" + name + ")"
		}
		server := none
		if a.Server != "" {
			server = quoted(a.Server)
		}
		s.field("Oper state", string(a.State))
		s.field("Session Id", cmp.Or(a.SessionID, none))
		s.field("Last state change", moment(a.LastStateChange))
		s.field("Trigger", trigger)
		s.field("Server", server)
	}
	s.rule("=")
	_, err := io.WriteString(w, s.String())
	return err
}
