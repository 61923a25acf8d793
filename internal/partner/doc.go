// Package partner starts the foreign programs that tests run against: the real
// partners of the daemon. Only test files import it, those with the build tag
// partners.
//
// A program that is missing fails the test: a test that quietly does not run is
// no test. Programs listen on loopback, on ports that were free a moment before,
// keep their files in the test's temporary folder, and are ended by their process
// id when the test ends; one that does not end in time is killed.
//
// A process belongs to the test that started it. Its methods may be called from
// one goroutine at a time.
package partner
