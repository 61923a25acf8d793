package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/accounting"
	"aaasess/sessions"
	"aaasess/store"
)

// What goes on while another NAS is measured.
const (
	whileQuiet    = "nobody says On"
	whileAnswered = "until the last On is answered"
	whileClosing  = "until the last row is gone"
)

var meanwhileContenders = []string{whileQuiet, whileAnswered, whileClosing}

// The rows of the table of Accounting-Ons.
const (
	onsSent     = "Accounting-Ons"
	onsAnswered = "answered"
	onsAgain    = "sent again"
	onsLast     = "until the last is answered"
	onsP50      = "answer to an On, p50"
	onsRows     = "rows of these NASes"
	onsGone     = "until the last row is gone and its stop recorded"
	onsCPU      = "CPU time of the daemon until then"
	onsOne      = "rows with exactly one stop record, after kill -9"
	onsOther    = "rows with none, or with more"
)

// rowsLimit is how long the rows of all NASes may stay.
const rowsLimit = 10 * time.Minute

// measureOns has all NASes say Accounting-On at once, in each run on a new state.
func (n *nasesBench) measureOns(ctx context.Context) (ons, meanwhile series, err error) {
	ons, meanwhile = series{}, series{}
	for run := 1; run <= n.sizes.runs; run++ {
		n.progress(fmt.Sprintf("Accounting-On, run %d of %d", run, n.sizes.runs))
		s, others, err := n.measureOn(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("bench: Accounting-On, run %d of %d: %w", run, n.sizes.runs, err)
		}
		ons[oursSpooling] = append(ons[oursSpooling], s)
		for i, c := range meanwhileContenders {
			meanwhile[c] = append(meanwhile[c], others[i])
		}
	}
	return ons, meanwhile, nil
}

func (n *nasesBench) measureOn(ctx context.Context) (ons sample, others []sample, err error) {
	d, p, err := n.startFull(ctx, n.sizes.rows)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(d.dir)
	defer p.kill()
	other := &traffic{member: otherNAS, rate: n.sizes.rate, what: otherNAS.usual}
	calls, err := n.prepareOns(d.port)
	if err != nil {
		return nil, nil, err
	}
	quiet := other.send(ctx, d.port, int(n.sizes.quiet.Seconds()*other.rate))
	cpu, err := p.cpuTime()
	if err != nil {
		return nil, nil, err
	}
	began := time.Now()

	meanwhile := make(chan []reply, 1)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	go func() { meanwhile <- other.send(sending, d.port, math.MaxInt) }()
	ons, answered := sayOn(calls)
	gone, err := n.awaitGone(ctx, d.snmp, func() int { return 1 + int(time.Since(began).Seconds()*other.rate/2) + len(quiet)/2 }, p)
	if err != nil {
		return nil, nil, err
	}
	after, err := p.cpuTime()
	if err != nil {
		return nil, nil, err
	}
	stop()
	replies := <-meanwhile
	if _, err := n.awaitGone(ctx, d.snmp, func() int { return 1 + (other.first+1)/2 }, p); err != nil { // to the last
		return nil, nil, err
	}
	ons[onsGone], ons[onsCPU] = gone.Sub(began).Seconds(), (after - cpu).Seconds()
	p.kill()
	if err := n.countStops(filepath.Join(d.dir, "state"), ons); err != nil {
		return nil, nil, err
	}
	others = []sample{
		latencies(quiet, time.Time{}, began), latencies(replies, began, answered), latencies(replies, began, gone),
	}
	return ons, others, nil
}

// prepareOns makes the Accounting-On of each NAS.
func (n *nasesBench) prepareOns(port uint16) ([]call, error) {
	calls := make([]call, n.sizes.nases)
	for i := range calls {
		var err error
		if calls[i], err = memberOf(i).prepare(port, memberOf(i).on(0)); err != nil {
			return nil, err // the process ends, and its sockets with it
		}
	}
	return calls, nil
}

// sayOn has all NASes say Accounting-On, and returns when each has its answer, or has given up.
func sayOn(calls []call) (sample, time.Time) {
	var wg sync.WaitGroup
	replies := make([]reply, len(calls))
	began := time.Now()
	for i, c := range calls {
		wg.Go(func() { replies[i] = c.send(began) })
	}
	wg.Wait()
	answered := time.Now()
	l := latencies(replies, began, answered)
	return sample{
		onsSent: l[otherRequests], onsAnswered: l[otherRequests] - l[otherNever], onsAgain: l[otherAgain],
		onsLast: l[otherMax] / 1000, onsP50: l[otherP50],
	}, answered
}

// awaitGone waits until the daemon has no more rows than others can have made.
func (n *nasesBench) awaitGone(ctx context.Context, port uint16, others func() int, p *process) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, rowsLimit)
	defer cancel()
	client := newSNMP(port)
	client.Timeout = 5 * time.Second
	if err := client.Connect(); err != nil {
		return time.Time{}, err
	}
	defer client.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		rows, err := entries(client)
		if err == nil && rows <= others() {
			return time.Now(), nil
		}
		if err := p.ended(); err != nil {
			return time.Time{}, err
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("waiting for the rows to go, %d are left (%v): %w", rows, err, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// entries is casnActiveTableEntries.0.
func entries(client *gosnmp.GoSNMP) (int, error) {
	answer, err := client.Get([]string{activeTableEntries})
	if err != nil {
		return 0, err
	}
	if rows, ok := answer.Variables[0].Value.(uint); ok {
		return int(rows), nil
	}
	return 0, errors.New("no number of rows")
}

// countStops reads what a killed daemon has left in the queue of its group.
func (n *nasesBench) countStops(folder string, out sample) (err error) {
	st, err := store.Open(folder, store.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	stops := make([]int, n.sizes.rows)
	var some []store.Entry
	for from := uint64(0); ; from = some[len(some)-1].Seq + 1 {
		if some, err = st.Read(accounting.Group("isp").Queue(), from, 4096, some[:0]); err != nil {
			return err
		}
		if len(some) == 0 {
			break
		}
		for _, e := range some {
			r, err := accounting.ParseRecord(e.Data)
			if err != nil {
				return err
			}
			if i, ok := requestNumber(r.Attrs); ok && i < len(stops) && r.Type == sessions.Stop {
				stops[i]++
			}
		}
	}
	out[onsRows], out[onsOne], out[onsOther] = float64(len(stops)), 0, 0
	for _, count := range stops {
		if count == 1 {
			out[onsOne]++
		} else {
			out[onsOther]++
		}
	}
	return nil
}
