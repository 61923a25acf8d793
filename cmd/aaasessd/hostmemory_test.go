package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHostMemory(t *testing.T) {
	whole := hostMemory(t.TempDir())
	if whole < 64<<20 {
		t.Fatalf("the host has %d octets", whole)
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  uint64
	}{
		{"no limit", map[string]string{"proc/self/cgroup": "0::/system.slice/a.service\n", "sys/fs/cgroup/system.slice/a.service/memory.max": "max\n"}, whole},
		{"its own", map[string]string{"proc/self/cgroup": "0::/system.slice/a.service\n", "sys/fs/cgroup/system.slice/a.service/memory.max": "33554432\n"}, 32 << 20},
		{"that of a group above it", map[string]string{
			"proc/self/cgroup": "1:name=systemd:/x\n0::/system.slice/a.service\n",
			"sys/fs/cgroup/system.slice/a.service/memory.max": "33554432\n",
			"sys/fs/cgroup/system.slice/memory.max":           "16777216\n",
		}, 16 << 20},
		{"in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "16777216\n"}, 16 << 20},
		{"more than the host has", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "18446744073709551615\n"}, whole},
		{"version 1", map[string]string{"proc/self/cgroup": "5:memory:/a\n", "sys/fs/cgroup/memory.max": "1\n"}, whole},
		{"damaged", map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "-1\n"}, whole},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range tt.files {
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := hostMemory(root); got != tt.want {
				t.Errorf("%d octets, want %d", got, tt.want)
			}
		})
	}
}
