package stand

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// StartSessions runs "aaasess session start" n times, one after the other, as a hook does at the logins of
// n users. It returns how long each process took, from fork to exit: its start, the report, and the
// daemon's answer. r must be an aaasessd, and BuildCommand must have built its command into h.Dir. The
// processes run on all CPUs: taskset would take time of its own.
func (r *Relay) StartSessions(ctx context.Context, h Host, n int) ([]time.Duration, error) {
	program, socket := filepath.Join(h.Dir, commandProgram), filepath.Join(r.Dir, LocalSocket)
	took := make([]time.Duration, 0, n)
	for i := range n {
		cmd := exec.CommandContext(ctx, program, "session", "start", "--socket", socket, "--source", "bench",
			"--session", "start-"+strconv.Itoa(i), "--user", "alice", "--address", "10.0.0.1", "--calling-station", "192.0.2.1")
		began := time.Now()
		out, err := cmd.CombinedOutput()
		took = append(took, time.Since(began))
		if err != nil {
			return nil, fmt.Errorf("%s session start: %w: %s", commandProgram, err, out)
		}
	}
	return took, nil
}
