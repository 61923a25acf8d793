package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeSnmpd writes a program that does what the script says. Before that it writes down what it was
// started with, in files beside it. $conf is its configuration, $log its log.
func fakeSnmpd(t *testing.T, script string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "snmpd")
	text := `#!/bin/sh
cd "${0%/*}"
log=$4 conf=$7
echo "$@" >> calls
env > env
cp "$conf" conf
` + script
	if err := os.WriteFile(program, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return program
}

// fileBeside reads a file that a fake snmpd wrote; "" if there is none.
func fileBeside(program, name string) string {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(program), name))
	if err != nil {
		return ""
	}
	return string(b)
}

func newSnmpd(t *testing.T, program, dir string, log *lines) *privateSnmpd {
	t.Helper()
	p, err := newPrivateSnmpd(program, filepath.Join(dir, "snmpd"), "127.0.0.1:0", filepath.Join(dir, "agentx.sock"), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	p.min, p.max = time.Millisecond, 4*time.Millisecond
	return p
}

// keep runs it until the test ends.
func keep(t *testing.T, p *privateSnmpd) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return stop
}

// TestSnmpdFiles: what snmpd writes itself does not come into the way of what we write, and its
// environment keeps it from reading what it does not need.
func TestSnmpdFiles(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "snmpd", "snmpd.log")
	if err := errors.Join(os.MkdirAll(filepath.Dir(old), 0o700), os.WriteFile(old, []byte("of yesterday\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "agentx.sock"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	program := fakeSnmpd(t, fmt.Sprintf(`
[ -e %s/agentx.sock ] && echo "a socket is there" >> "$log"
touch %[1]s/agentx.sock
echo "of mine" > "$conf"
echo "of mine" > "$SNMP_PERSISTENT_DIR/snmpd.conf"
[ $(wc -l < calls) -lt 2 ] && exit 1
echo yes > second
exec sleep 60`, dir))
	var log lines
	p := newSnmpd(t, program, dir, &log)
	stop := keep(t, p)
	eventually(t, "it runs for the second time", func() bool { return fileBeside(program, "second") != "" })
	stop()
	conf := fileBeside(program, "conf")
	for _, want := range []string{"master agentx\n", "agentAddress udp:127.0.0.1:0\n", "agentXSocket unix:" + dir + "/agentx.sock\n", "dontLogTCPWrappersConnects yes\n"} {
		if !strings.Contains(conf, want) {
			t.Errorf("the configuration has no %q:\n%s", want, conf)
		}
	}
	env := fileBeside(program, "env")
	for _, want := range []string{"MIBS=\n", "SNMP_PERSISTENT_DIR=" + p.persistent() + "\n"} {
		if !strings.Contains("\n"+env, "\n"+want) {
			t.Errorf("the environment has no %q:\n%s", want, env)
		}
	}
	if !strings.HasPrefix(p.conf(), p.dir) || filepath.Dir(p.conf()) == p.persistent() {
		t.Errorf("the configuration is %s, what snmpd keeps in %s", p.conf(), p.persistent())
	}
	if b, err := os.ReadFile(old); err == nil && len(b) > 0 {
		t.Errorf("the log: %s", b)
	}
}

// TestSnmpdEndsAtOnce: the wait doubles, and the log says why.
func TestSnmpdEndsAtOnce(t *testing.T) {
	program := fakeSnmpd(t, `echo "first line" >> "$log"; echo "no such port" >> "$log"; exit 3`)
	var log lines
	keep(t, newSnmpd(t, program, t.TempDir(), &log))
	eventually(t, "it has ended five times", func() bool { return strings.Count(log.String(), "snmpd has ended") >= 5 })
	var waits []string
	for line := range strings.Lines(log.String()) {
		if !strings.Contains(line, `said="no such port"`) || !strings.Contains(line, "exit status 3") {
			t.Errorf("the log says %s", line)
		}
		waits = append(waits, strings.TrimSpace(line[strings.Index(line, "next="):]))
	}
	if got := strings.Join(waits[:5], " "); got != "next=1ms next=2ms next=4ms next=4ms next=4ms" {
		t.Errorf("waits: %s", got)
	}
}

func TestSnmpdRefused(t *testing.T) {
	used := listen(t, "127.0.0.1:0")
	dir := t.TempDir()
	long := filepath.Join(dir, strings.Repeat("x", 107-len(dir)))
	for _, tt := range []struct{ name, dir, listen, socket, want string }{
		{"108 octets", "d", "127.0.0.1:0", long, "has 108 octets, at most 107"},
		{"port in use", "d", used.addrPort().String(), "s", used.addrPort().String()},
		{"folder is a file", "d/file", "127.0.0.1:0", "s", "not a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := errors.Join(os.Mkdir("d", 0o700), os.WriteFile("d/file", nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			if _, err := newPrivateSnmpd("snmpd", tt.dir, tt.listen, tt.socket, slog.Default()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := newPrivateSnmpd("snmpd", dir, "127.0.0.1:0", long[:len(long)-1], slog.Default()); err != nil {
		t.Errorf("107 octets: %v", err)
	}
}

// keepSnmpd is a process that keeps an snmpd running, in its working directory.
func keepSnmpd(program string) {
	p, err := newPrivateSnmpd(program, "snmpd", "127.0.0.1:0", "agentx.sock", slog.Default())
	if err == nil {
		err = p.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
}

// TestSnmpdIsNotLeft: if we are killed, snmpd ends.
func TestSnmpdIsNotLeft(t *testing.T) {
	program := fakeSnmpd(t, `trap 'echo SIGTERM > ended; exit 0' TERM; echo yes > runs; while :; do sleep 0.05; done`)
	cmd := exec.Command(os.Args[0])
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "AAASESSD_SNMPD="+program)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	eventually(t, "it runs", func() bool { return fileBeside(program, "runs") != "" })
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "snmpd is told to end", func() bool { return fileBeside(program, "ended") == "SIGTERM\n" })
}
