package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/sessions/radius/dae"
)

// TestDocs: the examples of docs/snmp.md together are a valid configuration.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/snmp.md")
	if err != nil {
		t.Fatal(err)
	}
	text, others, blocks := "snmp:\n", "", 0
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		blocks++
		if block, ok := strings.CutPrefix(block, "snmp:\n"); ok {
			text += block
			continue
		}
		others += block
	}
	if blocks < 2 {
		t.Fatalf("%d examples", blocks)
	}
	text += others + `radius: {accounting: {listen: ["127.0.0.1:1813"]}}` + "\n"
	dir := t.TempDir()
	for _, name := range []string{"noc.auth", "noc.priv", "graphs.community", "trap.community", "checkrad.community"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("some secret of it\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "aaasess.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if c.Thresholds.Records != 100000 || len(c.SNMP.Responder.Users) != 1 || len(c.SNMP.Responder.Targets) != 2 {
		t.Errorf("%+v, %+v", c.SNMP, c.Thresholds)
	}
}

// TestDisconnectDocs: the example of docs/disconnect.md is a valid configuration.
func TestDisconnectDocs(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/disconnect.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(page), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	if !found {
		t.Fatal("there is no example")
	}
	dir := t.TempDir()
	for _, name := range []string{"bras-1.secret", "bras-1.coa"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "aaasess.yaml")
	if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, block)
	}
	if d := c.Listener.Clients[0]; d.DisconnectSecret != "bras-1.coa" || d.DisconnectPort != 1700 {
		t.Errorf("%+v", d)
	}
}

// TestAuthenticationDocs: each example of docs/authentication.md is a valid configuration. Its secrets
// are in files.
func TestAuthenticationDocs(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/authentication.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")[1:]
	if len(blocks) != 6 {
		t.Errorf("%d examples", len(blocks))
	}
	dir := t.TempDir()
	for _, name := range []string{"ap-1", "vpn", "nas", "r1", "r2", "campus-1", "auth-1", "acct-1"} {
		if err := os.WriteFile(filepath.Join(dir, name+".secret"), []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		c, err := config.Parse("authentication.md", []byte(text), dir)
		if err != nil {
			t.Errorf("%v\n%s", err, text)
			continue
		}
		if c.Authentication == nil || len(c.Authentication.Lists["default"]) == 0 {
			t.Errorf("nobody is authenticated:\n%s", text)
		}
		for _, w := range c.Warnings() {
			if !strings.Contains(w.Error(), "CVE-2024-3596") {
				t.Errorf("%v\n%s", w, text)
			}
		}
	}
}

// TestAuthenticationMessages: the code has each message that docs/authentication.md explains.
func TestAuthenticationMessages(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/authentication.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "\n| log | reason |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if !found {
		t.Fatal("there is no table of messages")
	}
	var code strings.Builder
	for _, pattern := range []string{"*.go", "../../../../sessions/radius/*.go", "../../../../sessions/radius/relay/*.go", "../../../../internal/radius/client/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") {
				_, _ = code.Write(text) // never fails
			}
		}
	}
	for row := range strings.Lines(table) {
		message, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
		for part := range strings.SplitSeq(strings.TrimPrefix(message, "warning: "), "...") {
			if !strings.Contains(code.String(), strings.TrimSpace(part)) {
				t.Errorf("no code logs %q", message)
			}
		}
	}
}

// TestAccountingDocs: each example of docs/accounting.md and docs/system.md is a valid configuration.
func TestAccountingDocs(t *testing.T) {
	for name, examples := range map[string]int{"accounting.md": 12, "system.md": 1} {
		page, err := os.ReadFile("../../../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Split(string(page), "```yaml\n")[1:]
		if len(blocks) != examples {
			t.Errorf("%s: %d examples", name, len(blocks))
		}
		for _, block := range blocks {
			text, _, _ := strings.Cut(block, "```")
			c, err := config.Parse(name, []byte(text), ".")
			if err != nil {
				t.Errorf("%v\n%s", err, text)
			} else if warnings := c.Warnings(); len(warnings) > 0 {
				t.Errorf("%v\n%s", warnings, text)
			}
		}
	}
}

