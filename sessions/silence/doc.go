// Package silence measures how long a NAS has said nothing of a session, and learns how often it
// does: spec R23.
//
// Two things make a silence of the NAS look longer than it is. The daemon may have been down, and
// the store may have refused events, so that no NAS was answered. A [Clock] does not advance
// meanwhile. It counts the time between two beats, half a minute at most, if events were accepted at
// both and all the time between them. So a host that was asleep, and a clock that was set, do not
// count either.
//
// A [Record] is what is kept for each session: when its NAS was heard last, and how often it is.
// Both types are values without locks; package sessions has them in its table and on disk.
package silence
