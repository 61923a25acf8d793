// Package throttle keeps a log readable while the same trouble comes again and again: it decides whether a line is to be
// written now, and counts those that are not, so that the next one can say how many they were.
//
// [Line] is for one kind of line, [Lines] for one that many senders can cause. Both are ready when zero, write nothing
// themselves and have neither clock nor timer: the caller gives the time. Any number of goroutines may use them.
package throttle
