package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gosnmp/gosnmp"
)

// TestStateFolderModes: all files of the state folder, those of the responder too, can be read by
// their owner alone, with any umask and whatever their modes were before.
func TestStateFolderModes(t *testing.T) {
	_, port := receiveTraps(t)
	text := with(t, responderConfig(t, port), "{name: operators, write: sessions", "{name: operators, read: all, write: all")
	old := syscall.Umask(0)
	t.Cleanup(func() { syscall.Umask(old) })
	l := launch(t, text, environment{})
	dir := filepath.Join(l.dir, "state")
	check := func(change os.FileMode) {
		t.Helper()
		answer, err := l.manager(user("noc")).Set([]gosnmp.SnmpPDU{{Name: ".1.3.6.1.2.1.1.6.0", Type: gosnmp.OctetString, Value: "rack 7"}})
		if err != nil || answer.Error != gosnmp.NoError {
			t.Fatalf("%+v, %v", answer, err)
		}
		names := ""
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names += " " + e.Name()
			info, err := e.Info()
			if os.IsNotExist(err) { // a log that the engine has removed
				continue
			}
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
			}
			if change != 0 {
				_ = os.Chmod(filepath.Join(dir, e.Name()), change)
			}
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		for _, want := range []string{" snmp-engine", " snmp-settings", " inventory", " LOCK"} {
			if !strings.Contains(names, want) {
				t.Errorf("no%s: %s", want, names)
			}
		}
	}
	check(0o644)
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
	check(0)
	if n := strings.Count(l.log.String(), "accessible to other users"); n != 1 {
		t.Errorf("%d lines about the modes", n)
	}
}
