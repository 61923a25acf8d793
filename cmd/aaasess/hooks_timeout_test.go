package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHookTimeouts: each hook gives aaasess the time that is set for it; without a setting, 1 s where the
// program serves nobody else while the hook runs, and else 2 s.
func TestHookTimeouts(t *testing.T) {
	dir := t.TempDir()
	told := filepath.Join(dir, "told")
	script := "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --timeout ] && echo \"$2\" >>" + told + "; shift; done\n"
	if err := os.WriteFile(filepath.Join(dir, "aaasess"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	keepalived := hook{"keepalived/notify", []string{"INSTANCE", "VI_1", "MASTER", "100"}, nil}
	for _, h := range append(lastHooks(), keepalived) {
		standard := "2s"
		if strings.HasPrefix(h.script, "openvpn/") || strings.HasPrefix(h.script, "strongswan/") {
			standard = "1s"
		}
		for setting, want := range map[string]string{"": standard, "123ms": "123ms"} {
			cmd := h.command(t, filepath.Join(dir, "none"))
			cmd.Env[0] = "PATH=" + dir + ":/usr/sbin:/usr/bin:/sbin:/bin"
			cmd.Env = append(cmd.Env, "AAASESS_HOOKS="+filepath.Join(dir, "none"), "AAASESS_TIMEOUT="+setting)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v %s", h.script, err, out)
			}
			b, err := os.ReadFile(told)
			if err != nil || !slices.Equal(strings.Fields(string(b)), []string{want}) {
				t.Errorf("%s: setting %q: aaasess gets %q, want %s; %v", h.script, setting, b, want, err)
			}
			_ = os.Remove(told)
		}
	}
}
