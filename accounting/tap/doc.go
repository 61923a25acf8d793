// Package tap shows accountable events to people while they occur (R70; S2 "debug aaa accounting").
//
// The accounting Router offers each event to a [Tap], together with what was decided: the list and
// methods that get its record, or why no record is made. A [Listener] gets the events that it wants
// in a bounded queue. Of a full queue, new events are left out and counted, so a slow reader delays
// nobody. The count comes with the next event that finds room, at the place where events are
// missing. Each Listener selects before its queue, so events that it does not want take no room.
//
// # Concurrency
//
// Offer takes no lock of a reader: it reads the list of Listeners from an atomic pointer, and sends
// without waiting. While nobody listens, an event costs one load. The mutex of a Tap guards changes
// of that list only.
package tap
