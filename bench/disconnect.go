package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/snmpclient"
	"aaasess/bench/stand"

	"github.com/gosnmp/gosnmp"
)

// disconnectSizes configures the section on disconnects.
type disconnectSizes struct {
	runs     int
	sessions int // that are ended
}

// disconnectFlags adds the section's flags. Call the returned function after the flags are parsed.
func disconnectFlags(flags *flag.FlagSet) func(quick bool) (disconnectSizes, error) {
	var s disconnectSizes
	flags.IntVar(&s.runs, "disconnect-runs", 3, "interleaved `runs` of the section on disconnects")
	flags.IntVar(&s.sessions, "disconnect-sessions", 10_000, "`sessions` of one NAS that are ended")
	return func(quick bool) (disconnectSizes, error) {
		if quick {
			s.runs, s.sessions = 1, 200
		}
		if s.runs < 1 || s.sessions < 1 || s.sessions > maxDisconnects {
			return s, fmt.Errorf("bench: the section disconnect needs 1 to %d sessions", maxDisconnects)
		}
		return s, nil
	}
}

const (
	maxDisconnects  = 100_000
	nasDelay        = time.Millisecond // until the NAS answers
	setRows         = 50               // in a SET of several rows
	serverRequests  = 512              // of the server that wait for their answers
	disconnectLimit = time.Minute      // until all sessions have ended
)

// The ways to end sessions.
const (
	bySET     = "SET of one row"
	byLongSET = "SET of 50 rows"
	byCommand = "aaasess disconnect"
	byServer  = "the server"
)

var disconnectContenders = []string{bySET, byLongSET, byCommand, byServer}

// The metrics of the section.
const (
	disconnectAsked   = "time until the last is asked for"
	disconnectACK     = "time to the last ACK"
	disconnectStop    = "time to the answer to the last stop"
	disconnectMost    = "requests that waited at the NAS, at most"
	disconnectAgain   = "requests more than sessions"
	disconnectMissing = "sessions whose stop the server did not get"
	disconnectCPU     = "CPU time of the daemon"
)

var disconnectTable = []report.Metric{
	{Name: disconnectAsked, Unit: "s"},
	{Name: disconnectACK, Unit: "s"},
	{Name: disconnectStop, Unit: "s"},
	{Name: disconnectMost, Unit: "1"},
	{Name: disconnectAgain, Unit: "1"},
	{Name: disconnectMissing, Unit: "1"},
	{Name: disconnectCPU, Unit: "s"},
}

const disconnectIntro = `This section measures how fast the sessions of one NAS are ended. The NAS answers a Disconnect-Request
with an ACK after 1 ms, and sends the stop of the session then. The daemon makes start and stop records
for an acknowledger. NAS, daemon, manager and acknowledger share all CPUs. Each time counts from the
first request.`

func (d *disconnectBench) note() string {
	return fmt.Sprintf(`A manager SETs casnDisconnect by SNMPv2c, at the responder of the daemon: one row after the other, or %d
rows in each SET. "aaasess disconnect --nas" is run once. The server sends Disconnect-Requests, of which
at most %d wait for their answers. A SET is answered, and the command returns, when the marks are
durable; the server gets the answers of the NAS. The daemon has 8 to 32 requests of its own, and at most
128 of the server, under way at one NAS. The goal is under 3 s to the last ACK.`, setRows, serverRequests)
}

func disconnectTitle(s disconnectSizes) string {
	return fmt.Sprintf("%s sessions of one NAS", report.Count(s.sessions))
}

// disconnectBench holds what the measurements of the section share.
type disconnectBench struct {
	stand.Host
	sizes disconnectSizes
}

// runDisconnect measures how fast sessions are ended, in each way.
func runDisconnect(ctx context.Context, b *bench) (report.Section, error) {
	d := &disconnectBench{sizes: b.config.disconnect}
	text := report.Section{Title: "Disconnects", Intro: disconnectIntro, Unpinned: true, Runs: d.sizes.runs}
	dir, err := os.MkdirTemp(b.host.Dir, "disconnect-")
	if err != nil {
		return text, err
	}
	d.Host = stand.Host{CPUs: fmt.Sprintf("0-%d", stand.OnlineCPUs()-1), Dir: dir, Env: b.host.Env}
	if err := errors.Join(stand.BuildDaemon(ctx, dir), stand.BuildCommand(ctx, dir)); err != nil {
		return text, err
	}
	series, err := report.Interleave(ctx, d.sizes.runs, disconnectContenders, func(ctx context.Context, how string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "disconnects by %s\n", how)
		return d.measure(ctx, how)
	})
	text.Comparisons = []report.Comparison{
		{Title: disconnectTitle(d.sizes), Note: d.note(), Contenders: disconnectContenders, Series: series, Metrics: disconnectTable},
	}
	return text, err
}

