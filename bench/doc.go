// Command bench measures this project against its peers and writes the tables of
// docs/benchmarks.md.
//
// # Rules of a fair comparison
//
//   - One run measures every contender, one after the other (A B C A B C ...), so that a drift of
//     the machine's speed affects all of them.
//   - All processes of a measurement (master, subagent or responder, client) are pinned to the same
//     CPUs. Each contender has its own master, newly started with the same configuration.
//   - A ratio is computed within each run. The report has the median of these ratios, not the ratio
//     of two medians.
//   - Each measurement checks how many cells arrived: a contender that answers less has failed, it
//     is not faster.
//
// # The SNMP section
//
// The subagents of [stand.Subagents] serve casnActiveTable through net-snmp's snmpd (AgentX, RFC
// 2741):
//   - stand/peers/container.c is a subagent on libnetsnmp's container table.
//   - stand/peers/canned.c answers without a look-up: it shows the limit for a subagent.
//     canned-yield is the same with a cheaper wait.
//   - ourpeer is the packages of this module.
//
// Each has the arguments -socket PATH -rows N.
//
// # The responder section
//
// The responders of [stand.Responders] serve the same table without a master:
//   - stand/peers/insnmpd.c is a module inside snmpd in its fastest form. insnmpd-next is the same,
//     but snmpd makes its repetitions.
//   - stand/peers/cannedudp.c answers without a look-up: it shows the limit of UDP and client.
//   - ourresponder is the packages of this module.
//
// Clients use SNMPv2c, and SNMPv3 with authPriv except with cannedudp (snmpclient/secure.go). At
// the end several clients run at the same time on all CPUs; only this part is not pinned.
//
// # The accounting section
//
// One load generator (stand/peers/load.c) sends Accounting-Requests (RFC 2866) over loopback to the
// daemon, and to FreeRADIUS and radsecproxy with the configurations in stand/freeradius.go and
// stand/relays.go. The server behind a relay is an acknowledger (stand/acknowledger.go). It
// answers, stores nothing, and reports what arrived. It recognizes requests by the number in their
// User-Name. The parts of the section:
//   - rates, then latencies at half the rate that FreeRADIUS reached in the same run (rates.go)
//   - the delivery of a backlog (drain.go)
//   - a server that is stopped for a while (outage.go)
//   - a restart with a large state (restart.go)
//
// # The section on latency
//
// The same load at half of FreeRADIUS's rate, for longer and with many live sessions, so that it meets
// the daemon's flushes and garbage collections (latency.go). Both are counted (stand/pauses.go).
//
// # The TACACS+ section
//
// Our client and that of github.com/nwaples/tacplus send records to an acknowledger for TACACS+
// (package tacacsload), and the daemon relays the requests of the accounting section to it.
//
// # The relay section
//
// A load generator (stand/peers/logins.c) sends Access-Requests, with passwords and with EAP, to the
// daemon, and to FreeRADIUS and radsecproxy as proxies. The server behind them is an accepter
// (stand/peers/accepter.c). Both derive names, passwords and keys from the number of a user, so each
// finds what a relay spoils (relay.go). The last part adds a client that floods with a wrong secret.
//
// # The section on many NASes
//
// The daemon has the sessions of many NASes. All of them send Accounting-On at once (nases_on.go),
// or one more NAS restarts again and again (nases_flap.go). The result is the latency of another
// NAS, compared with its latency before. The requests are few, so this process sends them (package
// nasload). The stop records are counted in the store.
//
// # The section on resyncs
//
// A server has lost its data: another acknowledger takes its place, and "aaasess perform resync"
// has it told of all live sessions (resync.go). The result is the rate, and the latency of a NAS
// meanwhile, compared with its latency before.
//
// # The section on disconnects
//
// All sessions of one NAS are ended by SETs, by "aaasess disconnect", or by Disconnect-Requests of the
// server (disconnect.go). The NAS, in this process, answers after 1 ms, sends the stops, and notes when
// (nasload.EndingNAS).
//
// # The section on sessions of this host
//
// Clients of the local socket report starts (package localload), and then a NAS sends as many by RADIUS
// (local.go). The result is the rate and the latency of both.
//
// # The section on network interfaces
//
// Each of many interfaces, in a network namespace that the section makes, is a session's own
// (interfaces.go). The result is the CPU time of a refresh of their counters, in this process.
//
// # The section on servers
//
// Our responder serves the tables of servers next to casnActiveTable, with as many rows (servers.go). The
// result is the rate of a walk of each.
//
// # Reading the source
//
// This package has the sections: what is measured, and the prose about it. To add a section, write
// a function like [runSNMP] and add it to the list in main.go. The other packages:
//   - report has runs, medians, ratios and tables in Markdown, and does not know what is measured.
//   - stand starts the processes: peers, snmpd, the daemon, the acknowledger, the load generator.
//   - snmpclient is the SNMP client that measures. It is a process of its own so that it can be
//     pinned.
//   - nasload is the requests of the NASes.
//   - tacacsload is the TACACS+ clients that are compared, and their server.
//   - rows has the table and the servers that our own peers serve.
//
// Everything runs on loopback with free ports, and all files are in one temporary folder. Every
// process is ended by its id within a time limit.
package main
