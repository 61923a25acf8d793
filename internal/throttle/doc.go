// Package throttle limits repeated log lines. It decides whether a line is written now, and counts
// suppressed lines, so that the next line can report their number.
//
// [Line] is for one kind of line, [Lines] for a kind that many senders can cause. Their zero values
// are ready to use, as is that of [Packets], which is for lines about each packet. They write nothing
// themselves and have no clock: the caller passes the time. They may be used from any number of
// goroutines.
package throttle
