// Package cli is what the commands of aaasess share: the flags that each of them has, its standard
// input and output, the client of the daemon, exit codes, questions, progress, filters of sessions, and
// what shells suggest.
//
// A command belongs to one goroutine. Only progress, and reads of an answer to a question, have their
// own; they end before the command does.
package cli
