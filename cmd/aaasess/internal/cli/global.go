package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/apiclient"
)

const (
	LocalSocket  = "var/aaasess.sock"          // of a daemon that was started in this folder (R73)
	SystemSocket = "/run/aaasess/aaasess.sock" // of the system's daemon
)

// Global holds the flags that every command has.
type Global struct {
	Environment
	Started *bool // the flags and arguments are valid, and the command itself runs
	Socket  string
	Timeout time.Duration
	JSON    bool
}

// RequireSubcommand runs for a command that only groups others: it prints the usage and fails.
func RequireSubcommand(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	_ = cmd.Usage()
	return fmt.Errorf("%w: %s needs a subcommand", ErrUsage, cmd.CommandPath())
}

// Client returns a client for the daemon that the flags select. Errors after this call are not
// usage errors.
func (g *Global) Client() *apiclient.Client {
	*g.Started = true
	return apiclient.New(g.SocketPath(), g.Timeout)
}

// SocketPath returns the path of the control socket, by the order that "aaasess --help" describes.
func (g *Global) SocketPath() string {
	if g.Socket != "" {
		return g.Socket
	}
	if path := g.Getenv("AAASESS_SOCKET"); path != "" {
		return path
	}
	if _, err := os.Stat(LocalSocket); err == nil {
		return LocalSocket
	}
	return SystemSocket
}

// PrintJSON prints a document.
func (g *Global) PrintJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = g.Out.Write(append(term.EscapeJSON(b), '\n'))
	return err
}

// PrintList prints a list as one JSON document while it arrives: the fields of head, then the
// sessions, one on each line. It calls observe with each session.
func PrintList[T any](w io.Writer, head any, list iter.Seq2[T, error], observe func(T)) error {
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
		if _, err = fmt.Fprintf(w, "%s%s", sep, term.EscapeJSON(b)); err != nil {
			return err
		}
		sep = ",\n"
	}
	_, err = fmt.Fprint(w, "\n]}\n")
	return err
}
