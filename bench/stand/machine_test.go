package stand

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersionIn(t *testing.T) {
	const freeradius = "radiusd: FreeRADIUS Version 3.2.1, for host x86_64, built on Aug 18\nFreeRADIUS Version 3.2.1\n"
	for _, tt := range []struct{ said, word, want string }{
		{freeradius, "FreeRADIUS Version", "FreeRADIUS Version 3.2.1"},
		{"radsecproxy revision 1.9.2\nThis binary", "radsecproxy revision", "radsecproxy revision 1.9.2"},
		{"usage: peer", "peer version", "peer"},
		{"", "peer version", "peer"},
	} {
		if got := versionIn(tt.said, "peer", tt.word); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.said, got, tt.want)
		}
	}
}

func TestUsableCPUs(t *testing.T) {
	got, err := UsableCPUs()
	if err != nil {
		t.Fatal(err)
	}
	// The kernel has the same set, written with ranges.
	ranges := FieldOf("/proc/self/status", "Cpus_allowed_list", ":")
	first, _, _ := strings.Cut(got, ",")
	if !strings.HasPrefix(ranges, first) || got == "" {
		t.Errorf("got %q, the kernel says %q", got, ranges)
	}
}

func TestDescribeMachineNamesTheCPUSet(t *testing.T) {
	lines := strings.Join(DescribeMachine(t.Context(), "0-1"), "\n")
	if !strings.Contains(lines, "pinned to CPU 0-1") || !strings.Contains(lines, "Linux") {
		t.Errorf("got:\n%s", lines)
	}
}

func TestFieldOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "info")
	if err := os.WriteFile(file, []byte("vendor : x\nmodel name\t: Fast: 3 GHz\nmodel name : second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, key, want string }{
		{"first of its name", file, "model name", "Fast: 3 GHz"},
		{"not there", file, "flags", "unknown"},
		{"no file", file + "-no", "model name", "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := FieldOf(tt.path, tt.key, ":"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
