package stand

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the test binary as a process of a measurement, if its first argument is such a
// command.
func TestMain(m *testing.M) {
	if command := CommandOf(os.Args[1:]); command != nil {
		if err := command(os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
