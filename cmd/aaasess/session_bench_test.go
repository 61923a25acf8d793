package main

import (
	"os/exec"
	"testing"
)

// BenchmarkSessionStart runs "aaasess session start" as a hook does: a process for each report, from
// its start to its end, against a daemon that answers at once. The goal is 15 ms.
func BenchmarkSessionStart(b *testing.B) {
	d := startLocalDaemon(b)
	file := program(b)
	for b.Loop() {
		out, err := exec.Command(file, "session", "start", "--socket", d.socket, "--source", "bench", "--session", "1", "--user", "alice", "--address", "10.0.0.1").CombinedOutput()
		if err != nil {
			b.Fatalf("%v %s", err, out)
		}
	}
	if got := len(d.reports()); got < b.N {
		b.Errorf("%d reports of %d", got, b.N)
	}
}
