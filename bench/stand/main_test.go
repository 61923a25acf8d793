package stand

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test binary be the processes of measurements, as the program is.
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
