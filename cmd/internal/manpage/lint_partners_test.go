//go:build partners

package manpage

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPages: mandoc has nothing to complain about in the pages, and shows each of them.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob("../../../docs/man/*")
	if err != nil || len(pages) != 3 {
		t.Fatalf("%q, %v: want three pages", pages, err)
	}
	for _, page := range pages {
		if out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", page).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
		out, err := exec.Command("mandoc", "-T", "ascii", "-W", "warning", page).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "aaasess") || strings.Contains(string(out), `\f`) {
			t.Errorf("%s: %v\n%s", page, err, out)
		}
	}
}

// TestMandocWarns: the check above can fail.
func TestMandocWarns(t *testing.T) {
	cmd := exec.Command("mandoc", "-T", "lint", "-W", "warning")
	cmd.Stdin = strings.NewReader(".TH a 1 2026-11-29 b \"c\"\n.SH \"NAME\"\n.PP\na \\- b\n")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("no warning: %s", out)
	}
}
