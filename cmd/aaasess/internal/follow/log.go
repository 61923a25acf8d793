package follow

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/show"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

// debugTopics are the commands that show lines of the log.
var debugTopics = []struct{ topic, short, what, example string }{
	{
		"radius", "Show RADIUS packets as they come and go", `requests of NASes and what became of them, requests to servers and their answers,
Disconnect-Requests, and what is wrong with any of them`,
		`  07:00:00.125 accounting request: client=lab from=192.0.2.1:40000 outcome=answered
    code=Accounting-Request id=7 nas_session=5F2A user=alice
  07:00:00.126 RADIUS request sent: group=isp server=one address=192.0.2.9:1813
    attempt=1 session=0000000D code=Accounting-Request id=3 user=alice`,
	},
	{
		"tacacs", "Show TACACS+ requests and answers as they go and come", "requests to TACACS+ servers and their answers",
		`  07:00:00.126 TACACS+ request sent: group=tac server=one address=192.0.2.9:49
    session=0000000D`,
	},
	{
		"snmp", "Show SNMP requests as they come", `requests of managers with their error-status, messages that are rejected and why,
notifications, and the connection to the master agent (AgentX). Requests that come through snmpd
are not shown one by one`,
		`  07:00:00.125 snmp: request answered: from=192.0.2.1:40000 user=noc version=v3
    pdu=SetRequest id=7 object=casnDisconnect.13 outcome=notWritable`,
	},
}

const debugLogHelp = `Show %s: one line
for each that has all the given values, until Ctrl-C.

%s

The output has long lines, and does not fold them. They are the lines of the log of level debug and
above, and the command needs no change of log.level: the log itself does not get them. The log has
at most 200 lines a second about packets; this command gets all. It never slows the daemon: of more
lines than the reader can read, some are left out, and a line in their place says how many.

On a terminal a line has the time of day, else the date too. With --json each line is a JSON
document, {"leftOut":12} for lines that were left out.

The exit code is 0 after Ctrl-C and after --count lines, and 1 if the daemon ends.`

// debugUsage is the usage of the filters.
var debugUsage = map[string]string{
	"client":  "lines about the client (NAS) with the `NAME` in the configuration",
	"from":    "lines about a sender or server at `ADDRESS`, or in this prefix",
	"group":   "lines about the server group `NAME`",
	"server":  "lines about the server `NAME`",
	"session": "lines about the session `ID`, or with this Acct-Session-Id of a NAS",
	"user":    "lines about the user `NAME`, as the NAS named it",
}

func newDebugLog(g *cli.Global, topic, short, what, example string) *cobra.Command {
	var limit uint
	cmd := &cobra.Command{
		Use: topic, Short: short, Long: fmt.Sprintf(debugLogHelp, what, example),
		Example: "  aaasess debug " + topic + "\n  aaasess debug " + topic + " --from 192.0.2.0/24 --json",
		Args:    cobra.NoArgs,
	}
	values := map[string]*string{}
	for _, key := range api.DebugKeys(topic) {
		usage := debugUsage[key]
		if topic == "snmp" && key == "user" {
			usage = "lines about the user or security name `NAME`"
		}
		values[key] = cmd.Flags().String(key, "", usage)
	}
	cmd.Flags().UintVar(&limit, "count", 0, "end after `N` lines; 0 for no end")
	completeDebug(g, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query := url.Values{"topic": {topic}}
		for key, value := range values {
			if cmd.Flags().Changed(key) {
				query.Set(key, *value)
			}
		}
		f, err := api.ParseDebugFilter(query)
		if err != nil {
			return fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
		return debugLog(cmd.Context(), g, f, limit)
	}
	return cmd
}

// completeDebug makes shells suggest the values of filters that the daemon knows.
func completeDebug(g *cli.Global, cmd *cobra.Command) {
	suggest := func(flag string, list func(context.Context) []string) {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return list(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
		})
	}
	suggest("client", func(ctx context.Context) []string { return show.SuggestClients(ctx, g) })
	suggest("group", func(ctx context.Context) []string { return g.SuggestGroups(ctx, cli.AnyGroup) })
	g.CompleteField(cmd, "session", func(s api.Session) string { return s.ID })
	if cmd.Name() != "snmp" {
		g.CompleteField(cmd, "user", func(s api.Session) string { return s.User })
	}
}

// debugLog prints lines until ctx is done, which is no error, or limit lines are printed.
func debugLog(ctx context.Context, g *cli.Global, f api.DebugFilter, limit uint) error {
	started := func() { fmt.Fprintln(g.Err, "lines of the log, as they are written; Ctrl-C ends") }
	return followLines(ctx, g.Client().Debug(ctx, f, started), func(line *api.DebugLine) (bool, error) { return PrintDebug(g, line) }, limit)
}

// PrintDebug prints a line, or how many were left out. It reports whether it was a line.
func PrintDebug(g *cli.Global, line *api.DebugLine) (bool, error) {
	e := line.DebugEntry
	if e == nil {
		return false, printLine(g, line, time.Time{}, "", line.LeftOut, "line")
	}
	return true, printLine(g, line, e.Time, debugText(e), line.LeftOut, "line")
}

// debugText returns a line of the log without its time.
func debugText(e *api.DebugEntry) string {
	var b strings.Builder
	if e.Level != "DEBUG" && e.Level != "INFO" {
		b.WriteString(human.Printable(e.Level) + " ")
	}
	b.WriteString(human.Printable(e.Message))
	for i, a := range e.Attributes {
		sep := " "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep + human.Printable(a.Name) + "=" + cmp.Or(term.Word(a.Value), `""`))
	}
	return b.String()
}
