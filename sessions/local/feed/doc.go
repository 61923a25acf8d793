// Package feed remembers the newest events, for readers that come and go (R22).
//
// A [Feed] numbers events from 1 and keeps the newest in a ring. Each reader has a position: the number
// of the event that it wants next. It reads as fast as it likes. When the ring no longer has what it
// wants, or an event never reached the Feed, it is told how many are missing. So a slow reader costs
// nobody else anything, and a reader that comes again goes on where it stopped.
//
// The first reader wakes whoever fills the Feed, so a Feed without readers costs nothing.
//
// # Concurrency
//
// One mutex guards everything. It is held for a copy of some pointers, never over I/O.
package feed
