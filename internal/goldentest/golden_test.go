package goldentest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// failures keeps the errors of a test instead of failing.
type failures struct {
	testing.TB
	errors []string
}

func (f *failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.1")
	f := &failures{TB: t}
	for _, step := range []struct {
		name, got string
		update    bool
		want      string // in the error; "" for none
	}{
		{"written", "one", true, ""},
		{"equal", "one", false, ""},
		{"different", "two", false, "page.1 differs (if that is meant: make man)"},
		{"unchanged by that", "one", false, ""},
		{"written again", "two", true, ""},
	} {
		f.errors = nil
		Check(f, file, step.got, step.update, "make man")
		if got := strings.Join(f.errors, "\n"); !strings.Contains(got, step.want) || (got == "") != (step.want == "") {
			t.Errorf("%s: %q", step.name, got)
		}
	}
}
