package config_test

import "strings"

// onOff returns a file with two groups of servers, each with an acct-on-off, and an
// acct-on-off-group g.
func onOff(a, b string) string {
	return `radius:
  servers: [{name: r1, address: 10.0.0.1, secret: s}]
  acct-on-off-groups: [{name: g}]
  groups:
    - name: a
      servers: [r1]
      acct-on-off: ` + a + `
    - name: b
      servers: [r1]
      acct-on-off: ` + b + "\n"
}

// global returns a file with one key of radius.
func global(key string) string { return "radius:\n  " + key + "\n" }

// ofServer and ofGroup return the file of one with a key of the server r1 or of the group isp.
func ofServer(key string) string { return one("      secret: s3", "      secret: s3\n      "+key) }
func ofGroup(key string) string  { return one("      timeout: 5s", "      "+key) }

// private returns a file of a server r1, three private ones p1, p2 and p3, of which p2 and p3 have
// the address of r1, and groups, "a: [r1], b: [p1]".
func private(groups string) string {
	const text = `radius:
  servers: [{name: r1, address: 10.0.0.1, secret: s},
    {name: p1, address: 10.0.0.2, secret: s, private: true},
    {name: p2, address: 10.0.0.1, secret: t, private: true},
    {name: p3, address: 10.0.0.1, secret: s, private: true}]
`
	return text + "  groups: [{name: " + strings.NewReplacer(": ", ", servers: ", "], ", "]}, {name: ").Replace(groups) + "}]\n"
}

