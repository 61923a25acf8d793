package version

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{format("", true), ""},
		{format("0123", false), "0123"},
		{format("0123", true), "0123-dirty"},
		{describe("v1.2.3", ""), "v1.2.3"},
		{describe("v1.2.3", "0123"), "v1.2.3, commit 0123"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

// TestMakefile: a program has the version and the commit that the Makefile gives it, without VCS
// information of the tool chain too.
func TestMakefile(t *testing.T) {
	program := filepath.Join(t.TempDir(), "aaasess")
	const name = "aaasess/cmd/internal/version."
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-X "+name+"version=v9.8.7 -X "+name+"commit=0123", "-o", program, "aaasess/cmd/aaasess")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range []string{"--version", "version"} {
		out, err := exec.Command(program, args).Output()
		if err != nil || strings.TrimSpace(string(out)) != "aaasess v9.8.7, commit 0123" {
			t.Errorf("%s: %q, %v", args, out, err)
		}
	}
}
