// Package partner starts the foreign programs that tests run against: the real partners of the
// daemon. Only test files import it, those with the build tag partners.
//
// A missing program fails the test: a test that is silently skipped tests nothing. Programs listen
// on loopback, on ports that were free just before, and keep their files in the test's temporary
// folder. When the test ends they are terminated by process id, and killed if they do not end in
// time.
//
// A process belongs to the test that started it. Its methods may be called from one goroutine at a
// time.
package partner
