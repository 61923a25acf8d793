// Package stand builds and runs the programs of a measurement: snmpd with a subagent, responders,
// aaasessd, FreeRADIUS, radsecproxy, the accounting servers that store nothing (acknowledger.go) or only
// write and sync (peers/syncer.c), and the load generator (load.go).
//
// A [Host] has the CPUs and the folder. A process belongs to the caller that started it, who must
// stop it. It is ended by its id, and dies when this program dies. Some processes are this program
// again, see [CommandOf].
package stand