// rejectedDelivery has faults in the keys for the delivery of records.
var rejectedDelivery = []rejection{
	// Retransmissions.
	{"global timeout", global("timeout: 9ms"), "2:12: radius.timeout: 9ms is not between 10ms and 1000s"},
	{"global timeout too long", global("timeout: 1001s"), "2:12: radius.timeout: 1001s is not between 10ms and 1000s"},
	{"global timeout without unit", global("timeout: 5"), "2:12: radius.timeout: must be a duration such as 5s, is an integer"},
	{"global retransmit", global("retransmit: 101"), "2:15: radius.retransmit: 101 is not between 0 and 100"},
	{"timeout of a server", ofServer("timeout: 0s"), "13:16: radius.servers[0].timeout: 0s is not between 10ms and 1000s"},
	{"retransmit of a server", ofServer("retransmit: -1"), "13:19: radius.servers[0].retransmit: -1 is not between 0 and 100"},
	{"retransmit of a server without value", ofServer("retransmit:"), "13:7: radius.servers[0].retransmit: must be an integer, is nothing"},
	{"hold-down of a server", ofServer("hold-down: 1m"), `13:7: radius.servers[0]: unknown key "hold-down"; the keys here: name, address, secret, acct-port, port, auth-port, message-authenticator, alias, test, timeout, retransmit, backoff, private`},
	{"back-off without value", global("backoff:"), "2:3: radius.backoff: must be a mapping of keys, is nothing"},
	{"back-off as a time", global("backoff: 60m"), "2:12: radius.backoff: must be a mapping of keys, is text"},
	{"back-off of unknown key", global("backoff: {max: 60m}"), `2:13: radius.backoff: unknown key "max"; the keys here: max-delay, retry`},
	{"max-delay in minutes", global("backoff: {max-delay: 60}"), "2:24: radius.backoff.max-delay: must be a duration such as 5s, is an integer"},
	{"max-delay too short", global("backoff: {max-delay: 999ms}"), "2:24: radius.backoff.max-delay: 999ms is not between 1s and 24h"},
	{"max-delay of a server", ofServer("backoff: {max-delay: 25h}"), "13:28: radius.servers[0].backoff.max-delay: 25h is not between 1s and 24h"},
	{"retry of a server", ofServer("backoff: {retry: -1}"), "13:24: radius.servers[0].backoff.retry: -1 is not between 0 and 1000"},
	{"retry of a group", ofGroup("backoff: {retry: 1001}"), "17:24: radius.groups[0].backoff.retry: 1001 is not between 0 and 1000"},

	// Dead servers.
	{"global hold-down", global("hold-down: 25h"), "2:14: radius.hold-down: 25h is not between 0s and 24h"},
	{"dead-criteria time", global("dead-criteria: {time: 0s}"), "2:25: radius.dead-criteria.time: 0s is not between 1s and 1000s"},
	{"dead-criteria tries", global("dead-criteria: {tries: 0}"), "2:26: radius.dead-criteria.tries: 0 is not between 1 and 100"},
	{"dead-criteria of a group", ofGroup("dead-criteria: {time: 1001s, tries: 101}"), "17:29: radius.groups[0].dead-criteria.time: 1001s is not between 1s and 1000s\n17:43: radius.groups[0].dead-criteria.tries: 101 is not between 1 and 100"},

	// Private servers (server-private).
	{"private server in two groups", private("a: [r1, p1], b: [p1]"), "6:62: radius.groups[1].servers[0]: server p1 is private, and the group of line 6 has it"},
	{"private server twice in a group", private("a: [p1, p1]"), "6:36: radius.groups[0].servers[1]: p1 is already in line 6"},
	{"private server with the address of another one in its group", private("a: [r1, p2]"), "6:36: radius.groups[0].servers[1]: p2 has the address and port of r1, which is in this group too"},
	{"two private servers of one address in a group", private("a: [p2, p3]"), "6:36: radius.groups[0].servers[1]: p3 has the address and port of p2, which is in this group too"},
	{
		"group radius without public servers", "radius:\n  servers: [{name: p1, address: 10.0.0.1, secret: s, private: true}]\n  groups: [{name: a, servers: [p1]}]\n" +
			"accounting: {exec: {default: {record: stop-only, methods: [group radius]}}}\n",
		"4:60: accounting.exec.default.methods[0]: there are 0 RADIUS servers that are not private, a group has 1 to 64",
	},
	{"private as text", ofServer("private: yes"), "13:16: radius.servers[0].private: must be true or false, is text"},

	// Groups.
	{"access-algorithm", ofGroup("access-algorithm: random"), `17:25: radius.groups[0].access-algorithm: "random" is not direct, round-robin or least-outstanding`},
	{"batch-size", ofGroup("access-algorithm: least-outstanding\n      batch-size: 0"), "18:19: radius.groups[0].batch-size: 0 is not between 1 and 2147483647"},
	{"batch-size with direct", ofGroup("batch-size: 25"), "17:19: radius.groups[0].batch-size: has no effect without access-algorithm: least-outstanding"},
	{"batch-size with round-robin", ofGroup("access-algorithm: round-robin\n      batch-size: 5"), "18:19: radius.groups[0].batch-size: has no effect without access-algorithm: least-outstanding"},
	{"description", ofGroup("description: 7"), "17:20: radius.groups[0].description: must be text, is an integer"},
	{"description of lines", ofGroup(`description: "a\nb"`), "17:20: radius.groups[0].description: must be one line of text"},
	{"drain-rate", ofGroup("drain-rate: -1"), "17:19: radius.groups[0].drain-rate: -1 is not between 0 and 1000000"},
	{"drain-rate too high", ofGroup("drain-rate: 1000001"), "17:19: radius.groups[0].drain-rate: 1000001 is not between 0 and 1000000"},
	{"source-address", ofGroup("source-address: eth0"), `17:23: radius.groups[0].source-address: "eth0" is not an IP address`},
	{"source-address with port", ofGroup(`source-address: "192.0.2.1:1813"`), `17:23: radius.groups[0].source-address: "192.0.2.1:1813" is not an IP address`},
	{"source-address as IPv6", ofGroup(`source-address: "::ffff:192.0.2.1"`), `17:23: radius.groups[0].source-address: "::ffff:192.0.2.1" is an IPv4 address: write it as 192.0.2.1`},
	{"source-address of all", ofGroup(`source-address: "::"`), `17:23: radius.groups[0].source-address: "::" is not the address of a host`},
	{"source-address of many", ofGroup("source-address: 224.0.0.1"), `17:23: radius.groups[0].source-address: "224.0.0.1" is not the address of a host`},
	{"source-address of another family", ofGroup(`source-address: "2001:db8::9"`), "17:23: radius.groups[0].source-address: 2001:db8::9 is IPv6, but server r1 has 10.0.0.1, which is IPv4"},
	{
		"source-address of one family for two", strings.Replace(ofGroup("source-address: 192.0.2.1"), "10.0.0.2", `"2001:db8::2"`, 1),
		"17:23: radius.groups[0].source-address: 192.0.2.1 is IPv4, but server r2 has 2001:db8::2, which is IPv6",
	},

	{"nas-session-id", ofGroup("nas-session-id: Acct-Multi-Session-Id"), `17:23: radius.groups[0].nas-session-id: "Acct-Multi-Session-Id" is not "attribute NAME"`},
	{"nas-session-id of no attribute", ofGroup("nas-session-id: attribute Acct-Multi-Id"), `17:23: radius.groups[0].nas-session-id: "Acct-Multi-Id": unknown attribute name`},
	{"nas-session-id of a number", ofGroup("nas-session-id: attribute NAS-Port"), "17:23: radius.groups[0].nas-session-id: NAS-Port cannot have any text as its value"},
	{"nas-session-id in ours", ofGroup("nas-session-id: attribute Acct-Session-Id"), "17:23: radius.groups[0].nas-session-id: Acct-Session-Id has the session id of aaasess"},
	{"nas-session-id that no request may have", ofGroup("nas-session-id: attribute Reply-Message"), "17:23: radius.groups[0].nas-session-id: Reply-Message must not be in an Accounting-Request"},
	{"resync-mark", ofGroup("resync-mark: Filter-Id"), `17:20: radius.groups[0].resync-mark: "Filter-Id" is not "attribute NAME"`},
	{"resync-mark in User-Name", ofGroup("resync-mark: attribute User-Name"), "17:20: radius.groups[0].resync-mark: User-Name has the whole name in each record"},
	{"resync-mark of what no record has", ofGroup("resync-mark: attribute Reply-Message"), "17:20: radius.groups[0].resync-mark: Reply-Message must not be in an Accounting-Request"},
	{
		"resync-mark and user-id in one attribute", ofGroup("resync-mark: attribute Cisco-AVPair\n      user-id: attribute Cisco-AVPair"),
		"17:20: radius.groups[0].resync-mark: Cisco-AVPair is also the attribute of user-id",
	},
	{"user-id", ofGroup("user-id: Merit-User-Id"), `17:16: radius.groups[0].user-id: "Merit-User-Id" is not "attribute NAME"`},
	{"user-id of no attribute", ofGroup("user-id: attribute User-Id"), `17:16: radius.groups[0].user-id: "User-Id": unknown attribute name`},
	{"user-id of a number", ofGroup("user-id: attribute NAS-Port"), "17:16: radius.groups[0].user-id: NAS-Port cannot have any text as its value"},
	{"user-id in our id", ofGroup("user-id: attribute Acct-Session-Id"), "17:16: radius.groups[0].user-id: Acct-Session-Id has the session id of aaasess"},
	{"user-id in User-Name", ofGroup("user-id: attribute User-Name"), "17:16: radius.groups[0].user-id: User-Name has the whole name in each record"},
	{"user-id in NAS-Identifier", ofGroup("user-id: attribute NAS-Identifier"), "17:16: radius.groups[0].user-id: NAS-Identifier identifies the NAS"},
	{
		"user-id and nas-session-id in one attribute", ofGroup("user-id: attribute Cisco-AVPair\n      nas-session-id: attribute Cisco-AVPair"),
		"17:16: radius.groups[0].user-id: Cisco-AVPair is also the attribute of nas-session-id",
	},
	{"add-nas-identifier", ofGroup("add-nas-identifier: address"), "17:27: radius.groups[0].add-nas-identifier: must be true or false, is text"},

	// Accounting-On and -Off.
	{"nas-identifier empty", global(`nas-identifier: ""`), "2:19: radius.nas-identifier: has 0 octets, must have 1 to 253"},
	{"nas-identifier too long", global("nas-identifier: " + strings.Repeat("é", 127)), "2:19: radius.nas-identifier: has 254 octets, must have 1 to 253"},
	{"nas-identifier of lines", global(`nas-identifier: "a\nb"`), "2:19: radius.nas-identifier: must be one line of text"},
	{"acct-on-off as a boolean", onOff("true", "{}"), "7:20: radius.groups[0].acct-on-off: must be a mapping of keys, is a boolean"},
	{"oper-state-change", onOff("{oper-state-change: yes}", "{}"), "7:40: radius.groups[0].acct-on-off.oper-state-change: must be true or false, is text"},
	{"oper-state-change of one that controls", onOff("{oper-state-change: yes, group: g}", "{monitor-group: g}"), "7:40: radius.groups[0].acct-on-off.oper-state-change: must be true or false, is text"},
	{"controlled without oper-state-change", onOff("{group: g}", "{monitor-group: g}"), "7:28: radius.groups[0].acct-on-off.group: has no effect without oper-state-change: true: the groups that monitor it would never be blocked"},
	{"controlled with oper-state-change off", onOff("{group: g, oper-state-change: false}", "{}"), "7:28: radius.groups[0].acct-on-off.group: has no effect without oper-state-change: true: the groups that monitor it would never be blocked"},
	{"controlled and monitored by one", onOff("{oper-state-change: true, group: g}", "{group: h, monitor-group: g}"), "10:46: radius.groups[1].acct-on-off.monitor-group: a group either controls an acct-on-off-group or monitors one"},
	{"controlled by two", onOff("{oper-state-change: true, group: g}", "{oper-state-change: true, group: g}"), "10:53: radius.groups[1].acct-on-off.group: g is already controlled in line 7"},
	{"monitored with oper-state-change", onOff("{oper-state-change: true, group: g}", "{oper-state-change: true, monitor-group: g}"), "10:40: radius.groups[1].acct-on-off.oper-state-change: is not allowed with monitor-group: this group sends no Accounting-On of its own"},
	{"monitored and not controlled", onOff("{monitor-group: g}", "{oper-state-change: true}"), "7:36: radius.groups[0].acct-on-off.monitor-group: no group controls g: this group would be blocked forever"},
	{"controlled group that is not", onOff("{oper-state-change: true, group: h}", "{}"), "7:53: radius.groups[0].acct-on-off.group: no acct-on-off-group is called h"},
	{"monitored group that is not", onOff("{oper-state-change: true, group: g}", "{monitor-group: h}"), "10:36: radius.groups[1].acct-on-off.monitor-group: no acct-on-off-group is called h"},
	{"name of a controlled group", onOff("{oper-state-change: true, group: g 1}", "{}"), `7:53: radius.groups[0].acct-on-off.group: "g 1" is not a name: 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first`},
	{"acct-on-off-group twice", global("acct-on-off-groups: [{name: g}, {name: g}]"), "2:42: radius.acct-on-off-groups[1].name: g is already the name of line 2"},
	{"acct-on-off-group without name", global("acct-on-off-groups: [{description: x}]"), "2:24: radius.acct-on-off-groups[0]: name is missing"},
	{"acct-on-off-group as a name", global("acct-on-off-groups: [g]"), "2:24: radius.acct-on-off-groups[0]: must be a mapping of keys, is text"},

	// The size of the store.
	{"max-size too small", "store: {max-size: 63MiB}\n", "1:19: store.max-size: 63MiB is not between 64MiB and 1024TiB"},
	{"max-size too large", "store: {max-size: 1025TiB}\n", "1:19: store.max-size: 1025TiB is not between 64MiB and 1024TiB"},
	{"max-size of no size", "store: {max-size: 0B}\n", `1:19: store.max-size: "0B" is not a size such as 256MiB (KiB, MiB, GiB or TiB)`},
	{"max-size as an integer", "store: {max-size: 0}\n", "1:19: store.max-size: must be a size such as 256MiB, is an integer"},
}
