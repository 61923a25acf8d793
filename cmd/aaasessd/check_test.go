package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
)

// TestCheck: check finds what would end the start of the daemon, and warns about placeholders.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change []string
		fails  string // "": it is correct
		warns  string
	}{
		{"nothing", nil, "", ""},
		{"folders to make", []string{"state: state", "state: a/b/c", "file: records.jsonl", "file: d/e/records.jsonl"}, "", ""},
		{"no state folder", []string{"state: state", "state: file/state"}, "state: folder", ""},
		{"the state folder is a file", []string{"state: state", "state: file"}, "state: user", ""},
		{"no folder of the file", []string{"file: records.jsonl", "file: file/records.jsonl"}, "accounting.local.file: ", ""},
		{"no folder of the socket", []string{"socket: ctl.sock", "socket: x/y/ctl.sock"}, "control.socket: folder", ""},
		{"the folder of the socket", []string{"socket: ctl.sock", "socket: x/ctl.sock"}, "", ""},
		{"a placeholder", []string{`"` + nasSecret + `"`, `"CHANGE-ME, please"`}, "", `is a placeholder that says "change me"`},
		{"a list that applies nowhere", []string{"accounting:\n", "accounting:\n  vrrs: {quiet: {record: none}}\n"}, "", "accounting.vrrs.quiet: applies nowhere"},
		{"a web configuration", []string{"radius:\n", "http: {web-config: file}\nradius:\n"}, "", ""},
		{"no web configuration", []string{"radius:\n", "http: {web-config: none}\nradius:\n"}, "http.web-config: open ", ""},
		{"a wrong web configuration", []string{"radius:\n", "http: {web-config: aaasess.yaml}\nradius:\n"}, "http.web-config: ", ""},
		{"a fault", []string{"state: state", "stat: state"}, "unknown key", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"aaasess.yaml": with(t, plainConfig, tt.change...), "file": ""} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, warnings bytes.Buffer
			err := check(filepath.Join(dir, "aaasess.yaml"), &out, &warnings)
			if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%v, want %q", err, tt.fails)
			}
			if (err == nil) != strings.HasSuffix(out.String(), " is correct\n") {
				t.Errorf("%v, printed %q", err, out.String())
			}
			if got := warnings.String(); (got == "") != (tt.warns == "") || !strings.Contains(got, tt.warns) || strings.Contains(got, "CHANGE-ME") {
				t.Errorf("warnings %q, want %q", got, tt.warns)
			}
			if _, err := os.Stat(filepath.Join(dir, "state")); err == nil {
				t.Error("it made a folder")
			}
		})
	}
}

// TestCheckPorts: each port that needs a capability has an error.
func TestCheckPorts(t *testing.T) {
	cfg, err := config.Parse("x", []byte(`radius: {accounting: {listen: ["127.0.0.1:813", "127.0.0.1:1813"]}}
http: {listen: ["127.0.0.1:80"]}
snmp: {responder: {listen: ["127.0.0.1:161"], communities: [{community: p, group: g, from: [127.0.0.1/32]}], groups: [{name: g, read: all}]}}
`), ".")
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPorts(cfg, func(uint16) bool { return true }); err != nil {
		t.Error(err)
	}
	err = checkPorts(cfg, func(port uint16) bool { return port >= 1024 })
	if err == nil || !strings.Contains(err.Error(), "radius.accounting.listen: ") || !strings.Contains(err.Error(), "port 813 ") ||
		!strings.Contains(err.Error(), "snmp.responder.listen: ") || !strings.Contains(err.Error(), "http.listen: ") || strings.Contains(err.Error(), "1813") {
		t.Errorf("the error is %v", err)
	}
	if !mayBindPort(0) || !mayBindPort(1813) {
		t.Error("ports above 1023 need a capability")
	}
	const status = "Name:\tx\nCapInh:\t0000000000000400\nCapEff:\t0000000000000400\n"
	if !hasCapability(status, 10) || hasCapability(status, 9) || hasCapability("Name: x\n", 10) || hasCapability("CapEff: x\n", 10) {
		t.Error("capabilities are misread")
	}
}
