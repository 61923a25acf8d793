package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

const (
	socketHere   = "var/aaasess.sock"          // of a daemon that was started in this folder (R73)
	socketSystem = "/run/aaasess/aaasess.sock" // of the system's daemon
)

const rootHelp = `aaasess shows and ends the sessions of a running aaasessd, and shows how their accounting
gets to the accounting servers.

The daemon is found by its control socket: --socket, else $AAASESS_SOCKET, else
var/aaasess.sock if that is there, else /run/aaasess/aaasess.sock. Only root and
the members of the socket's group may use it.

Exit codes:
  0  done
  1  failed, or refused by the daemon, or not all sessions went in time
  2  wrong usage
  3  no daemon can be reached
  4  nothing matched: no session has the id or passes the filter, or there is no server
     group, acct-on-off-group, queue, method list or set aside record of the name or number
  6  "show spool": part of the store could not be read and is lost

Lists go to the standard output, summaries and errors to the standard error.
With --json the standard output is one JSON document.`

// global are the flags that every command has.
type global struct {
	environment
	began   *bool // arguments were fine, the command itself runs
	socket  string
	timeout time.Duration
	json    bool
}

// newRoot makes the command tree. began becomes true when a command runs: errors before that are
// faults of its words.
func newRoot(env environment) (root *cobra.Command, began *bool) {
	g := &global{environment: env, began: new(bool)}
	root = &cobra.Command{
		Use:           "aaasess",
		Short:         "Show and end AAA sessions, and show how their accounting goes",
		Long:          rootHelp,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          wantCommand,
	}
	root.SetIn(env.in)
	root.SetOut(env.out)
	root.SetErr(env.err)
	flags := root.PersistentFlags()
	flags.StringVar(&g.socket, "socket", "", "control socket of the daemon (default as \"aaasess --help\" says)")
	flags.DurationVar(&g.timeout, "timeout", 10*time.Second, "how long the daemon may take to answer, and for each further piece of its answer")
	flags.BoolVar(&g.json, "json", false, "print one JSON document")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if g.timeout <= 0 {
			return fmt.Errorf("--timeout %v is not more than 0", g.timeout)
		}
		return nil
	}
	show := &cobra.Command{
		Use: "show", Short: "Show what the daemon knows", Args: cobra.NoArgs, RunE: wantCommand,
	}
	show.AddCommand(newShowSessions(g), newShowStatus(g),
		newShowServerGroup(g), newShowOnOffGroup(g), newShowRadius(g), newShowSpool(g))
	root.AddCommand(show, newDisconnect(g), newPerform(g), newSpool(g), newSimulate(g))
	return root, g.began
}

// wantCommand is what a command does that only has others below it.
func wantCommand(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	_ = cmd.Usage()
	return fmt.Errorf("%w: %s wants a command", errUsage, cmd.CommandPath())
}

// client makes the connection that the flags say. From here on errors are no longer faults of the words.
func (g *global) client() *apiclient.Client {
	*g.began = true
	return apiclient.New(g.socketPath(), g.timeout)
}

func (g *global) socketPath() string {
	if g.socket != "" {
		return g.socket
	}
	if path := g.getenv("AAASESS_SOCKET"); path != "" {
		return path
	}
	if _, err := os.Stat(socketHere); err == nil {
		return socketHere
	}
	return socketSystem
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

// printList prints a list as one document, as it arrives: head and then the sessions, one a line.
// Each is given to look first.
func (g *global) printList(head any, list *apiclient.List, look func(api.Session)) error {
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(g.out, `%s,"sessions":[`, b[:len(b)-1]); err != nil {
		return err
	}
	sep := "\n"
	for s, err := range list.All() {
		if err != nil {
			return err
		}
		look(s)
		b, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintf(g.out, "%s%s", sep, escapeJSON(b)); err != nil {
			return err
		}
		sep = ",\n"
	}
	_, err = fmt.Fprint(g.out, "\n]}\n")
	return err
}
