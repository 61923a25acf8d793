package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/config"
)

// TestLogger: durations have units and addresses are arrays, in both formats.
func TestLogger(t *testing.T) {
	addrs := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("[::1]:2")}
	for format, want := range map[string]string{
		"json": `"next":"1m30s","address":["127.0.0.1:1","[::1]:2"]`,
		"text": `next=1m30s address="[127.0.0.1:1 [::1]:2]"`,
	} {
		var out bytes.Buffer
		newLogger(&out, config.Log{Format: format}, new(slog.LevelVar)).Info("m", "next", 90*time.Second, "address", addrs)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// TestFailureFormat: the errors of the start have the format of the file, also if the file is
// invalid, and each has a line.
func TestFailureFormat(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		json bool
		want int
	}{
		"json":           {"log: {format: json}\nstat: x\nother: y\n", true, 2},
		"text":           {"log: {format: text}\nstat: x\nother: y\n", false, 2},
		"no log":         {"stat: x\n", false, 1},
		"a wrong format": {"log: {format: xml}\n", false, 1},
		"no YAML":        {"log: {format: json}\n\t]", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "aaasess.yaml")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			cmd := root()
			cmd.SetArgs([]string{"--config", file})
			cmd.SetErr(&out)
			if err := cmd.Execute(); !errors.Is(err, errLogged) {
				t.Errorf("the error is %v", err)
			}
			n := 0
			for line := range strings.Lines(out.String()) {
				n++
				var fields struct{ Level, Err string }
				if err := json.Unmarshal([]byte(line), &fields); (err == nil) != tt.json || tt.json && (fields.Level != "ERROR" || !strings.Contains(fields.Err, file)) {
					t.Errorf("line %s", line)
				}
			}
			if n < tt.want {
				t.Errorf("%d lines, want %d:\n%s", n, tt.want, out.String())
			}
		})
	}
	if err := logFailure(nil, "", nil); err != nil {
		t.Errorf("no error gives %v", err)
	}
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// duplicateKeys returns the lines of a text log that have a key twice.
func duplicateKeys(log string) (found []string) {
	for line := range strings.Lines(log) {
		seen := map[string]bool{}
		for field := range strings.FieldsSeq(quoted.ReplaceAllString(line, "x")) {
			key, _, ok := strings.Cut(field, "=")
			if ok && seen[key] {
				found = append(found, fmt.Sprintf("%q twice: %s", key, line))
			}
			seen[key] = true
		}
	}
	return found
}

func TestDuplicateKeys(t *testing.T) {
	if got := duplicateKeys("level=INFO msg=\"a b=1 b=2 \\\"c\" b=1 err=\"x b=2\"\nb=3 b=3\n"); len(got) != 1 || !strings.HasPrefix(got[0], `"b"`) {
		t.Errorf("found %q", got)
	}
}
