package cli

import (
	"fmt"
	"testing"

	"aaasess/cmd/internal/apiclient"
)

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"usr", "user", 1}, {"user", "usr", 1}, {"shwo", "show", 2}, {"kitten", "sitting", 3}, {"", "ab", 2}, {"ab", "", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestPermissionDenied: its exit code tells it from a missing daemon.
func TestPermissionDenied(t *testing.T) {
	if got := ExitCode(fmt.Errorf("x: %w", apiclient.ErrPermission)); got != 5 {
		t.Error(got)
	}
}
