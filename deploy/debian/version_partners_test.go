//go:build partners

package debian

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

// TestVersion: the version of the package rises from each commit to the next one, for dpkg.
func TestVersion(t *testing.T) {
	script, err := filepath.Abs("version")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "tag.gpgsign=false", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	last := ""
	expect := func(want string) {
		t.Helper()
		cmd := exec.Command(script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
		out, err := cmd.Output()
		got := strings.TrimSpace(string(out))
		if err != nil || !regexp.MustCompile("^"+want+"$").MatchString(got) {
			t.Errorf("%q, %v, want %s", got, err, want)
		}
		if last != "" {
			partner.Run(t, limit, "dpkg", "--compare-versions", last, "lt", got)
		}
		last = got
	}
	change := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const commit = `[0-9a-f]{7,}`
	expect(`0\.0\.0`)
	change("1")
	git("init", "-q")
	git("add", "file")
	git("commit", "-qm", "1")
	expect(`0\.0\.0\+git1\.` + commit)
	change("2")
	expect(`0\.0\.0\+git1\.` + commit + `\.dirty`)
	for range 9 {
		git("commit", "-qm", "2", "--allow-empty", "-a")
	}
	expect(`0\.0\.0\+git10\.` + commit)
	git("tag", "v0.1.0-rc1")
	expect(`0\.1\.0~rc1`)
	git("commit", "-qm", "3", "--allow-empty")
	expect(`0\.1\.0~rc1\+git1\.` + commit)
	git("commit", "-qm", "4", "--allow-empty")
	git("tag", "v0.1.0")
	expect(`0\.1\.0`)
	change("5")
	expect(`0\.1\.0\+git0\.dirty`)
	git("commit", "-qam", "5")
	expect(`0\.1\.0\+git1\.` + commit)
}
