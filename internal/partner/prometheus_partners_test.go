//go:build partners

package partner

import (
	"strings"
	"testing"
)

// TestPrometheus: a query has a value, and an error of Prometheus is one.
func TestPrometheus(t *testing.T) {
	p := Prometheus(t, "global: {scrape_interval: 1s}\n")
	samples, err := p.Query("vector(7)")
	if err != nil || len(samples) != 1 || samples[0].Value[1] != "7" {
		t.Errorf("%v, %v", samples, err)
	}
	if _, err := p.Query("rate(x)"); err == nil || !strings.Contains(err.Error(), "expected type range vector") {
		t.Errorf("a wrong expression: %v", err)
	}
	if _, err := p.Query("x[1m]"); err == nil {
		t.Error("a matrix is no vector")
	}
	p.Restart()
	if _, err := p.Query("vector(7)"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}
