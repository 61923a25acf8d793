package main

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	localreport "aaasess/sessions/local/report"
)

// TestSessionKilled: "aaasess session" is killed when the daemon has none, half or all of its report. Run
// again, it makes one session and one record of each kind, as if nothing had happened.
func TestSessionKilled(t *testing.T) {
	l := launch(t, localConfig(t), environment{})
	socket := filepath.Join(l.dir, "local.sock")
	report := func(socket, verb string, i int) *exec.Cmd {
		return exec.CommandContext(t.Context(), cli(t), "session", verb, "--socket", socket, "--source", "pppd", "--session", fmt.Sprint("ppp", i),
			"--user", "alice", "--address", "10.0.0.1", "--timeout", limit.String())
	}
	var want []string
	for i, part := range []float64{0, 0.5, 0.99, 1} {
		for _, verb := range []string{"start", "stop"} {
			killed(t, socket, filepath.Join(l.dir, "relay"), part, func(socket string) *exec.Cmd { return report(socket, verb, i) })
			if out, err := report(socket, verb, i).CombinedOutput(); err != nil || string(out) != fmt.Sprintf("%08X  alice\n", i+1) {
				t.Errorf("%s after %v of it: %v %s", verb, part, err, out)
			}
		}
		want = append(want, fmt.Sprintf("Start %08X", i+1), fmt.Sprintf("Stop %08X", i+1))
	}
	l.eventuallyRecords("records.jsonl", want...)
	if n := l.d.table.View().Len(); n != 0 {
		t.Errorf("%d sessions are live", n)
	}
	if _, err := l.reporter().report(localreport.Update, `{"source":"pppd","session":"ppp4"}`); err == nil {
		t.Error("there is a session that nobody has reported")
	}
}

// killed runs a command that reports to a daemon through a relay. When the daemon has this part of the
// report, the command is killed, before it gets an answer.
func killed(t *testing.T, daemon, relay string, part float64, command func(socket string) *exec.Cmd) {
	t.Helper()
	l, err := net.Listen("unix", relay)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd := command(relay)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	request := readRequest(t, in)
	out, err := net.Dial("unix", daemon)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := out.Write(request[:int(part*float64(len(request)))]); err != nil {
		t.Fatal(err)
	}
	if part == 1 {
		if _, err := out.Read(make([]byte, 1)); err != nil { // the daemon has carried it out
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the command ended well")
	}
}

// readRequest reads an HTTP request with a body.
func readRequest(t *testing.T, in io.Reader) []byte {
	t.Helper()
	var b []byte
	for buf := make([]byte, 4096); ; {
		n, err := in.Read(buf)
		b = append(b, buf[:n]...)
		if err != nil {
			t.Fatal(err, string(b))
		}
		if slices.Contains(b, '}') {
			return b
		}
	}
}
