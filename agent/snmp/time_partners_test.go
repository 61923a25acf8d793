//go:build partners

package snmp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/usm"
	"aaasess/internal/partner"
)

// manualClock is a clock that changes only by advance.
type manualClock struct{ at atomic.Int64 }

func (h *manualClock) now() time.Time { return time.Unix(0, h.at.Load()) }

func (h *manualClock) advance(d time.Duration) { h.at.Add(int64(d)) }

// newTimedRig is a rig whose engine keeps its state in file and uses a manual clock. addr is "" for
// any address, or that of an earlier rig.
func newTimedRig(t *testing.T, file, addr string) (*fixture, *manualClock) {
	t.Helper()
	h := &manualClock{}
	f := newRig(t, func(c *Config) {
		engine, err := usm.OpenEngine(file, nil, h.now)
		if err != nil {
			t.Fatal(err)
		}
		users, err := usm.NewUsers(engine.ID(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Engine, c.USM = engine, usm.New(engine, users)
		if addr != "" {
			c.Listen = []netip.AddrPort{parseAddr(t, addr)}
		}
	})
	return f, h
}

// TestWrongTime: a tool with the wrong boots or time on its command line gets the right ones by an
// authentic report (RFC 3414 section 4). Then its SET is carried out, once.
func TestWrongTime(t *testing.T) {
	f, h := newTimedRig(t, filepath.Join(t.TempDir(), "engine"), "")
	h.advance(1000 * time.Second)
	tests := []struct {
		name, boots string
		reports     uint64
		executed    bool
	}{
		{"right", "1,1000", 0, true},
		{"in the window, before", "1,850", 0, true},
		{"in the window, behind", "1,1150", 0, true},
		{"before the window", "1,849", 1, true},
		{"lower boots, right time", "0,1000", 1, true},
		// A manager must ignore a report that is older than what it knows (RFC 3414 section 3.2
		// step 7b), so this tool gives up.
		{"behind the window", "1,1151", 1, false},
		{"higher boots", "2,1000", 1, false},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, was := f.Stats(), f.numbers.now()
			to := string(rune('0' + i%10))
			patience := "-t10"
			if !tt.executed {
				patience = "-t1"
			}
			got := runTool(t, "snmpset", append(noc.args(), patience, "-Z", tt.boots, f.ipv4(), oid(1, 0), "i", to)...)
			executed := got == toolOutput{Out: oid(1, 0) + " = INTEGER: " + to + "\n"}
			if executed != tt.executed || !tt.executed && f.numbers.now() != was {
				t.Errorf("%+v, the number is %d", got, f.numbers.now())
			}
			after := f.Stats()
			if n := after.USM.NotInTimeWindows - before.USM.NotInTimeWindows; n != tt.reports {
				t.Errorf("%d reports of the time, want %d", n, tt.reports)
			}
			if n := after.Sets - before.Sets; n > 1 || tt.executed != (n == 1) {
				t.Errorf("carried out %d times", n)
			}
		})
	}
}

// shell is snmptest, a manager that keeps an engine's boots and time while it runs.
type shell struct {
	t   *testing.T
	in  io.Writer
	out chan string
}

func newShell(t *testing.T, addr string) *shell {
	t.Helper()
	path, err := exec.LookPath("snmptest")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, path, append(append([]string{"-On", "-t5", "-r1"}, noc.args()...), addr)...)
	cmd.Env = append(cmd.Environ(), "MIBS=", "SNMPCONFPATH="+t.TempDir(), "LC_ALL=C")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &shell{t: t, in: in, out: make(chan string, 100)}
	go func() {
		defer close(s.out)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			s.out <- sc.Text()
		}
	}()
	t.Cleanup(func() {
		defer cancel()
		_ = in.Close() // it exits at the end of its input
		for range s.out {
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("snmptest: %v", err)
		}
	})
	return s
}

// get reads a variable and returns the first output line that contains want or reports a failure.
func (s *shell) get(name, want string) string {
	s.t.Helper()
	if _, err := io.WriteString(s.in, name+"\n\n"); err != nil {
		s.t.Fatal(err)
	}
	for {
		select {
		case line, ok := <-s.out:
			if !ok {
				s.t.Fatal("snmptest has ended")
			}
			if strings.Contains(line, want) || strings.Contains(line, "Timeout") || strings.Contains(line, "rror") {
				return line
			}
		case <-time.After(toolLimit):
			s.t.Fatalf("snmptest says nothing of %s", name)
		}
	}
}

// TestRestart: boots increase, and managers that know the time before the restart synchronize
// without a failure.
func TestRestart(t *testing.T) {
	const snmpEngineBoots = ".1.3.6.1.6.3.10.2.1.2.0"
	file := filepath.Join(t.TempDir(), "engine")
	addr := fmt.Sprint("127.0.0.1:", partner.FreeUDPPort(t))
	var id string
	var tool *shell
	var library *gosnmp.GoSNMP
	for life := 1; life <= 3; life++ {
		t.Run(fmt.Sprint("life ", life), func(inner *testing.T) {
			f, h := newTimedRig(inner, file, addr)
			h.advance(time.Duration(1000-200*life) * time.Second) // the engine's time falls back
			if life == 1 {
				id = string(f.cfg.Engine.ID())
				tool = newShell(t, addr)
				outlives := &fixture{Responder: f.Responder, t: t}
				library = outlives.client(as("noc"))
				p := library.SecurityParameters.(*gosnmp.UsmSecurityParameters)
				p.UserName = noc.name
			}
			if got := string(f.cfg.Engine.ID()); got != id {
				inner.Errorf("the engine is %x, it was %x", got, id)
			}
			want := fmt.Sprint("= INTEGER: ", life)
			for range 2 {
				if line := tool.get(snmpEngineBoots, snmpEngineBoots); !strings.HasSuffix(line, want) {
					inner.Errorf("snmptest: %q, want %q", line, want)
				}
				answer, err := library.Get([]string{snmpEngineBoots})
				if err != nil || len(answer.Variables) != 1 || answer.Variables[0].Value != life {
					inner.Errorf("gosnmp: %s, %v", show(answer), err)
				}
			}
			// Each manager got one report when it first contacted the restarted engine.
			if n := f.Stats().USM.NotInTimeWindows; life > 1 && n != 2 {
				inner.Errorf("%d reports of the time, want 2", n)
			}
		})
	}
}
