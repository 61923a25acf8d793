// Package tap shows accountable events to people while they occur (R70; S2 "debug aaa accounting").
//
// The accounting Router offers each event to a [Tap] (package taps), together with what was decided: the
// list and methods that get its record, or why no record is made.
package tap
