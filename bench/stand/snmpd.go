package stand

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"aaasess/bench/snmpclient"
	"aaasess/internal/freeport"
)

// servedLimit is the time limit until a subagent has filled its table and registered.
const servedLimit = 3 * time.Minute

// Stand serves the rows 1 to Rows: an snmpd of its own with one subagent, or a responder. Close
// ends it.
type Stand struct {
	Host
	Rows      int
	Port      uint16
	processes []*Process // in the order they were started
}

// OpenStand starts master and subagent and returns when the last row is served.
func OpenStand(ctx context.Context, h Host, subagent string, rows int) (*Stand, error) {
	dir, err := os.MkdirTemp(h.Dir, "stand-")
	if err != nil {
		return nil, err
	}
	s := &Stand{Host: h, Rows: rows}
	socket := filepath.Join(dir, "agentx")
	if s.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	if err := s.StartMaster(ctx, dir, socket); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.serve(ctx, subagent, "-socket", socket, "-rows", fmt.Sprint(rows)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.awaitLastRow(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// serve starts one of the stand's processes.
func (s *Stand) serve(ctx context.Context, name string, args ...string) error {
	p, err := s.start(ctx, name, args...)
	if err == nil {
		s.processes = append(s.processes, p)
	}
	return err
}

// Close ends the processes in reverse order.
func (s *Stand) Close() error {
	for _, p := range slices.Backward(s.processes) {
		p.stop()
	}
	return nil
}

// StartMaster starts snmpd and returns when its AgentX socket exists.
func (s *Stand) StartMaster(ctx context.Context, dir, socket string) error {
	// Without dontLogTCPWrappersConnects snmpd logs each request.
	config := fmt.Sprintf(`agentAddress udp:127.0.0.1:%d
rocommunity public 127.0.0.1
master agentx
agentXSocket %s
agentXPerms 0700 0700
dontLogTCPWrappersConnects true
`, s.Port, socket)
	file := filepath.Join(dir, "master.conf") // not snmpd.conf, which snmpd overwrites with its state
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	program, err := findProgram("snmpd")
	if err != nil {
		return err
	}
	s.isolate(dir)
	if err := s.serve(ctx, program, "-f", "-Lo", "-C", "-c", file); err != nil {
		return err
	}
	return s.poll(ctx, "snmpd's AgentX socket", func() bool {
		_, err := os.Stat(socket)
		return err == nil
	})
}

// isolate makes net-snmp's programs ignore the MIB files, the configuration and the state of this
// machine.
func (s *Stand) isolate(dir string) {
	s.Env = append(slices.Clone(s.Env), "MIBS=", "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+dir)
}

// awaitLastRow waits until the table's last row is served.
func (s *Stand) awaitLastRow(ctx context.Context) error {
	snmp := snmpclient.New(s.Port)
	snmp.Timeout = time.Second
	if err := snmp.Connect(); err != nil {
		return err
	}
	defer snmp.Close()
	last := fmt.Sprintf("%s.%d.%d", snmpclient.CasnEntry, snmpclient.FirstColumn, s.Rows)
	return s.poll(ctx, "row "+last, func() bool {
		answer, err := snmp.Get([]string{last})
		return err == nil && snmpclient.HasValue(answer)
	})
}

// poll waits until ready returns true. It returns an error if a process ends.
func (s *Stand) poll(ctx context.Context, what string, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, servedLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		for _, p := range s.processes {
			if err := p.Ended(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

// ServersCPU returns the CPU time that the stand's processes have used so far.
func (s *Stand) ServersCPU() (time.Duration, error) {
	var sum time.Duration
	for _, p := range s.processes {
		t, err := p.CPUTime()
		if err != nil {
			return 0, err
		}
		sum += t
	}
	return sum, nil
}

// AwaitEntries polls casnActiveTableEntries.0 until it is at least want: NASes may start sessions
// meanwhile.
func AwaitEntries(ctx context.Context, port uint16, want int, needed *Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	client := snmpclient.New(port)
	client.Timeout = time.Second
	if err := client.Connect(); err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for last := any(nil); ; {
		if answer, err := client.Get([]string{snmpclient.ActiveTableEntries}); err == nil && snmpclient.HasValue(answer) {
			if n, ok := answer.Variables[0].Value.(uint); ok && n >= uint(want) {
				return nil
			}
			last = answer.Variables[0].Value
		}
		if err := needed.Ended(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d sessions, casnActiveTableEntries is %v: %w", want, last, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
