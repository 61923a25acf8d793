package snmpmib

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsFile(t *testing.T) {
	tests := map[string]struct {
		text string
		want settings
		err  string
	}{
		"empty":                  {"", nil, "the first line is not a format"},
		"only values":            {"sysName \"a\"\n", nil, "the first line is not a format"},
		"zeros":                  {strings.Repeat("\x00", 60), nil, "the first line is not a format"},
		"cut in the text":        {"# x\nsysName \"a\"\nsysContact \"b", nil, "the last line has no newline"},
		"cut before the newline": {"# x\nsysName \"a\"", nil, "the last line has no newline"},
		"cut in the comment":     {settingsComment[:20], nil, "the last line has no newline"},
		"no values":              {settingsComment, settings{}, ""},
		"comments":               {"# a\n\n  # b\n", settings{}, ""},
		"all":                    {"# x\nsysName \"a\"\nsysContact \"\"\nsnmpEnableAuthenTraps \"2\"\n\tsysLocation \"\\\"\\n\"\r\n", settings{"sysName": "a", "sysContact": "", "snmpEnableAuthenTraps": "2", "sysLocation": "\"\n"}, ""},
		"backquotes":             {"# x\nsysName `a\\`\n", settings{"sysName": `a\`}, ""},
		"no value":               {"# x\nsysName\n", nil, "no quoted value"},
		"not quoted":             {"# x\nsysName a\n", nil, "no quoted value"},
		"more behind it":         {"# x\nsysName \"a\" \"b\"\n", nil, "no quoted value"},
		"twice":                  {"# x\nsysName \"a\"\nsysName \"a\"\n", nil, "sysName has two values"},
		"another object":         {"# x\nsysDescr \"a\"\n", nil, `unknown object "sysDescr"`},
		"too long":               {"# x\nsysName \"" + strings.Repeat("x", 256) + "\"\n", nil, "wrongLength"},
		"not ASCII":              {"# x\nsysName \"ü\"\n", nil, "wrongValue"},
		"traps 3":                {"# x\nsnmpEnableAuthenTraps \"3\"\n", nil, "wrongValue"},
		"traps as a word":        {"# x\nsnmpEnableAuthenTraps \"on\"\n", nil, "want 1 or 2"},
		"traps, padded":          {"# x\nsnmpEnableAuthenTraps \"+01\"\n", settings{"snmpEnableAuthenTraps": "1"}, ""},
		"too large":              {strings.Repeat("#", 16<<10) + "\n", nil, "longer than"},

		"format 2, no values":        {"format 2\nend\n", settings{}, ""},
		"format 2, values":           {"format 2\n# x\n\nsysName \"a\"\nend\n", settings{"sysName": "a"}, ""},
		"format 2, no end":           {"format 2\nsysName \"a\"\n", nil, `the last line is not "end": the file is truncated`},
		"format 2, end in a comment": {"format 2\n# end\n", nil, `the last line is not "end": the file is truncated`},
		"format 2, end in a value":   {"format 2\nsysName \"end\"\n", nil, `the last line is not "end": the file is truncated`},
		"format 2, half an end":      {"format 2\nsysName \"a\"\nend", nil, "the last line has no newline"},
		"format 2, more behind it":   {"format 2\nend\nsysName \"a\"\nend\n", nil, `line "end" has no quoted value`},
		"format 2, twice":            {"format 2\nsysName \"a\"\nsysName \"a\"\nend\n", nil, "sysName has two values"},
		"a later format":             {"format 3\nend\n", nil, `"format 3" is not a format that this version knows`},
		"format 1 with an end":       {"# x\nsysName \"a\"\nend\n", nil, `no quoted value`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "settings")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := OpenSettings(file, nil)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), file) {
					t.Errorf("error %v, want %q", err, tt.err)
				} else if !strings.Contains(err.Error(), "delete it") {
					t.Errorf("error %v does not say what to do", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, *s.kept.Load()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := OpenSettings(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("a folder: %v", err)
	}
}

// TestSettingsFileTruncated: a file that lacks its last octets, however many, is an error that names
// the file. Nothing is written then.
func TestSettingsFileTruncated(t *testing.T) {
	f, file := withSettings(t)
	if err := f.set(text(contactName, "a \"b\"\nend\n"), text(nameName, "end"), integer(trapsName, 1)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSettings(file, nil); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: error %v", whole[:n], err)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, whole[:n]) {
			t.Errorf("%q has become %q, %v", whole[:n], got, err)
		}
	}
}

// TestSettingsFileRewritten: a file of format 1 is written again in format 2 when it is read. If the
// disk refuses that, the values still count, and the next SET writes the file, even if it changes
// nothing.
func TestSettingsFileRewritten(t *testing.T) {
	const old = "# x\nsysContact \"noc\"\n"
	const want = `"noc" "host" "rack 1" 2`
	const rewritten = "format 2\n" + settingsComment + "sysContact \"noc\"\nend\n"
	for _, blocked := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocked %t", blocked), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "settings")
			if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
				t.Fatal(err)
			}
			lines, content := 0, rewritten
			if blocked {
				lines, content = 1, old
				if err := os.Mkdir(file+".new", 0o700); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			s, err := OpenSettings(file, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(log.String(), "\n"); n != lines || blocked && !strings.Contains(log.String(), "file="+file) {
				t.Errorf("log %q, want %d lines", &log, lines)
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != content {
				t.Errorf("the file is %q, %v, want %q", got, err, content)
			}
			f := newFixture(t)
			f.cfg.Settings = s
			f.tree = newTree(t, f.cfg)
			if got := f.values(t); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if blocked {
				if err := errors.Join(os.Remove(file+".new"), f.set(text(contactName, "noc"))); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != rewritten {
				t.Errorf("then the file is %q, %v, want %q", got, err, rewritten)
			}
		})
	}
}

// FuzzSettingsFile: a parsed file can be written, and parses to the same values again. No part of it
// is a whole file.
func FuzzSettingsFile(f *testing.F) {
	f.Add("format 2\n# x\nsysName \"\\x7f\\r\\n\"\nend\n")
	f.Add("# x\nsysContact \"noc@example.net\"\n# comment\nsnmpEnableAuthenTraps \"2\"\n")
	f.Add("# x\nsysName \"\\x7f\\r\\n\"\nsysLocation `x`\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, _, err := parseSettings(text)
		if err != nil {
			return
		}
		b := s.text()
		again, old, err := parseSettings(string(b))
		if err != nil || old || !maps.Equal(s, again) || len(b) > maxSettingsFile {
			t.Fatalf("%v, after %v as %q: %v", again, s, b, err)
		}
		for n := range b {
			if _, _, err := parseSettings(string(b[:n])); err == nil {
				t.Fatalf("%q is accepted", b[:n])
			}
		}
	})
}
