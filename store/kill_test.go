package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// killDir is set in the process that is to be killed.
const killDir = "STORE_TEST_KILL_DIR"

// TestKill kills a process that commits. What it reported durable is there, and the state and
// records of a change are there together.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		commitForever(dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	durable := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		if durable = n; durable == 2000 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || durable < 2000 {
		t.Fatalf("the child ended by itself after %d changes", durable)
	}
	s, err := Open(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records := read(t, s, "q")
	if len(records) < durable || state(t, s)["n"] != fmt.Sprint(len(records)) {
		t.Errorf("%d records and state %v, %d were durable", len(records), state(t, s), durable)
	}
}

func commitForever(dir string) {
	s, err := Open(dir, Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	slots := make(chan struct{}, 64)
	for i := 1; ; i++ {
		slots <- struct{}{}
		n := fmt.Sprint(i)
		s.Commit(Change{Puts: []Put{put("n", n)}, Appends: appends("q", n)}, func(err error) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(i)
			<-slots
		})
	}
}
