package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

// AddWatch adds --watch to commands that show a state: they show it again and again, until Ctrl-C. On a
// terminal each replaces the one before. It goes on while the daemon does not answer, or nothing matches.
func AddWatch(g *Global, commands ...*cobra.Command) {
	for _, cmd := range commands {
		var interval time.Duration
		cmd.Flags().DurationVar(&interval, "watch", 0, "show it again every `DURATION` (1s to 1h) until Ctrl-C")
		once := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			switch {
			case !cmd.Flags().Changed("watch"):
				return once(cmd, args)
			case interval < time.Second || interval > time.Hour:
				return fmt.Errorf("%w: --watch %v: want 1s to 1h", ErrUsage, interval)
			}
			return g.watch(cmd, args, interval, once)
		}
	}
}

func (g *Global) watch(cmd *cobra.Command, args []string, interval time.Duration, once func(*cobra.Command, []string) error) error {
	out, errs := g.Out, g.Err
	defer func() { g.Out, g.Err = out, errs }()
	ctx := cmd.Context()
	for first := true; ; first = false {
		var screen bytes.Buffer // so that a terminal does not flicker
		g.Out, g.Err = &screen, &screen
		err := once(cmd, args)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if errors.Is(err, ErrUsage) || !errors.Is(err, apiclient.ErrNoDaemon) && !errors.Is(err, apiclient.ErrTimeout) && ExitCode(err) != exitNoMatch {
				return err
			}
			PrintError(&screen, err)
		}
		if err := g.showScreen(out, screen.Bytes(), first); err != nil {
			return err
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return nil
		}
	}
}

// showScreen writes what a command shows in a turn of a watch.
func (g *Global) showScreen(out io.Writer, text []byte, first bool) error {
	before := ""
	switch {
	case g.OutTerminal && !isDumb(g.Getenv("TERM")) && !g.JSON:
		before = "\x1b[H\x1b[2J"
	case !first && !g.JSON:
		before = "\n"
	}
	_, err := out.Write(append([]byte(before), text...))
	return err
}
