//go:build partners

package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// console matches the examples of a page.
var console = regexp.MustCompile("(?s)```console\n(.*?)```")

// TestLocalPage: the examples of docs/local.md work as it shows.
func TestLocalPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/local.md")
	if err != nil {
		t.Fatal(err)
	}
	l := launch(t, with(t, localConfig(t), "socket: local.sock", "socket: var/local.sock"), environment{})
	n := 0
	for _, block := range console.FindAllStringSubmatch(string(page), -1) {
		for _, example := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, want := splitExample(example)
			cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
			cmd.Dir = l.dir
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v: %s", command, err, out)
			}
			if got := strings.TrimSpace(string(out)); !want.MatchString(got) {
				t.Errorf("%s\n%s\nwant %s", command, got, want)
			}
			n++
		}
	}
	if n < 5 {
		t.Errorf("%d examples", n)
	}
}

// splitExample returns the command of an example and what it prints. Three dots stand for any text.
func splitExample(example string) (command string, output *regexp.Regexp) {
	lines := strings.Split(strings.TrimSpace(example), "\n")
	last := len(lines) - 1
	text := strings.ReplaceAll(regexp.QuoteMeta(lines[last]), `\.\.\.`, ".*")
	return strings.Join(lines[:last], "\n"), regexp.MustCompile("^" + text + "$")
}
