package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"aaasess/cmd/internal/apiclient"
	"aaasess/sessions/radius/radiustest"
)

// TestMain runs the daemon instead of the tests if the environment says so: tests start the test
// binary as the daemon.
func TestMain(m *testing.M) {
	if os.Getenv("AAASESSD_UNDER_TEST") != "" {
		main()
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "aaasess-test-")
	if err != nil {
		panic(err)
	}
	sharedDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// sharedDir returns a folder that all tests share.
var sharedDir string

const (
	nasSecret   = "nas secret"
	limit       = 20 * time.Second
	settleLimit = 20 * time.Second
)

// lines is a buffer that a process writes and a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// eventually waits for a condition, with a timeout. got points to a value for the failure message.
func eventually(t testing.TB, what string, cond func() bool, got ...any) {
	t.Helper()
	for deadline := time.Now().Add(settleLimit); ; {
		if cond() {
			return
		}
		if time.Now().After(deadline) {
			for i, g := range got {
				got[i] = reflect.ValueOf(g).Elem().Interface()
			}
			t.Fatalf("not within %v: %s; it is %v", settleLimit, what, got)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// inProcess is a daemon in this process, without partners.
type inProcess struct {
	t      *testing.T
	dir    string
	file   string
	d      *daemon
	log    *lines
	hup    chan os.Signal
	cancel context.CancelFunc
	ended  chan error // receives the results of run and of close
}

// plainConfig is a configuration with free ports and one NAS on loopback. It accounts everything to
// a file.
const plainConfig = `state: state
log: {level: info}
control: {socket: ctl.sock}
snmp: {session-mib-disconnect: true}
radius:
  accounting: {listen: ["127.0.0.1:0"]}
  clients:
    - {name: loopback, address: 127.0.0.0/8, secret: "nas secret", disconnect: {port: 3799}}
accounting:
  network: {default: {record: start-stop, methods: [local]}}
  local: {file: records.jsonl}
sessions: {disconnect: {stop-wait: 100ms, retry-min: 100ms, timeout: 100ms, retransmit: 0}}
store: {min-free: 1MiB}
`

// relayConfig returns plainConfig with these servers in a group that everything is accounted to.
func relayConfig(t *testing.T, group string, servers ...*upstream) string {
	t.Helper()
	var hosts []string
	for _, u := range servers {
		hosts = append(hosts, u.addrPort().String())
	}
	return groupConfig(t, group, hosts...)
}

// groupConfig is relayConfig for servers by host:port.
func groupConfig(t *testing.T, group string, hosts ...string) string {
	t.Helper()
	text, names := "  servers:\n", ""
	for i, hostPort := range hosts {
		host, port, _ := strings.Cut(hostPort, ":")
		text += fmt.Sprintf("    - {name: r%d, address: %s, port: %s, secret: upstream}\n", i, host, port)
		names += fmt.Sprintf("r%d, ", i)
	}
	text += fmt.Sprintf("  groups:\n    - {name: %s, servers: [%s], timeout: 100ms, retransmit: 0, hold-down: 0s}\n", group, strings.TrimSuffix(names, ", "))
	return with(t, plainConfig, "methods: [local]", "methods: [group "+group+"]", "accounting:\n  network", text+"accounting:\n  network")
}

// portOf returns the port of an address as text.
func portOf(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }

// with replaces old texts by new ones, in pairs. A missing old text fails the test.
func with(t *testing.T, text string, oldNew ...string) string {
	t.Helper()
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("the configuration has no %q:\n%s", oldNew[i], text)
		}
		text = strings.Replace(text, oldNew[i], oldNew[i+1], 1)
	}
	return text
}

// launch runs a daemon until the test ends, and then checks that it has left no goroutine and no
// file open.
func launch(t *testing.T, text string, env environment) *inProcess {
	t.Helper()
	l := &inProcess{t: t, dir: t.TempDir()}
	l.file = filepath.Join(l.dir, "aaasess.yaml")
	l.configure(text)
	l.start(env)
	return l
}

func (l *inProcess) start(env environment) {
	l.t.Helper()
	before := goroutines()
	l.log = &lines{}
	d, err := assemble(l.file, l.log, l.log, env)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.d, l.cancel, l.hup, l.ended = d, cancel, make(chan os.Signal, 1), make(chan error, 2)
	log, ended := l.log, l.ended
	go func() {
		ended <- d.run(ctx, l.hup)
		ended <- d.close()
	}()
	l.t.Cleanup(func() {
		if l.ended == ended {
			if err := l.stop(); err != nil {
				l.t.Errorf("the daemon ended with %v", err)
			}
		}
		if env.disk == nil {
			endsAll(l.t, before)
		}
		for _, line := range duplicateKeys(log.String()) {
			l.t.Errorf("the log has a key %s", line)
		}
		if l.t.Failed() {
			l.t.Logf("the daemon's log:\n%s", log)
		}
	})
	eventually(l.t, "the daemon is ready", func() bool { return strings.Contains(log.String(), "msg=ready") })
}

// stop ends the daemon and returns the results of run and close.
func (l *inProcess) stop() error {
	l.cancel()
	return l.wait()
}

// wait waits until the daemon ends.
func (l *inProcess) wait() error {
	l.t.Helper()
	var errs []error
	for range 2 {
		select {
		case err := <-l.ended:
			errs = append(errs, err)
		case <-time.After(limit):
			l.t.Fatal("the daemon does not end")
		}
	}
	l.ended = nil
	return errors.Join(errs...)
}

func (l *inProcess) configure(text string) {
	l.t.Helper()
	if err := os.WriteFile(l.file, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// reload sends SIGHUP, and waits for a message in the log.
func (l *inProcess) reload(text, logged string) {
	l.t.Helper()
	l.configure(text)
	before := strings.Count(l.log.String(), logged)
	l.hup <- os.Interrupt
	eventually(l.t, "the log says "+logged, func() bool { return strings.Count(l.log.String(), logged) > before })
}

// goroutines returns the goroutines that run our code (tests and their servers excluded) or that of
// the store's engine, by number.
func goroutines() map[string]string {
	b := make([]byte, 1<<20)
	b = b[:runtime.Stack(b, true)]
	all := map[string]string{}
	for g := range strings.SplitSeq(string(b), "\n\n") {
		number, _, _ := strings.Cut(g, " [")
		if (strings.Contains(g, "aaasess/") || strings.Contains(g, "pebble")) && !strings.Contains(g, "_test.go") && !strings.Contains(g, "/tacacstest.") {
			all[number] = g
		}
	}
	return all
}

// endsAll checks that no further goroutines run than before.
func endsAll(t *testing.T, before map[string]string) {
	t.Helper()
	var left []string
	eventually(t, "nothing is left running", func() bool {
		left = nil
		for number, g := range goroutines() {
			if before[number] == "" {
				left = append(left, g)
			}
		}
		return len(left) == 0
	}, &left)
}

// packet returns an Accounting-Request.
func packet(status rfc2866.AcctStatusType, sid, user string, more ...func(*layeh.Packet) error) *layeh.Packet {
	p := layeh.New(layeh.CodeAccountingRequest, []byte(nasSecret))
	errs := []error{rfc2866.AcctStatusType_Set(p, status), rfc2865.NASIPAddress_Set(p, net.IPv4(127, 0, 0, 1))}
	if sid != "" {
		errs = append(errs, rfc2866.AcctSessionID_SetString(p, sid), rfc2865.UserName_SetString(p, user))
	}
	for _, m := range more {
		errs = append(errs, m(p))
	}
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
	return p
}

const (
	acctStart   = rfc2866.AcctStatusType_Value_Start
	acctStop    = rfc2866.AcctStatusType_Value_Stop
	acctInterim = rfc2866.AcctStatusType_Value_InterimUpdate
)

// account sends a packet once. It returns an error if the packet is not answered.
func (l *inProcess) account(p *layeh.Packet, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(l.t.Context(), wait)
	defer cancel()
	_, err := radiustest.Account(ctx, netip.MustParseAddrPort("127.0.0.1:0"), l.d.listener.Addr(), p)
	return err
}

func (l *inProcess) mustAccount(packets ...*layeh.Packet) {
	l.t.Helper()
	for _, p := range packets {
		if err := l.account(p, limit); err != nil {
			l.t.Fatalf("no answer: %v", err)
		}
	}
}

// records returns "type session" of the records in an accounting file, in order.
func (l *inProcess) records(name string) []string {
	l.t.Helper()
	b, err := os.ReadFile(filepath.Join(l.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		l.t.Fatal(err)
	}
	var out []string
	for line := range bytes.Lines(b) {
		var r struct{ Type, Session string }
		if err := json.Unmarshal(line, &r); err != nil {
			l.t.Fatalf("%v: %s", err, line)
		}
		out = append(out, r.Type+" "+r.Session)
	}
	return out
}

func (l *inProcess) eventuallyRecords(name string, want ...string) {
	l.t.Helper()
	var got []string
	eventually(l.t, fmt.Sprintf("%s has %q", name, want), func() bool {
		got = l.records(name)
		return slices.Equal(got, want)
	}, &got)
}

func (l *inProcess) client() *apiclient.Client {
	return apiclient.New(filepath.Join(l.dir, "ctl.sock"), limit)
}

// process is the daemon in its own process.
func process(t *testing.T, dir string, out *lines, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), "AAASESSD_UNDER_TEST=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if t.Failed() {
			t.Logf("the daemon's output:\n%s", out)
		}
	})
	return cmd
}

var cliOnce = sync.OnceValues(func() (string, error) {
	file := filepath.Join(sharedDir, "aaasess")
	out, err := exec.Command("go", "build", "-o", file, "aaasess/cmd/aaasess").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

func cli(t testing.TB) string {
	t.Helper()
	file, err := cliOnce()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
