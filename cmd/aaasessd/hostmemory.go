package main

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hostMemory returns the memory that the process may use, in octets: that of the host, or less if a
// control group limits it (MemoryMax of its unit, or a container; cgroups(7), version 2). root is "/"
// except in tests. What cannot be read limits nothing.
func hostMemory(root string) uint64 {
	most := uint64(math.MaxUint64)
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		most = info.Totalram * uint64(info.Unit)
	}
	groups, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return most
	}
	for line := range strings.Lines(string(groups)) {
		path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::/")
		for ok {
			most = min(most, groupLimit(filepath.Join(root, "sys/fs/cgroup", path, "memory.max")))
			if path == "" || path == "." {
				break
			}
			path = filepath.Dir(path) // a limit of a group is one of all groups in it
		}
	}
	return most
}

// groupLimit reads a limit of a control group: a number of octets, or "max" for none.
func groupLimit(file string) uint64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return math.MaxUint64
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return math.MaxUint64
	}
	return n
}
