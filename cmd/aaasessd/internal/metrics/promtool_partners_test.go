//go:build partners

package metrics_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/internal/partner"
)

// limit is how long promtool may take.
const limit = time.Minute

// TestAlertsWithPromtool: Prometheus accepts the alerts, and they fire when they should.
func TestAlertsWithPromtool(t *testing.T) {
	partner.Run(t, limit, "promtool", "check", "rules", alerts)
	partner.Run(t, limit, "promtool", "test", "rules", strings.Replace(alerts, ".yml", ".test.yml", 1))
}

// TestAlertsWithPromtoolCanFail: a case that does not hold fails.
func TestAlertsWithPromtoolCanFail(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"aaasess.rules.yml", "aaasess.rules.test.yml"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(alerts), name))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), "expr: aaasess_ready == 0", "expr: aaasess_ready == 1", 1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := partner.Try(t, limit, "promtool", "test", "rules", filepath.Join(dir, "aaasess.rules.test.yml")); err == nil {
		t.Error("a wrong alert passes")
	}
}

// TestScrapeWithPromtool: Prometheus parses a scrape, and has nothing to say about names and help.
func TestScrapeWithPromtool(t *testing.T) {
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "check", "metrics")
	cmd.Stdin = strings.NewReader(scrape(t, full()))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
