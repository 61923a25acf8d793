//go:build partners

package partner

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

const sysUpTime = ".1.3.6.1.2.1.1.3.0"

func TestSnmpd(t *testing.T) {
	for _, network := range []string{"", "unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			p := Snmpd(t, SnmpdOptions{AgentXNetwork: network, Config: []string{"sysName partner"}})
			get := func() string {
				return Run(t, 5*time.Second, "snmpget", "-v2c", "-c", ReadCommunity, "-On", p.Addr, ".1.3.6.1.2.1.1.5.0")
			}
			if got := get(); !strings.Contains(got, `STRING: "partner"`) {
				t.Errorf("snmpget printed %q", got)
			}
			old := p.Pid()
			p.Restart()
			if p.Pid() == old {
				t.Errorf("Restart kept process %d", old)
			}
			if got := get(); !strings.Contains(got, `STRING: "partner"`) {
				t.Errorf("after a restart snmpget printed %q", got)
			}
			pid := p.Pid()
			p.Kill()
			if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
				t.Errorf("after Kill process %d: %v", pid, err)
			}
			if _, err := Try(t, 5*time.Second, "snmpget", "-v2c", "-c", ReadCommunity, "-t", "0.2", "-r", "0", p.Addr, sysUpTime); err == nil {
				t.Error("snmpd answers after Kill")
			}
		})
	}
}

func TestSnmpdWalk(t *testing.T) {
	p := Snmpd(t, SnmpdOptions{})
	lines := p.Walk(t, ".1.3.6.1.2.1.1")
	if len(lines) < 7 || !strings.HasPrefix(lines[0], ".1.3.6.1.2.1.1.1.0 = ") {
		t.Errorf("walk of the system group: %q", lines)
	}
}
