// Package cas implements CISCO-AAA-SERVER-MIB: the servers with their statistics, and casConfigTable,
// in which managers create and destroy servers by its RowStatus column (RFC 2579). The module text is
// mibs/CISCO-AAA-SERVER-MIB.txt; a test compares both. Columns 30 to 115 of casStatisticsTable, about
// wired and wireless clients, are left out.
//
// A server has rows if it has an IPv4 address: casAddress is an IpAddress. An IPv6 server, or one whose
// name is not resolved, has none ([HasRow]).
//
// # Rows that managers are making
//
// A row that is not active is in the memory of this package only: it is in no file, no client uses it,
// and it ends after [maxMaking]. At activation it becomes a server of the overlay (see
// [servers.Overlay]) and the View shows it.
//
//	          createAndWait         casAddress (TACACS+: and casAuthenPort) SET
//	.------. --------------> .----------. --------------> .--------------.
//	| none |                 | notReady |                 | notInService |
//	'------' <-------------- '----------'                 '--------------'
//	 ^ ^  |       destroy                     active        |   |
//	 | |  |   or after 5 minutes           .--------. <-----'   |
//	 | |  '------------------------------> | active |           |
//	 | |            createAndGo            '--------'           |
//	 | '---------------------------------------'                |
//	 |                  destroy                                 |
//	 '----------------------------------------------------------'
//	                destroy, or after 5 minutes
//
// Columns may be SET in the same PDU as the status. The only SET of an active row is destroy.
//
// # Concurrency
//
// Reading pins an immutable state: a View and the rows in the making. A SET is tested without a lock.
// Its commit has a turn: it is tested again, and is made if it still can be. No commit waits for a turn
// longer than [turnWait], and reading never does.
package cas