// TestTACACSDocs: the examples of docs/tacacs.md are valid configurations, and do what the page says.
func TestTACACSDocs(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/tacacs.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")
	if len(blocks) != 3 {
		t.Fatalf("%d examples, want 2", len(blocks)-1)
	}
	first, _, _ := strings.Cut(blocks[1], "```")
	steps, err := config.Parse("tacacs.md", []byte(first), ".")
	if err != nil {
		t.Fatalf("%v\n%s", err, first)
	}
	if all := steps.TACACSGroups; len(steps.Warnings()) > 0 || len(all) != 1 || all[0].Servers[0].WatchdogStart {
		t.Errorf("%v, %+v", steps.Warnings(), all)
	}
	block, _, _ := strings.Cut(blocks[2], "```")
	dir := t.TempDir()
	for _, name := range []string{"bras-1.secret", "r1.secret", "t1.key", "t2.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Parse("tacacs.md", []byte(block), dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, block)
	}
	devices, all := &c.TACACSGroups[0], &c.TACACSGroups[1]
	if len(c.Warnings()) > 0 || devices.AcctOnOff == nil || all.Group != config.AllTACACS || len(all.Servers) != 2 || all.AcctOnOff != nil {
		t.Errorf("%v, %+v", c.Warnings(), c.TACACSGroups)
	}
	if t1, t2 := devices.Servers[0], devices.Servers[1]; t1.Key != "t1.key" || !t1.SingleConnection || t1.WatchdogStart || t2.SingleConnection || !t2.WatchdogStart {
		t.Errorf("%+v, %+v", t1, t2)
	}
}

// TestRecordsDocs: the examples of docs/records.md are valid configurations, and do what the page
// says.
func TestRecordsDocs(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	_, ports, _ := strings.Cut(string(page), "```yaml\n")
	ports, rest, _ := strings.Cut(ports, "```")
	if c, err := config.Parse("aaasess.yaml", []byte(ports), "."); err != nil || len(c.TACACSGroups) == 0 || len(c.TACACSGroups[0].Arguments.Ports) != 2 {
		t.Errorf("%s\n%v", ports, err)
	}
	_, block, found := strings.Cut(rest, "```yaml\n")
	block, _, closed := strings.Cut(block, "```")
	_, line, named := strings.Cut(block, "with the line: ")
	line, _, _ = strings.Cut(line, "\n")
	if !found || !closed || !named {
		t.Fatal("there is no example")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "merit.dictionary"), []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"User-Id", "Merit-User-Id"} {
		c, err := config.Parse("aaasess.yaml", []byte(strings.Replace(block, "attribute User-Id", "attribute "+name, 1)), dir)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]radius.ID{"User-Id": {Type: 222}, "Merit-User-Id": {Type: radius.VendorSpecific, Vendor: 61, VendorType: 222}}
		if g := c.Groups[0]; g.UserID != want[name] || !g.AddNASIdentifier {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

// TestNASDocs: the examples of docs/nas.md are valid configurations, each with the profile of its NAS.
func TestNASDocs(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/nas.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, text := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ := strings.Cut(text, "```")
		file := filepath.Join(t.TempDir(), "aaasess.yaml")
		if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file)
		if err != nil {
			t.Errorf("example %d: %v\n%s", i+1, err, block)
			continue
		}
		seen[c.Listener.Clients[0].DisconnectProfile] = true
	}
	for _, name := range dae.ProfileNames()[1:] { // generic is the default
		if !seen[name] {
			t.Errorf("no example has profile %s", name)
		}
	}
}

// TestProfileNames: the file knows the profiles of the package.
func TestProfileNames(t *testing.T) {
	schema, err := os.ReadFile("../../../../docs/aaasess.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(dae.ProfileNames())
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, schema); err != nil || !strings.Contains(compact.String(), `"enum":`+string(want)) {
		t.Errorf("the schema has no enum of %s, %v", want, err)
	}
}
