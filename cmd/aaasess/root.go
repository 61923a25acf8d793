package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/version"

	"github.com/spf13/cobra"
)

const (
	localSocket  = "var/aaasess.sock"          // of a daemon that was started in this folder (R73)
	systemSocket = "/run/aaasess/aaasess.sock" // of the system's daemon
)

const rootHelp = `Show and end the sessions of a running aaasessd, and show its logins and the delivery of
accounting records.

aaasess finds the daemon by its control socket. It uses the first of these:
  --socket PATH
  $AAASESS_SOCKET
  var/aaasess.sock, if it exists
  /run/aaasess/aaasess.sock
Only root and the members of the socket's group may use the socket.

Exit codes:
  0  done
  1  failed: an error, a request that the daemon rejects, or sessions that did not end
     within --wait
  2  usage error: wrong flags or arguments
  3  no daemon answers at the control socket
  4  no match: no session has this ID or matches the filters, no server group,
     acct-on-off-group, queue, method list, record or target of notifications has this name
     or number, or the daemon does not relay logins
  5  permission denied: the caller may not use the control socket
  6  "show spool" only: part of the store could not be read and is lost
  7  "session" only: the daemon cannot store the report now, or does not answer in time

Lists go to the standard output, summaries and errors to the standard error.
With --json the standard output is one JSON document; of "debug", one on each line.`

// global holds the flags that every command has.
type global struct {
	environment
	started *bool // the flags and arguments are valid, and the command itself runs
	socket  string
	timeout time.Duration
	json    bool
}

// newRoot returns the command tree. started becomes true when a command itself runs: errors before
// that are usage errors.
func newRoot(env environment) (root *cobra.Command, started *bool) {
	g := &global{environment: env, started: new(bool)}
	root = &cobra.Command{
		Use:           "aaasess",
		Short:         "Show and end AAA sessions, and show the delivery of their accounting records",
		Long:          rootHelp,
		Args:          subcommandArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          requireSubcommand,
	}
	root.SetIn(env.in)
	root.SetOut(env.out)
	root.SetErr(env.err)
	flags := root.PersistentFlags()
	flags.StringVar(&g.socket, "socket", "", "control socket of the daemon is `PATH` (default: see \"aaasess --help\")")
	flags.DurationVar(&g.timeout, "timeout", 10*time.Second,
		"wait at most `DURATION` for the answer of the daemon, and for each further part of it")
	flags.BoolVar(&g.json, "json", false, "print one JSON document")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if g.timeout <= 0 {
			return fmt.Errorf("--timeout %v is not positive", g.timeout)
		}
		return nil
	}
	show := &cobra.Command{
		Use: "show", Short: "Show sessions, logins, accounting, status, clients, SNMP, server groups, statistics, the configuration or the spool",
		Args: subcommandArgs, RunE: requireSubcommand,
	}
	watchable := []*cobra.Command{
		newShowSessions(g), newShowAccounting(g), newShowLogins(g), newShowStatus(g), newShowServerGroup(g), newShowOnOffGroup(g),
		newShowStatistics(g, "radius", api.RADIUS), newShowStatistics(g, "tacacs", api.TACACS), newShowSpool(g), newShowClients(g), newShowSNMP(g),
	}
	addWatch(g, watchable...)
	show.AddCommand(append(watchable, newShowSession(g), newShowRunningConfig(g))...)
	root.Version = version.String()
	root.SetVersionTemplate("aaasess {{.Version}}\n")
	root.AddCommand(&cobra.Command{
		Use: "version", Short: "Print the version and the commit", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			*g.started = true
			_, err := fmt.Fprintln(g.out, "aaasess", version.String())
			return err
		},
	})
	root.SetFlagErrorFunc(explainFlagError)
	completeFiles(root, "socket")
	root.AddCommand(show, newTop(g), newDisconnect(g), newClear(g), newExplain(g), newDebug(g), newPerform(g), newSpool(g), newSession(g), newSimulate(g), newSNMP(g), newTest(g))
	return root, g.started
}

// requireSubcommand runs for a command that only groups others: it prints the usage and fails.
func requireSubcommand(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	_ = cmd.Usage()
	return fmt.Errorf("%w: %s needs a subcommand", errUsage, cmd.CommandPath())
}

// client returns a client for the daemon that the flags select. Errors after this call are not
// usage errors.
func (g *global) client() *apiclient.Client {
	*g.started = true
	return apiclient.New(g.socketPath(), g.timeout)
}

func (g *global) socketPath() string {
	if g.socket != "" {
		return g.socket
	}
	if path := g.getenv("AAASESS_SOCKET"); path != "" {
		return path
	}
	if _, err := os.Stat(localSocket); err == nil {
		return localSocket
	}
	return systemSocket
}

// printJSON prints a document.
func (g *global) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = g.out.Write(append(escapeJSON(b), '\n'))
	return err
}

// printList prints a list as one JSON document while it arrives: the fields of head, then the
// sessions, one on each line. It calls observe with each session.
func printList[T any](w io.Writer, head any, list iter.Seq2[T, error], observe func(T)) error {
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(w, `%s,"sessions":[`, b[:len(b)-1]); err != nil {
		return err
	}
	sep := "\n"
	for s, err := range list {
		if err != nil {
			return err
		}
		observe(s)
		b, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(w, "%s%s", sep, escapeJSON(b)); err != nil {
			return err
		}
		sep = ",\n"
	}
	_, err = fmt.Fprint(w, "\n]}\n")
	return err
}
