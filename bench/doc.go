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
// casnActiveTable is served through net-snmp's snmpd (AgentX, RFC 2741) by the subagents of [stand.Subagents]:
//   - stand/peers/container.c is a subagent on libnetsnmp's container table.
//   - stand/peers/canned.c answers without a look-up, and so shows the limit of what a subagent can reach. canned-yield is
//     the same with a cheaper wait.
//   - ourpeer is the packages of this module.
//
// Each takes the arguments -socket PATH -rows N.
//
// # The responder section
//
// The same table without a master, by the responders of [stand.Responders]:
//   - stand/peers/insnmpd.c is a module inside snmpd in its fastest form. insnmpd-next is the same without what makes the
//     difference.
//   - stand/peers/cannedudp.c answers without a look-up, and so shows the limit of UDP and client.
//   - ourresponder is the packages of this module.
//
// They are asked by SNMPv2c and, but for the canned one, by SNMPv3 with authPriv (snmpclient/secure.go); then by several
// clients at once on all CPUs. That part alone is not pinned.
//
// # The accounting section
//
// The daemon as it is built takes Accounting-Requests (RFC 2866) over loopback from one load generator
// (stand/peers/load.c, the same for all), next to FreeRADIUS and radsecproxy with the configurations in
// stand/freeradius.go and stand/relays.go. What stands behind a relay is an acknowledger (stand/acknowledger.go), which
// answers, keeps nothing and tells what arrived; it knows requests by the number in their User-Name.
// Its parts: rates, then latencies at half of what FreeRADIUS took in the same run (rates.go); a backlog
// drained (drain.go); a server that is stopped for a while (outage.go); a restart with a large state
// (restart.go).
//
// # The section on many NASes
//
// The daemon with the sessions of many NASes, all of which say Accounting-On at once, or beside one of which another NAS
// starts again and again (nases_on.go, nases_flap.go). What counts is the latency of one more NAS, next to the same with
// nobody saying On. The requests are few, so that they come from here (package nasload). Stop records are counted in
// the store.
//
// # Reading the source
//
// The sections are here: what is measured, and what is said about it. A further section is a function like [runSNMP] in
// the list of main.go. What they stand on:
//   - report has runs, medians, ratios and tables in Markdown, and knows nothing of what is measured.
//   - stand starts what has to run: peers, snmpd, the daemon, the server behind it, the load generator.
//   - snmpclient is the measuring client of SNMP, a process of its own so that it can be pinned.
//   - nasload is what NASes send.
//   - rows has the table that our own peers serve.
//
// Everything is on loopback with free ports, all files are in one temporary
// folder, and every process is ended by its id within a time limit.
package main
