// Command bench measures this project against its peers and writes the tables
// of docs/benchmarks.md.
//
// # Rules of a fair comparison
//
//   - One run measures every contender, one after the other (A B C A B C ...):
//     a machine that drifts does so for all of them.
//   - All processes of a measurement (master, subagent or responder, client)
//     are pinned to the same CPUs, and each contender gets a master of its own,
//     freshly started with the same configuration.
//   - A ratio is computed within each run and the median of those ratios is
//     reported, not the ratio of two medians.
//   - Each measurement checks how many cells came: a contender that answers
//     less has failed, it is not faster.
//
// # The SNMP section
//
// casnActiveTable is served through net-snmp's snmpd (AgentX, RFC 2741) by the
// subagents of [subagents]: peers/container.c, a subagent on libnetsnmp's
// container table; peers/canned.c, which answers without a look-up and
// so shows the limit of what a subagent can reach (canned-yield is the same
// with a cheaper wait); and ourpeer, the packages of this module. Each takes
// the arguments -socket PATH -rows N.
//
// # The responder section
//
// The same table without a master, by the responders of [responders]: peers/insnmpd.c, a module inside snmpd
// in its fastest form (insnmpd-next is the same without what makes the difference); peers/cannedudp.c, which answers without a look-up and so shows the limit of UDP and
// client; and ourresponder. SNMPv2c and, but for the canned one, SNMPv3 with authPriv (secure.go). Then several
// clients at once on all CPUs, which alone is not pinned like the others.
//
// # The accounting section
//
// The daemon as it is built takes Accounting-Requests (RFC 2866) over loopback from one load generator
// (peers/load.c, the same for all), next to FreeRADIUS and radsecproxy with the configurations in
// freeradius.go and relays.go. What stands behind a relay is an acknowledger (acknowledger.go), which
// answers, keeps nothing and tells what arrived; it knows requests by the number in their User-Name.
// Its parts: rates, then latencies at half of what FreeRADIUS took in the same run (rates.go); a backlog
// drained (drain.go); a server that is stopped for a while (outage.go); a restart with a large state
// (restart.go).
//
// # The section on many NASes
//
// The daemon with the sessions of many NASes, all of which say Accounting-On at once, or beside one of which another NAS
// starts again and again (nases_on.go, nases_flap.go). What counts is the latency of one more NAS, next to the same with
// nobody saying On. The requests are few, so that they come from here (nases_traffic.go). Stop records are counted in
// the store.
//
// # Reading the source
//
// compare.go (runs, medians, ratios) and table.go (Markdown) know nothing of
// SNMP. process.go and snmpd.go start what has to run, client.go is the
// measuring client (a process of its own, so that it can be pinned), and
// snmp.go puts them together. Package rows has the table that our own peers
// serve. A further section is a function like [runSNMP] in the list of main.go.
//
// Everything is on loopback with free ports, all files are in one temporary
// folder, and every process is ended by its id within a time limit.
package main
