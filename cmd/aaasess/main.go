// Command aaasess is the command line of aaasessd. It shows and ends sessions, shows server groups
// and their statistics, has Accounting-On and -Off sent, and manages the spool, all over the
// control socket of the daemon (spec R32, R60 to R63, R70). The command "simulate" plays a NAS.
//
// The command keeps no state and no lock: it prints what the daemon answers.
//
// Text from the network cannot change a terminal: unprintable characters are printed as \xHH or
// \u{H}.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"aaasess/cmd/aaasess/internal/cli"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	env := cli.Environment{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Terminal: cli.IsTerminal(os.Stdin), OutTerminal: cli.IsTerminal(os.Stdout), ErrTerminal: cli.IsTerminal(os.Stderr), Width: cli.TerminalWidth(os.Stdout)}
	code := run(ctx, env, os.Args[1:])
	cancel()
	os.Exit(code)
}

// run carries out a command line and returns its exit code.
func run(ctx context.Context, env cli.Environment, args []string) int {
	root, started := newRoot(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return cli.ExitDone
	}
	if !*started && !errors.Is(err, cli.ErrUsage) { // cobra rejected the flags or arguments
		err = fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = errors.New("interrupted")
	}
	cli.PrintError(env.Err, err)
	return cli.ExitCode(err)
}
