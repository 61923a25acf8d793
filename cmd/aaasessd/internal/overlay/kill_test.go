package overlay

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"aaasess/internal/servers"
)

// writerFile is the environment variable that makes the test binary a process that writes a file until
// it is killed.
const writerFile = "OVERLAY_WRITER_FILE"

func TestMain(m *testing.M) {
	if name := os.Getenv(writerFile); name != "" {
		writeForever(name)
		return
	}
	os.Exit(m.Run())
}

// writeForever replaces the overlay, with more servers each time, and prints a line after each.
func writeForever(name string) {
	f, err := Open(name, discard())
	for n := 0; err == nil; n++ {
		err = f.SetOverlay(servers.Overlay{Destroyed: destroyedUpTo(n)})
		fmt.Println(n)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func destroyedUpTo(n int) (all []servers.Key) {
	for i := range n {
		all = append(all, servers.Key{Protocol: servers.RADIUS, Name: fmt.Sprint("r", i)})
	}
	return all
}

// TestKilledWriter: a process that is killed leaves the overlay of its last answer, or the next one, and
// never a damaged file.
func TestKilledWriter(t *testing.T) {
	name := filepath.Join(t.TempDir(), "server-overlay")
	for round := range 20 {
		_ = os.Remove(name)
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.Stderr = append(os.Environ(), writerFile+"="+name), os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		answered, lines := 0, bufio.NewScanner(out)
		for lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &answered); err != nil {
				t.Error(err)
			}
			if answered == 10+round*3 {
				_ = cmd.Process.Kill() // it has gone on since
			}
		}
		timer.Stop()
		_ = cmd.Wait() // killed
		got := open(t, name).Overlay()
		if n := len(got.Destroyed); n != answered && n != answered+1 {
			t.Errorf("after %d answers the file has %d", answered, n)
		}
		if _, err := os.Stat(name + Damaged); err == nil {
			t.Error("the file is damaged")
		}
	}
}
