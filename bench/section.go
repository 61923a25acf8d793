package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// sectionText is a part of docs/benchmarks.md.
type sectionText struct {
	title       string
	intro       string
	machine     []string // see describeMachine
	command     string   // what makes this section again
	runs        int      // 0: as many as the command line says
	unpinned    bool     // processes run on all CPUs
	comparisons []comparison
}

// markdown renders the section: what was measured, where, how, the tables.
func (t sectionText) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", t.title, t.intro)
	fmt.Fprintf(&b, "Made by `%s`: %s, median (lowest to highest); ratios are taken run by run.\n\n",
		t.command, countRuns(t.runs))
	for _, line := range t.machine {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, c := range t.comparisons {
		b.WriteString("\n" + c.markdown())
	}
	return b.String()
}

func countRuns(n int) string {
	if n == 1 {
		return "one run"
	}
	return fmt.Sprintf("%d interleaved runs", n)
}

// describeMachine says on what the figures were taken, a line each; cpus is "" if nothing is pinned.
func describeMachine(ctx context.Context, cpus string) []string {
	kernel := "unknown kernel"
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	pinned := ""
	if cpus != "" {
		pinned = ", every process pinned to CPU " + cpus
	}
	return []string{
		fmt.Sprintf("%d x %s%s", onlineCPUs(), fieldOf("/proc/cpuinfo", "model name", ":"), pinned),
		fmt.Sprintf("%s, %s", strings.Trim(fieldOf("/etc/os-release", "PRETTY_NAME", "="), `"`), kernel),
		fmt.Sprintf("%s, net-snmp %s", runtime.Version(), netSNMPVersion(ctx)),
	}
}

// onlineCPUs counts the machine's CPUs, not only those we may use.
func onlineCPUs() int {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.NumCPU()
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "processor") {
			n++
		}
	}
	return max(n, 1)
}

// fieldOf finds the first "key <separator> value" in a file.
func fieldOf(path, key, separator string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		k, v, ok := strings.Cut(s.Text(), separator)
		if ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func netSNMPVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "net-snmp-config", "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
