// Package goldentest compares what a test makes with a file that is kept with the sources: expected
// output, a schema, a manual page.
package goldentest

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Check compares a text with a file. With update, it writes the text to the file first. remedy says
// how to do that, for the error.
func Check(t testing.TB, file, got string, update bool, remedy string) {
	t.Helper()
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (if that is meant: %s); file (-), got (+):\n%s", file, remedy, diff)
	}
}
