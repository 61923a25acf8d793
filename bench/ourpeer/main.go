// Command ourpeer serves casnActiveTable with this module's packages, as the daemon does. It is
// compared with the C subagents in bench/stand/peers:
//
//	ourpeer -socket PATH -rows N
//
// Start events fill its table with the rows of bench/stand/peers/rows.h.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"aaasess/agent/agentx"
	"aaasess/bench/rows"
	"aaasess/mib"
	"aaasess/mib/casn"
)

func main() {
	socket := flag.String("socket", "", "the master's agentXSocket, a unix `path`")
	n := flag.Uint("rows", 1000, "`sessions` in the table")
	flag.Parse()
	if err := run(*socket, uint32(*n)); err != nil {
		fmt.Fprintln(os.Stderr, "ourpeer:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM or an interrupt.
func run(socket string, n uint32) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	table, err := rows.Fill(n)
	if err != nil {
		return err
	}
	tree, err := mib.New(casn.New(casn.Config{}, table, nil)) // nothing can be set, so no terminator
	if err != nil {
		return err
	}
	return agentx.New(agentx.Config{
		Network: "unix", Address: socket, Description: "bench-ours",
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}, tree).Run(ctx)
}
