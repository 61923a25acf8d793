package partner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TrapdOptions says what a Snmptrapd takes.
type TrapdOptions struct {
	// Config is lines of snmptrapd.conf: createUser, authUser, authCommunity, exactEngineID ... Without
	// a line that allows something, everything is dropped.
	Config []string
}

// TrapdProc is net-snmp's snmptrapd, a receiver of notifications. After a restart it still has its
// engine id and the users that its configuration has created, and one boot more.
type TrapdProc struct {
	Addr string // host:port where it listens

	process
}

// Snmptrapd starts an snmptrapd, and gives it when it listens. It ends with the test. Its log becomes
// part of the test's if that fails.
func Snmptrapd(t testing.TB, opts TrapdOptions) *TrapdProc {
	t.Helper()
	dir, state := t.TempDir(), t.TempDir() // its own files are apart: it writes a snmptrapd.conf there
	conf := filepath.Join(dir, "snmptrapd.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(opts.Config, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(dir, ":") { // it would read a list of folders
		t.Fatalf("partner: snmptrapd: a colon in the name of the test: %s", dir)
	}
	p := &TrapdProc{Addr: fmt.Sprintf("127.0.0.1:%d", FreeUDPPort(t))}
	p.process = process{
		t: t, name: "snmptrapd", path: lookPath(t, "snmptrapd"),
		// A notification becomes one line: what it is and its security, then its variables.
		args: []string{"-f", "-Lo", "-On", "-F", `GOT %P|%V|%v\n`, "udp:" + p.Addr},
		// It must find its own file, too (and so not be told -C): else it has another engine id and boots 1
		// in each life.
		env: []string{"SNMP_PERSISTENT_DIR=" + state, "SNMPCONFPATH=" + dir + ":" + state, "MIBS="},
		// Printed when all sockets are open, just before its main loop.
		ready: func(line string) bool { return strings.HasPrefix(line, "NET-SNMP version") },
	}
	p.begin()
	return p
}

// Got gives the notifications that it has let in, a line each, in their order.
func (p *TrapdProc) Got() []string {
	var got []string
	for line := range strings.Lines(p.Log()) {
		if rest, ok := strings.CutPrefix(line, "GOT "); ok {
			got = append(got, strings.TrimSpace(rest))
		}
	}
	return got
}

// AwaitGot waits until it has let in n notifications, and gives them. If it takes too long, the test
// fails.
func (p *TrapdProc) AwaitGot(n int, timeout time.Duration) []string {
	p.t.Helper()
	deadline := time.After(timeout)
	tick := time.NewTicker(5 * time.Millisecond) // its log is written by another process
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
