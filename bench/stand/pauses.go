package stand

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// TraceCollections is the environment that makes a Go program log its garbage collections.
const TraceCollections = "GODEBUG=gctrace=1"

// Collection is one garbage collection of a Go program.
type Collection struct {
	At   time.Duration // when it began, since the start of the program
	Took time.Duration // from the begin to the end; the program runs on, but the collector uses a quarter of all processors or more
}

// collectionLine matches a line of GODEBUG=gctrace=1 (package runtime, "Environment Variables"): the
// seconds since the start, and the milliseconds of the three phases.
var collectionLine = regexp.MustCompile(`^gc \d+ @([0-9.]+)s \d+%: ([0-9.]+)\+([0-9.]+)\+([0-9.]+) ms clock`)

// Collections returns the collections that a program, started with TraceCollections, has logged.
func (p *Process) Collections() ([]Collection, error) {
	f, err := os.Open(p.logPath)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []Collection
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if c, ok := parseCollection(lines.Text()); ok {
			all = append(all, c)
		}
	}
	return all, lines.Err()
}

func parseCollection(line string) (c Collection, ok bool) {
	m := collectionLine.FindStringSubmatch(line)
	if m == nil {
		return c, false
	}
	at, _ := strconv.ParseFloat(m[1], 64)
	c.At = time.Duration(at * float64(time.Second))
	for _, phase := range m[2:] {
		ms, _ := strconv.ParseFloat(phase, 64)
		c.Took += time.Duration(ms * float64(time.Millisecond))
	}
	return c, true
}

// Age returns how long the process has been running.
func (p *Process) Age() time.Duration { return time.Since(p.began) }

// logsEvery is how often CountLogs looks. Under load, a log is in use for seconds.
const logsEvery = 200 * time.Millisecond

// CountLogs counts the logs that the store of an aaasessd begins until ctx is done. It begins one when a
// memtable is full, which is then flushed.
func (r *Relay) CountLogs(ctx context.Context) int {
	first, seen := newestLog(filepath.Join(r.Dir, "state")), map[int]bool{}
	tick := time.NewTicker(logsEvery)
	defer tick.Stop()
	for {
		if n := newestLog(filepath.Join(r.Dir, "state")); n > first {
			seen[n] = true
		}
		select {
		case <-ctx.Done():
			return len(seen)
		case <-tick.C:
		}
	}
}

// newestLog returns the highest number of a log in a folder, or 0.
func newestLog(folder string) (highest int) {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".log"); ok {
			n, _ := strconv.Atoi(name)
			highest = max(highest, n)
		}
	}
	return highest
}
