// Package link reads the interfaces of this host for sessions that have one: their counters (spec R2,
// R47) and their end. It speaks rtnetlink (rtnetlink(7)) through github.com/mdlayher/netlink.
//
// # Counters
//
// One dump has the counters of all interfaces:
//
//	request    RTM_GETSTATS, NLM_F_DUMP: if_stats_msg (12 octets) with the filter IFLA_STATS_LINK_64
//	response   RTM_NEWSTATS for each interface: if_stats_msg | attribute IFLA_STATS_LINK_64
//	if_stats_msg        family, pad (1 octet each) | pad (2) | ifindex (4) | filter (4)
//	rtnl_link_stats64   packets received, packets sent, octets received, octets sent (8 each) | errors ...
//
// It needs no privilege, and takes a seventh of the time of a dump of the interfaces themselves
// (RTM_GETLINK), see BenchmarkRefresh. A [Reader] makes a dump when somebody asks for current counters,
// at most once a second, and every ten seconds if nobody asks. All who ask during a dump share it. The
// table gives the counters to its sessions; that needs no commit.
//
// # The end of an interface
//
// The kernel tells of each interface that disappears, with its last counters (multicast group
// RTNLGRP_LINK, message RTM_DELLINK):
//
//	ifinfomsg   family, pad (1 octet each) | type (2) | ifindex | flags | change (4 each), then attributes
//
// A notification can be lost, and the daemon may have been down: then the next dump lacks the
// interface. Since interfaces may change during a dump, the kernel is asked for each such interface
// again. A session whose interface has disappeared is ended some seconds later, unless the program that
// reported it reports its stop first.
//
// An interface is known by its number, the boot of the host and the network namespace ([Host]), not by
// its name, so a new name changes nothing. The kernel does not use a number again before it has used
// all others. If somebody asks for the same number explicitly, the notification tells of the end of the
// old one.
//
// # Concurrency
//
// The goroutine of [Reader.Run] owns the socket for dumps. Another one, which Run starts, owns the
// socket for notifications. Each [Reader.Lookup] has a socket of its own while it runs.
package link
