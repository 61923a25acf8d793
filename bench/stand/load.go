package stand

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"aaasess/bench/nasload"
)

// Load is the arguments of a load generator, see peers/load.h.
type Load struct {
	First, Count int     // of sequences: requests, or logins
	InFlight     int     // if Rate is 0
	Rate         float64 // sequences per second
	Timeout      time.Duration
	Tries        int
}

// slowAnswer is the latency above which answers are counted as slow.
const slowAnswer = 50 * time.Millisecond

// LoadResult is the result that a load generator prints as JSON. Times are in nanoseconds.
type LoadResult struct {
	Sent, Answered, GivenUp          int
	Retransmissions, Bad, Unexpected int
	Sending                          time.Duration // from the first request to the last, without retransmissions
	Took                             time.Duration // from the first request to the last answer
	P50, P99, Max                    time.Duration
	Over                             int // answers that took longer than slowAnswer
}

// Rate returns the answered requests per second.
func (r LoadResult) Rate() float64 { return float64(r.Answered) / r.Took.Seconds() }

// The names of the load generators.
const (
	loadProgram   = "load"
	loginsProgram = "logins"
)

// BuildAccounting builds the load generator for accounting, and PeerSyncer, with gcc, into dir.
func BuildAccounting(ctx context.Context, dir string) error {
	return buildC(ctx, dir, loadProgram, PeerSyncer)
}

// buildC builds programs of one C file each.
func buildC(ctx context.Context, dir string, names ...string) error {
	if err := os.CopyFS(dir, peerSources); err != nil {
		return fmt.Errorf("bench: peers: %w", err)
	}
	for _, name := range names {
		err := build(ctx, "gcc", "-O2", "-Wall", "-Wextra", "-o", filepath.Join(dir, name), filepath.Join(dir, "peers", name+".c"))
		if err != nil {
			return fmt.Errorf("bench: build %s: %w", name, err)
		}
	}
	return nil
}

// Send sends requests of a file to a port and waits for their answers. Wrong answers are an error.
func (h Host) Send(ctx context.Context, file string, port uint16, l Load) (LoadResult, error) {
	r, err := h.load(ctx, loadProgram, file, port, l)
	switch {
	case err != nil:
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case r.Bad > 0:
		err = fmt.Errorf("%s: %d wrong answers", loadProgram, r.Bad)
	}
	return r, err
}

// load runs a load generator, whose first argument is what. If ctx is done first, the load ends, and the
// result is of what was sent until then.
func (h Host) load(ctx context.Context, program, what string, port uint16, l Load) (r LoadResult, err error) {
	var out, stderr strings.Builder
	cmd := h.command(ctx, filepath.Join(h.Dir, program), what, fmt.Sprint(port), fmt.Sprint(l.First), fmt.Sprint(l.Count),
		fmt.Sprint(l.InFlight), fmt.Sprintf("%g", l.Rate), fmt.Sprint(l.Timeout.Milliseconds()), fmt.Sprint(l.Tries),
		fmt.Sprint(slowAnswer.Milliseconds()))
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Run(); err != nil && (ctx.Err() == nil || out.Len() == 0) {
		return r, fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(stderr.String()))
	}
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		return r, fmt.Errorf("%s: %w: %s", program, err, out.String())
	}
	return r, nil
}

// readyLimit is the time limit until a server answers, even after a restart with a large state.
const readyLimit = 2 * time.Minute

// AwaitAnswer sends a request to a server until the correct answer arrives. It returns an error if
// one of the needed processes ends. The request starts a session without a number.
func AwaitAnswer(ctx context.Context, port uint16, needed ...*Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(nasload.Loopback(), port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	request, want := nasload.Probe()
	answer := make([]byte, 4096)
	for {
		_, _ = conn.Write(request) // refused while nothing listens
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := conn.Read(answer)
		if err == nil && string(answer[:n]) == string(want) {
			return nil
		}
		for _, p := range needed {
			if err := p.Ended(); err != nil {
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

// InFlight is the number of unanswered requests in the closed loop.
const InFlight = 128
