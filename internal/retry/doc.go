// Package retry says when something is sent again to servers that do not answer (R61, R62). It is arithmetic: clocks and
// timers are the transports'.
package retry
