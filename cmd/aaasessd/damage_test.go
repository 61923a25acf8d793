package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/store"
)

// TestDamagedStore: a daemon does not start if a log of its store is missing, unless the loss is
// accepted.
func TestDamagedStore(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(l.dir, "state", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	for _, name := range logs {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	_, err = assemble(l.file, new(lines), new(lines), environment{})
	if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "is missing (see ") || !strings.Contains(err.Error(), "--accept-loss") {
		t.Fatalf("got %v", err)
	}
	l.start(environment{acceptLoss: true})
	if !strings.Contains(l.log.String(), `msg="store continues without a missing log, as --accept-loss allows`) {
		t.Error("the log does not say what is lost")
	}
	if n := l.d.table.View().Len(); n != 0 {
		t.Errorf("%d sessions, their log is lost", n)
	}
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
}
