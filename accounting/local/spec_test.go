package local

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// otherSpec is the Spec of another transport.
type otherSpec struct{ accounting.Spec }

func TestSpecEqual(t *testing.T) {
	for _, tt := range []struct {
		name  string
		other accounting.Spec
		want  bool
	}{
		{"the same file", Spec{File: "a"}, true},
		{"another file", Spec{File: "b"}, false},
		{"the same file with an Accounting-On", Spec{File: "a", AcctOnOff: &accounting.OnOff{}}, false},
		{"another transport", otherSpec{Spec{File: "a"}}, false},
	} {
		if got := (Spec{File: "a"}).Equal(tt.other); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestSpecOpen: an opened method writes and can be reopened. A file that cannot be opened is an
// error.
func TestSpecOpen(t *testing.T) {
	spec := Spec{File: filepath.Join(t.TempDir(), "records.jsonl"), Names: radius.Standard}
	opened, err := spec.Open(nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if spec.Name() != accounting.Local || spec.OnOff() != nil || opened.Announce == nil || opened.Reopen == nil {
		t.Errorf("%s, %+v, %+v", spec.Name(), spec.OnOff(), opened)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	opened.Method.Send(&accounting.Record{Session: 1, List: "network/default"}, retry.Progress{}, func(err error) {
		done <- err
		cancel()
	})
	if err := opened.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(spec.File); err != nil || len(b) == 0 {
		t.Errorf("the file has %q, %v", b, err)
	}
	if _, err := (Spec{File: filepath.Join(spec.File, "none")}).Open(nil, nil); err == nil {
		t.Error("a file that cannot be is opened")
	}
}

// TestSpecReconfigure: a change of the Accounting-On and -Off keeps the Writer, because a second one
// could cut off its lines. Another file needs another Writer.
func TestSpecReconfigure(t *testing.T) {
	spec := Spec{File: filepath.Join(t.TempDir(), "records.jsonl"), Names: radius.Standard}
	for _, tt := range []struct {
		name string
		to   accounting.Spec
		want bool
	}{
		{"an Accounting-On", Spec{File: spec.File, AcctOnOff: &accounting.OnOff{}}, true},
		{"another file", Spec{File: spec.File + "x", AcctOnOff: &accounting.OnOff{}}, false},
	} {
		if apply, err := spec.reconfigure(tt.to); (apply != nil) != tt.want || err != nil {
			t.Errorf("%s: %v, %v", tt.name, apply != nil, err)
		}
	}
}
