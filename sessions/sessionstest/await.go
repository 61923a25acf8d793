package sessionstest

import "testing"

// Await runs a call of a table or journal and waits for its done. An error of either ends the test.
func Await(t testing.TB, call func(done func(error)) error) {
	t.Helper()
	ch := make(chan error, 1)
	if err := call(func(err error) { ch <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-ch; err != nil {
		t.Fatal(err)
	}
}
