package partner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TrapdOptions configures a Snmptrapd.
type TrapdOptions struct {
	// Config is lines of snmptrapd.conf: createUser, authUser, authCommunity, exactEngineID and so
	// on. Without a line that permits something, snmptrapd drops everything.
	Config []string
	// MIBs are folders with MIB modules, separated by colons. It prints the names that they have;
	// without, numbers.
	MIBs string
}

// TrapdProc is net-snmp's snmptrapd, a receiver of notifications. After a restart it still has its
// engine id and the users of its configuration, and its boots are incremented.
type TrapdProc struct {
	Addr string // host:port of its socket

	process
}

// Snmptrapd starts an snmptrapd and returns when it listens. It ends with the test. If the test
// fails, its log is added to the test's.
func Snmptrapd(t testing.TB, opts TrapdOptions) *TrapdProc {
	t.Helper()
	dir, state := t.TempDir(), t.TempDir() // two folders: snmptrapd writes a snmptrapd.conf of its own
	conf := filepath.Join(dir, "snmptrapd.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(opts.Config, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(dir, ":") { // it would read a list of folders
		t.Fatalf("partner: snmptrapd: the name of the test must not have a colon: %s", dir)
	}
	numbers, mibs := []string{"-On"}, []string{"MIBS="}
	if opts.MIBs != "" {
		numbers, mibs = nil, []string{"MIBS=ALL", "MIBDIRS=" + opts.MIBs}
	}
	p := &TrapdProc{Addr: fmt.Sprintf("127.0.0.1:%d", FreeUDPPort(t))}
	p.process = process{
		t: t, name: "snmptrapd", path: lookPath(t, "snmptrapd"),
		// A notification becomes one line: its type and security, then its variables.
		args: append(numbers, "-f", "-Lo", "-F", `GOT %P|%V|%v\n`, "udp:"+p.Addr),
		// It must also find its own file (so -C is not possible): otherwise each start has another
		// engine id and boots 1.
		env: append(mibs, "SNMP_PERSISTENT_DIR="+state, "SNMPCONFPATH="+dir+":"+state),
		// Printed when all sockets are open, just before its main loop.
		ready: func(line string) bool { return strings.HasPrefix(line, "NET-SNMP version") },
	}
	p.begin()
	return p
}

// Got returns the notifications that it accepted, a line each, in order.
func (p *TrapdProc) Got() []string {
	var got []string
	for line := range strings.Lines(p.Log()) {
		if rest, ok := strings.CutPrefix(line, "GOT "); ok {
			got = append(got, strings.TrimSpace(rest))
		}
	}
	return got
}

// AwaitGot waits until it has accepted n notifications, and returns them. After the timeout the
// test fails.
func (p *TrapdProc) AwaitGot(n int, timeout time.Duration) []string {
	p.t.Helper()
	deadline := time.After(timeout)
	tick := time.NewTicker(5 * time.Millisecond) // another process writes its log
	defer tick.Stop()
	for {
		got := p.Got()
		if len(got) >= n {
			return got
		}
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("partner: snmptrapd: %d notifications after %s, want %d", len(got), timeout, n)
		}
	}
}
