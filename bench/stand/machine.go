package stand

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

// VersionOf is what a peer says of itself, from a word on to the end of the line or a comma.
func VersionOf(ctx context.Context, name, word string) string {
	program, err := findProgram(name)
	if err != nil {
		return name
	}
	said, _ := exec.CommandContext(ctx, program, "-v").CombinedOutput() // some exit with 1 then
	return versionIn(string(said), name, word)
}

func versionIn(said, name, word string) string {
	_, rest, found := strings.Cut(said, word)
	if !found {
		return name
	}
	version, _, _ := strings.Cut(rest, "\n")
	version, _, _ = strings.Cut(version, ",")
	return word + version
}

// UsableCPUs are the CPUs that we may run on, as taskset takes them.
func UsableCPUs() (string, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return "", fmt.Errorf("bench: CPUs: %w", err)
	}
	var list []string
	for cpu := 0; len(list) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			list = append(list, fmt.Sprint(cpu))
		}
	}
	return strings.Join(list, ","), nil
}

// DescribeMachine says on what the figures were taken, a line each; cpus is "" if nothing is pinned.
func DescribeMachine(ctx context.Context, cpus string) []string {
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
		fmt.Sprintf("%d x %s%s", OnlineCPUs(), FieldOf("/proc/cpuinfo", "model name", ":"), pinned),
		fmt.Sprintf("%s, %s", strings.Trim(FieldOf("/etc/os-release", "PRETTY_NAME", "="), `"`), kernel),
		fmt.Sprintf("%s, net-snmp %s", runtime.Version(), netSNMPVersion(ctx)),
	}
}

// OnlineCPUs counts the machine's CPUs, not only those we may use.
func OnlineCPUs() int {
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

// FieldOf finds the first "key <separator> value" in a file.
func FieldOf(path, key, separator string) string {
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
