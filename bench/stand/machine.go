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

// VersionOf returns the version that a peer prints with -v: the text from word to the end of the
// line or a comma, or name if there is none.
func VersionOf(ctx context.Context, name, word string) string {
	program, err := findProgram(name)
	if err != nil {
		return name
	}
	output, _ := exec.CommandContext(ctx, program, "-v").CombinedOutput() // some peers exit with 1
	return versionIn(string(output), name, word)
}

func versionIn(output, name, word string) string {
	_, rest, found := strings.Cut(output, word)
	if !found {
		return name
	}
	version, _, _ := strings.Cut(rest, "\n")
	version, _, _ = strings.Cut(version, ",")
	return word + version
}

// UsableCPUs returns the CPUs on which this process may run, in the format of taskset.
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

// DescribeMachine returns lines about hardware and software. cpus is empty if nothing is pinned.
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

// OnlineCPUs returns the number of the machine's CPUs, not only those that this process may use.
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

// FieldOf returns the first value in a file of lines "key <separator> value", or "unknown".
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
