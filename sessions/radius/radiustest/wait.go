package radiustest

import (
	"testing"
	"time"
)

// WaitFor waits until what returns true. The test fails if that takes ten seconds.
func WaitFor(tb testing.TB, what func() bool) {
	tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(nextTimeout); !what(); {
		if time.Now().After(end) {
			tb.Fatal("it did not happen")
		}
		<-tick.C
	}
}