// measure ends the sessions of a new daemon.
func (d *disconnectBench) measure(ctx context.Context, how string) (_ report.Sample, err error) {
	var nas *nasload.EndingNAS
	ending, err := stand.OpenEnding(ctx, d.Host, func(accounting uint16) (port uint16, err error) {
		if nas, err = nasload.NASNumber(0).ListenEnding(accounting, nasDelay); err != nil {
			return 0, err
		}
		return nas.Port(), nil
	})
	if nas != nil {
		served := make(chan struct{})
		go func() { nas.Serve(); close(served) }()
		defer func() { err = errors.Join(err, nas.Close()); <-served }()
	}
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(ending.Dir)
	defer ending.Close()
	rows, err := d.startSessions(ctx, ending, nas)
	if err != nil {
		return nil, err
	}
	before, err := ending.Server.CPUTime()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := d.ask(ctx, how, ending, nas, rows); err != nil {
		return nil, err
	}
	asked := time.Now()
	if err := d.awaitStops(ctx, nas); err != nil {
		return nil, err
	}
	after, err := ending.Server.CPUTime()
	if err != nil {
		return nil, err
	}
	got, err := ending.Upstream.Await(ctx, int64(len(rows)), drainIdle)
	counts := nas.Counts()
	return report.Sample{
		disconnectAsked: asked.Sub(began).Seconds(), disconnectACK: counts.LastACK.Sub(began).Seconds(),
		disconnectStop: counts.LastStop.Sub(began).Seconds(), disconnectMost: float64(counts.Most),
		disconnectAgain: float64(counts.Requests - len(rows)), disconnectMissing: float64(int64(len(rows)) - got.Distinct),
		disconnectCPU: (after - before).Seconds(),
	}, err
}

// startSessions starts the sessions, and returns their indices when the server has got their starts. An
// acknowledger that has seen nothing takes the server's place then.
func (d *disconnectBench) startSessions(ctx context.Context, ending *stand.Ending, nas *nasload.EndingNAS) (rows []string, err error) {
	if err := nas.StartAll(ending.Port, d.sizes.sessions); err != nil {
		return nil, err
	}
	got, err := ending.Upstream.Await(ctx, int64(d.sizes.sessions), drainIdle)
	if err != nil || got.Distinct < int64(d.sizes.sessions) {
		return nil, errors.Join(err, fmt.Errorf("bench: %d of %d starts arrived", got.Distinct, d.sizes.sessions))
	}
	if err := ending.ReplaceUpstream(ctx, d.Host); err != nil {
		return nil, err
	}
	client := snmpclient.New(ending.SNMP)
	if err := client.Connect(); err != nil {
		return nil, err
	}
	defer client.Close()
	users := fmt.Sprintf("%s.%d", snmpclient.CasnEntry, snmpclient.FirstColumn)
	err = client.BulkWalk(users, func(v gosnmp.SnmpPDU) error {
		name, _ := v.Value.([]byte)
		if _, ok := nasload.UserNumber(string(name)); ok {
			rows = append(rows, strings.TrimPrefix(v.Name, users+"."))
		}
		return nil
	})
	if err == nil && len(rows) != d.sizes.sessions {
		err = fmt.Errorf("bench: there are %d rows of %d sessions", len(rows), d.sizes.sessions)
	}
	return rows, err
}

// ask ends the sessions of the rows in one of the ways. It returns when all are asked for.
func (d *disconnectBench) ask(ctx context.Context, how string, ending *stand.Ending, nas *nasload.EndingNAS, rows []string) error {
	switch how {
	case bySET:
		return setDisconnects(ending.SNMP, rows, 1)
	case byLongSET:
		return setDisconnects(ending.SNMP, rows, setRows)
	case byCommand:
		return ending.Disconnect(ctx, d.Host, nas.Identifier)
	}
	return requestDisconnects(ending.DynAuth, rows)
}

// casnDisconnect is its column (CISCO-AAA-SESSION-MIB); true(1) ends a session.
const casnDisconnect = snmpclient.CasnEntry + ".5."

// setDisconnects sets casnDisconnect in some rows after the other.
func setDisconnects(port uint16, rows []string, each int) error {
	client := snmpclient.New(port)
	if err := client.Connect(); err != nil {
		return err
	}
	defer client.Close()
	for len(rows) > 0 {
		var set []gosnmp.SnmpPDU
		for _, row := range rows[:min(each, len(rows))] {
			set = append(set, gosnmp.SnmpPDU{Name: casnDisconnect + row, Type: gosnmp.Integer, Value: 1})
		}
		rows = rows[len(set):]
		answer, err := client.Set(set)
		if err != nil {
			return err
		}
		if answer.Error != gosnmp.NoError {
			return fmt.Errorf("bench: SET: error-status %v", answer.Error)
		}
	}
	return nil
}

// requestDisconnects sends the Disconnect-Requests of the server.
func requestDisconnects(port uint16, rows []string) error {
	next, failed := make(chan string), make(chan error, len(rows))
	var wg sync.WaitGroup
	for range serverRequests {
		wg.Go(func() {
			for row := range next {
				number, err := strconv.ParseUint(row, 10, 32)
				if err == nil {
					err = nasload.RequestDisconnect(port, fmt.Sprintf("%08X", number))
				}
				if err != nil {
					failed <- err
				}
			}
		})
	}
	for _, row := range rows {
		next <- row
	}
	close(next)
	wg.Wait()
	close(failed)
	return <-failed
}

// awaitStops waits until the daemon has answered the stop of each session.
func (d *disconnectBench) awaitStops(ctx context.Context, nas *nasload.EndingNAS) error {
	ctx, cancel := context.WithTimeout(ctx, disconnectLimit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for nas.Counts().Stops < d.sizes.sessions {
		select {
		case <-ctx.Done():
			return fmt.Errorf("bench: waiting for the stops, the NAS has %+v: %w", nas.Counts(), context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}
