// Package stand builds and runs what is measured: snmpd with a subagent, responders, aaasessd, FreeRADIUS, radsecproxy, and
// beside them the accounting server that stores nothing (acknowledger.go) and the load generator (load.go).
//
// A [Host] says on which CPUs and in which folder. Every process belongs to whoever started it, is ended by its id, and
// dies with us. The program that uses this package is started again for some of them: see [CommandOf].
package stand
