// Package retry computes when a request is repeated to servers that do not answer (R61, R62). It
// only computes: the transports have the clocks and timers.
package retry
