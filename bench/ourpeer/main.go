// Command ourpeer serves casnActiveTable from this module's packages, as the
// daemon does, for comparison with the C subagents in bench/peers:
//
//	ourpeer -socket PATH -rows N
//
// Its table is filled by Start events with the rows of bench/peers/rows.h.
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"aaasess/agent/agentx"
	"aaasess/mib"
	"aaasess/mib/casn"
	"aaasess/sessions"
)

func main() {
	socket := flag.String("socket", "", "the master's agentXSocket, a unix `path`")
	rows := flag.Uint("rows", 1000, "`sessions` in the table")
	flag.Parse()
	if err := run(*socket, uint32(*rows)); err != nil {
		fmt.Fprintln(os.Stderr, "ourpeer:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM.
func run(socket string, rows uint32) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	table, err := fill(rows)
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

// fill makes a table with the sessions 1 to rows.
func fill(rows uint32) (*sessions.Table, error) {
	j := &forgetful{}
	table := sessions.New(sessions.Config{}, j)
	for id := uint32(1); id <= rows; id++ {
		if err := table.Apply(start(id), nil); err != nil {
			return nil, fmt.Errorf("session %d: %w", id, err)
		}
	}
	j.publish()
	// The garbage of filling is not part of what is measured.
	runtime.GC()
	return table, nil
}

// start is what a NAS reports of session id: the values of rows.h, and what
// an Accounting-Request usually has beside them.
func start(id uint32) sessions.Event {
	const portCount = 48
	port := 1 + id%portCount
	name := fmt.Sprintf("%016X", id)
	address := binary.BigEndian.AppendUint32(nil, 10<<24|id&0xffffff)

	a := sessions.AppendUint32(nil, sessions.AcctStatusType, uint32(sessions.Start))
	a = sessions.AppendAttribute(a, sessions.AcctSessionID, name)
	a = sessions.AppendAttribute(a, sessions.UserName, fmt.Sprintf("user%010d@isp.test", id))
	a = sessions.AppendAttribute(a, sessions.FramedIPAddress, string(address))
	a = sessions.AppendUint32(a, sessions.NASPort, port)
	return sessions.Event{
		Type:          sessions.Start,
		NAS:           sessions.NAS{Addr: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Name: "bench"},
		AcctSessionID: name, Kind: sessions.Network, At: time.Now(),
		Attrs: sessions.Attributes(a), PortIfIndex: port,
	}
}

// forgetful is a journal for a table that nobody restarts.
type forgetful struct {
	publish func() // makes what was committed visible
}

// Accepting implements sessions.Journal.
func (*forgetful) Accepting() error { return nil }

// Commit implements sessions.Journal. Nobody waits for a commit here.
func (*forgetful) Commit(sessions.Change, func(error)) {}

// AfterBatch implements sessions.Journal: filling is one batch.
func (f *forgetful) AfterBatch(fn func()) { f.publish = fn }
