package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// load is what peers/load.c is asked to send; see there.
type load struct {
	first, count int
	inFlight     int     // if rate is 0
	rate         float64 // requests a second
	timeout      time.Duration
	tries        int
}

// slowAnswer is what a NAS notices.
const slowAnswer = 50 * time.Millisecond

// loadResult is how it went. Times are in nanoseconds.
type loadResult struct {
	Sent, Answered, GivenUp          int
	Retransmissions, Bad, Unexpected int
	Took                             time.Duration // from the first request to the last answer
	P50, P99, Max                    time.Duration
	Over                             int // answers that took longer than slowAnswer
}

// rate is how many were answered a second.
func (r loadResult) rate() float64 { return float64(r.Answered) / r.Took.Seconds() }

// loadProgram is the name of the load generator.
const loadProgram = "load"

func buildLoad(ctx context.Context, dir string) error {
	err := build(ctx, "gcc", "-O2", "-Wall", "-Wextra", "-o", filepath.Join(dir, loadProgram), filepath.Join(dir, "peers", "load.c"))
	if err != nil {
		return fmt.Errorf("bench: build %s: %w", loadProgram, err)
	}
	return nil
}

// send sends requests of a file to a port and waits for their answers.
func (h host) send(ctx context.Context, file string, port uint16, l load) (r loadResult, err error) {
	var out strings.Builder
	_, err = h.run(ctx, &out, filepath.Join(h.dir, loadProgram), file, fmt.Sprint(port), fmt.Sprint(l.first), fmt.Sprint(l.count),
		fmt.Sprint(l.inFlight), fmt.Sprintf("%g", l.rate), fmt.Sprint(l.timeout.Milliseconds()), fmt.Sprint(l.tries),
		fmt.Sprint(slowAnswer.Milliseconds()))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		return r, fmt.Errorf("%s: %w: %s", loadProgram, err, out.String())
	}
	if r.Bad > 0 {
		return r, fmt.Errorf("%s: %d answers are wrong", loadProgram, r.Bad)
	}
	return r, nil
}

// readyLimit is how long a server may take until it answers, restarts with large states included.
const readyLimit = 2 * time.Minute

// awaitAnswer asks a server until its answer is right, while the processes that it needs live. The request starts
// a session that is not numbered.
func awaitAnswer(ctx context.Context, port uint16, needed ...*process) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback(), port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	request, want := probe()
	answer := make([]byte, 4096)
	for {
		_, _ = conn.Write(request) // refused as long as nobody is there
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := conn.Read(answer)
		if err == nil && string(answer[:n]) == string(want) {
			return nil
		}
		for _, p := range needed {
			if err := p.ended(); err != nil {
				return err
			}
		}
		if err != nil {
			time.Sleep(5 * time.Millisecond)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for an answer from port %d: %w", port, context.Cause(ctx))
		}
	}
}

// probe is a request that no server has seen, with its answer.
func probe() (request, answer []byte) {
	attrs := radius.AppendUint32(nil, radius.AcctStatusType, uint32(sessions.Start))
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, "probe-"+rand.Text())
	attrs = radius.AppendAttribute(attrs, radius.NASIPAddress, "\xc0\x00\x02\x02")
	attrs = radius.AppendUint32(attrs, radius.ServiceType, 2)
	request = appendRequest(nil, 0, attrs)
	return request, appendResponse(nil, request, nil)
}
