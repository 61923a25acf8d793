package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
)

// one returns a file of two clients, two servers and a group, with one line replaced.
func one(line, instead string) string {
	const text = `radius:
  clients:
    - name: bras-1
      address: 192.0.2.1
      secret: s1
      disconnect: {port: 3799, attributes: [User-Name]}
    - {name: bras-2, address: 192.0.2.2, secret: s2}
  servers:
    - name: r1
      address: 10.0.0.1
      port: 1813
      secret: s3
    - {name: r2, address: 10.0.0.2, secret: s4}
  groups:
    - name: isp
      servers: [r1, r2]
      timeout: 5s
accounting:
  network:
    default: {record: start-stop, methods: [group isp]}
`
	return replaced(text, line, instead)
}

// replaced returns a text with one line, or several, replaced.
func replaced(text, line, instead string) string {
	if strings.Count(text, line+"\n") != 1 {
		panic("no such line: " + line)
	}
	return strings.Replace(text, line+"\n", instead+"\n", 1)
}

// ofDisconnect returns a file with keys in the disconnect of a client.
func ofDisconnect(keys string) string {
	return one("      disconnect: {port: 3799, attributes: [User-Name]}", "      disconnect: {"+keys+"}")
}

// rejection is a file and its faults.
type rejection struct {
	name, text string
	want       string // without "aaasess.yaml:" at the beginning of its lines
}

var rejected = []rejection{
	// Destination and source of Disconnect-Requests.
	{"disconnect.address of all", ofDisconnect(`address: "::"`), `6:29: radius.clients[0].disconnect.address: "::" is not the address of a host`},
	{"disconnect.address with port", ofDisconnect(`address: "192.0.2.9:3799"`), `6:29: radius.clients[0].disconnect.address: "192.0.2.9:3799" is not an IP address`},
	{"disconnect.secret empty", ofDisconnect(`secret: ""`), "6:28: radius.clients[0].disconnect.secret: is empty"},
	{"disconnect.source-address of another family", ofDisconnect(`source-address: "2001:db8::9"`), "6:36: radius.clients[0].disconnect.source-address: 2001:db8::9 is IPv6, but the client has 192.0.2.1, which is IPv4"},
	{"disconnect.source-address of another family than disconnect.address", ofDisconnect(`source-address: 192.0.2.10, address: "2001:db8::9"`), "6:36: radius.clients[0].disconnect.source-address: 192.0.2.10 is IPv4, but disconnect.address has 2001:db8::9, which is IPv6"},
	{"disconnect.source-address and a fault in disconnect.address", ofDisconnect(`source-address: "2001:db8::9", address: x`), `6:60: radius.clients[0].disconnect.address: "x" is not an IP address`},

	// Keys and types.
	{"unknown key", "state: x\nlogs: {}\n", `2:1: unknown key "logs"; the keys here: state, log, control, snmp, radius, local, http, tacacs, authentication, accounting, sessions, store, thresholds`},
	{"unknown key in a list", one("      secret: s1", "      secret: s1\n      secrets: s1"), `6:7: radius.clients[0]: unknown key "secrets"; the keys here: name, address, secret, message-authenticator, kind, reboot-sign, stale, disconnect`},
	{"key twice", "state: x\nlog: {}\nstate: y\n", `3:1: key "state" occurs twice, first in line 1`},
	{"list twice", "accounting:\n  network: {default: {record: none}, default: {record: none}}\n", `2:38: accounting.network: key "default" occurs twice, first in line 2`},
	{"no value", "snmp:\n  agentx:\nstate: x\n", "2:3: snmp.agentx: must be a mapping of keys, is nothing"},
	{"text for a mapping", "log: debug\n", "1:6: log: must be a mapping of keys, is text"},
	{"mapping for a list", "radius:\n  clients:\n    name: x\n", "3:5: radius.clients: must be a list, is a mapping"},
	{"integer for text", "state: 1\n", "1:8: state: must be the name of a file, is an integer"},
	{"text for a boolean", "snmp: {session-mib-disconnect: yes}\n", "1:32: snmp.session-mib-disconnect: must be true or false, is text"},
	{"aaa-server-config", "snmp: {aaa-server-config: on}\n", "1:27: snmp.aaa-server-config: must be true or false, is text"},
	{"text for an integer", one("      port: 1813", `      port: "1813"`), "11:13: radius.servers[0].port: must be an integer, is text"},
	{"hexadecimal", one("      port: 1813", "      port: 0x715"), `11:13: radius.servers[0].port: "0x715" is not a decimal integer`},
	{"missing keys", one("      secret: s3", ""), "9:7: radius.servers[0]: secret is missing, and there is no radius.secret"},
	{"client without anything", "radius: {clients: [{}]}\n", "1:20: radius.clients[0]: name is missing\n1:20: radius.clients[0]: address is missing\n1:20: radius.clients[0]: secret is missing"},
	{"text in a list of mappings", "radius:\n  clients:\n    - bras-1\n", "3:7: radius.clients[0]: must be a mapping of keys, is text"},

	// Single values.
	{"level", "log: {level: loud}\n", `1:14: log.level: "loud" is not debug, info, warn or error`},
	{"level is a number", "log: {level: 7}\n", "1:14: log.level: must be debug, info, warn or error, is an integer"},
	{"empty path", "state: \"\"\n", "1:8: state: is empty"},
	{"path with a newline", "state: \"a\\nb\"\n", "1:8: state: is not the name of a file"},
	{"socket too long", "control: {socket: /" + strings.Repeat("x", 107) + "}\n", "1:19: control.socket: /" + strings.Repeat("x", 107) + ": a socket's path has at most 107 octets, this has 108"},
	{"agentx socket too long", "snmp: {agentx: {address: /" + strings.Repeat("x", 107) + "}}\n", "1:26: snmp.agentx.address: /" + strings.Repeat("x", 107) + ": a socket's path has at most 107 octets, this has 108"},
	{"agentx network", "snmp: {agentx: {network: udp}}\n", `1:26: snmp.agentx.network: "udp" is not unix or tcp`},
	{"agentx address", "snmp: {agentx: {network: tcp, address: localhost}}\n", `1:40: snmp.agentx.address: "localhost" is not host:port`},
	{"agentx port", "snmp: {agentx: {network: tcp, address: \"localhost:70500\"}}\n", `1:40: snmp.agentx.address: "localhost:70500" is not host:port`},
	{"listen without address", "radius: {accounting: {listen: [\":1813\"]}}\n", `1:32: radius.accounting.listen[0]: ":1813" has no address; for all addresses write 0.0.0.0:1813 and [::]:1813`},
	{"listen on a name", "radius: {accounting: {listen: [\"localhost:1813\"]}}\n", `1:32: radius.accounting.listen[0]: "localhost:1813" is not an IP address and port such as 127.0.0.1:1813 or [::1]:1813`},
	{"listen nowhere", "radius: {accounting: {listen: []}}\n", "1:31: radius.accounting.listen: has 0 entries, at least 1 are needed"},
	{"listen twice", "radius: {accounting: {listen: [\"127.0.0.1:1813\", \"[::ffff:127.0.0.1]:1813\"]}}\n", "1:50: radius.accounting.listen[1]: 127.0.0.1:1813 is already in line 1"},
	{"port 0", one("      port: 1813", "      port: 0"), "11:13: radius.servers[0].port: 0 is not between 1 and 65535"},
	{"port 65536", one("      port: 1813", "      port: 65536"), "11:13: radius.servers[0].port: 65536 is not between 1 and 65535"},
	{"port of many digits", one("      port: 1813", "      port: 9999999999999999999"), "11:13: radius.servers[0].port: 9999999999999999999 is not between 1 and 65535"},
	{"disconnect port", "radius: {clients: [{name: a, address: 192.0.2.1, secret: s, disconnect: {port: -1}}]}\n", "1:80: radius.clients[0].disconnect.port: -1 is not between 1 and 65535"},
	{"name", one("    - name: bras-1", "    - name: bras 1"), `3:13: radius.clients[0].name: "bras 1" is not a name: 1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first`},
	{"client kind", one("      secret: s1", "      secret: s1\n      kind: commands"), `6:13: radius.clients[0].kind: "commands" is not network, exec or connection`},
	{"client address", one("      address: 192.0.2.1", "      address: bras-1.example.net"), `4:16: radius.clients[0].address: "bras-1.example.net" is neither an IP address nor a prefix such as 192.0.2.0/24`},
	{"client zone", one("      address: 192.0.2.1", "      address: \"fe80::1%eth0\""), `4:16: radius.clients[0].address: "fe80::1%eth0" is neither an IP address nor a prefix such as 192.0.2.0/24`},
	{"client prefix", one("      address: 192.0.2.1", "      address: 192.0.2.1/24"), `4:16: radius.clients[0].address: "192.0.2.1/24" has bits beyond its length; the prefix is 192.0.2.0/24`},
	{"client as IPv6", one("      address: 192.0.2.1", "      address: \"::ffff:192.0.2.1\""), `4:16: radius.clients[0].address: "::ffff:192.0.2.1" is an IPv4 address: write it as 192.0.2.1`},
	{"attribute", one("      disconnect: {port: 3799, attributes: [User-Name]}", "      disconnect: {attributes: [User-Name, Acct-Session-ID]}"), `6:44: radius.clients[0].disconnect.attributes[1]: "Acct-Session-ID": unknown attribute name`},
	{"attribute of no session", one("      disconnect: {port: 3799, attributes: [User-Name]}", "      disconnect: {attributes: [Acct-Status-Type]}"), `6:33: radius.clients[0].disconnect.attributes[0]: "Acct-Status-Type": does not identify a session`},
	{"attribute twice", one("      disconnect: {port: 3799, attributes: [User-Name]}", "      disconnect: {attributes: [User-Name, User-Name]}"), `6:44: radius.clients[0].disconnect.attributes[1]: "User-Name": given twice`},
	{"server address with port", one("      address: 10.0.0.1", "      address: 10.0.0.1:1813"), `10:16: radius.servers[0].address: "10.0.0.1:1813" is neither an IP address nor a host name (the port has a key of its own)`},
	{"server address mistyped", one("      address: 10.0.0.1", "      address: 10.0.0.256"), `10:16: radius.servers[0].address: "10.0.0.256" is neither an IP address nor a host name (the port has a key of its own)`},
	{"no unit", one("      timeout: 5s", "      timeout: 5"), "17:16: radius.groups[0].timeout: must be a duration such as 5s, is an integer"},
	{"no duration", one("      timeout: 5s", "      timeout: 5 s"), `17:16: radius.groups[0].timeout: "5 s" is not a duration such as 5s or 1h30m`},
	{"negative duration", one("      timeout: 5s", "      timeout: -5s"), "17:16: radius.groups[0].timeout: -5s is not between 10ms and 1000s"},
	{"no time", one("      timeout: 5s", "      timeout: 0s"), "17:16: radius.groups[0].timeout: 0s is not between 10ms and 1000s"},
	{"negative hold-down", one("      timeout: 5s", "      hold-down: -1s"), "17:18: radius.groups[0].hold-down: -1s is not between 0s and 24h"},
	{"retransmit", one("      timeout: 5s", "      retransmit: -1"), "17:19: radius.groups[0].retransmit: -1 is not between 0 and 100"},
	{"window", one("      timeout: 5s", "      window: 0"), "17:15: radius.groups[0].window: 0 is not between 1 and 65536"},
	{"remember", "sessions: {remember: 0s}\n", "1:22: sessions.remember: 0s is not between 1s and 720h"},
	{"retry", "sessions:\n  disconnect:\n    retry-min: 10m\n", "3:16: sessions.disconnect.retry-min: 10m0s is more than retry-max, 5m0s"},
	{"retry by default", "sessions:\n  disconnect:\n    retry-max: 1s\n", "3:5: sessions.disconnect.retry-min: 2s is more than retry-max, 1s"},
	{"size without unit", "store: {min-free: 1000}\n", "1:19: store.min-free: must be a size such as 256MiB, is an integer"},
	{"size in other units", "store: {min-free: 256MB}\n", `1:19: store.min-free: "256MB" is not a size such as 256MiB (KiB, MiB, GiB or TiB)`},
	{"size too small", "store: {min-free: 999KiB}\n", "1:19: store.min-free: 999KiB is not between 1MiB and 1024TiB"},
	{"size too large", "store: {min-free: 999999TiB}\n", "1:19: store.min-free: 999999TiB is not between 1MiB and 1024TiB"},

	// Conditions on several keys.
	{"client name twice", one("    - {name: bras-2, address: 192.0.2.2, secret: s2}", "    - {name: bras-1, address: 192.0.2.2, secret: s2}"), "7:14: radius.clients[1].name: bras-1 is already the name of line 3"},
	{"client address twice", one("    - {name: bras-2, address: 192.0.2.2, secret: s2}", "    - {name: bras-2, address: 192.0.2.1/32, secret: s2}"), "7:31: radius.clients[1].address: 192.0.2.1/32 is already the client of line 4"},
	{"server name twice", one("    - {name: r2, address: 10.0.0.2, secret: s4}", "    - {name: r2, address: 10.0.0.2, secret: s4}\n    - {name: r2, address: 10.0.0.3, secret: s4}"), "14:14: radius.servers[2].name: r2 is already the name of line 13"},
	{"server address twice", one("    - {name: r2, address: 10.0.0.2, secret: s4}", "    - {name: r2, address: \"::ffff:10.0.0.1\", secret: s4}"), "13:27: radius.servers[1].address: 10.0.0.1:1813 is already the server of line 10"},
	{"server host twice", "radius: {servers: [{name: a, address: h.example, secret: s}, {name: b, address: H.Example, secret: s}]}\n", "1:81: radius.servers[1].address: h.example:1813 is already the server of line 1"},
	{"group without servers", one("      servers: [r1, r2]", "      servers: []"), "16:16: radius.groups[0].servers: has 0 entries, at least 1 are needed"},
	{"group of a server that is not", one("      servers: [r1, r2]", "      servers: [r1, r3]"), "16:21: radius.groups[0].servers[1]: no server is called r3"},
	{"group with a server twice", one("      servers: [r1, r2]", "      servers: [r1, r2, r1]"), "16:25: radius.groups[0].servers[2]: r1 is already in line 16"},
	{"group called radius", one("    - name: isp", "    - name: radius") + "  exec: {default: {record: none}}\n", "15:13: radius.groups[0].name: radius is the group of all RADIUS servers, which always exists and is not listed\n20:45: accounting.network.default.methods[0]: no group is called isp"},
	{"group name twice", one("      timeout: 5s", "    - {name: isp, servers: [r1]}"), "17:14: radius.groups[1].name: isp is already the name of line 15"},
	{"no list", "accounting: {network: {}, exec: {default: {}}}\n", "1:43: accounting.exec.default: record is missing"},
	{"name of a list", "accounting:\n  network:\n    \"a b\": {record: none}\n", "3:5: accounting.network: key (not shown) is not the name of a list"},
	{"two default lists", "accounting:\n  network:\n    default: {record: none}\n    default: {record: none}\n", `4:5: accounting.network: key "default" occurs twice, first in line 3`},
	{"broadcast to five", one("    default: {record: start-stop, methods: [group isp]}", "    default: {record: start-stop, broadcast: true, methods: [group isp, group radius, local, group a, group b]}"), "20:61: accounting.network.default.methods: has 5 entries: a broadcast sends a record to at most 4 at the same time\n20:94: accounting.network.default.methods[3]: no group is called a\n20:103: accounting.network.default.methods[4]: no group is called b"},
	{"named list for system", "accounting: {system: {red: {record: none}}}\n", `1:23: accounting.system: unknown key "red"; the keys here: default, guarantee-first, host-config, redundancy`},
	{"system in order with acct-on-off", one("      timeout: 5s\naccounting:\n  network:\n    default: {record: start-stop, methods: [group isp]}", "    - {name: b, servers: [r1], acct-on-off: {}}\naccounting:\n  system: {default: {record: start-stop, methods: [group isp, group b]}}"), "19:63: accounting.system.default.methods[1]: b has acct-on-off, so it cannot be one of several methods without broadcast"},
	{"system with a group twice", one("      timeout: 5s\naccounting:\n  network:\n    default: {record: start-stop, methods: [group isp]}", "    - {name: b, servers: [r1]}\naccounting:\n  system: {default: {record: start-stop, methods: [group isp, group b, group isp]}}"), "19:72: accounting.system.default.methods[2]: group isp is already in line 19"},
	{"host-config without an Accounting-On", one("      timeout: 5s", "      host-config: true"), "17:20: radius.groups[0].host-config: has no effect: the group sends no Accounting-On of its own"},
	{"system with a record of resources", one("  network:\n    default: {record: start-stop, methods: [group isp]}", "  system: {default: {record: stop-failure, methods: [group isp]}}"), "19:30: accounting.system.default.record: \"stop-failure\" is not start-stop, stop-only or none"},
	{"system to an unknown group", one("  network:\n    default: {record: start-stop, methods: [group isp]}", "  system: {default: {record: start-stop, methods: [group isp, local, group none]}}"), "19:70: accounting.system.default.methods[2]: no group is called none"},
	{"interims of no broadcast", "accounting: {network: {default: {record: start-stop, broadcast-interims: false, methods: [local]}}}\n", "1:74: accounting.network.default.broadcast-interims: false has no effect without record: start-stop and broadcast: true"},
	{"interims of a stop-only broadcast", "accounting: {dnis-map: {enable: true, numbers: {7: {record: stop-only, broadcast: true, broadcast-interims: false, methods: [local]}}}}\n", "1:109: accounting.dnis-map.numbers.7.broadcast-interims: false has no effect without record: start-stop and broadcast: true"},
	{"interims as text", "accounting: {network: {default: {record: start-stop, broadcast-interims: no, methods: [local]}}}\n", "1:74: accounting.network.default.broadcast-interims: must be true or false, is text"},
	{"apply without a condition", "accounting: {network: {red: {record: none}}, apply: [{network: red}]}\n", "1:54: accounting.apply[0]: has no condition; the list default is the one that applies everywhere"},
	{"apply with a condition that is no list", "accounting: {network: {red: {record: none}}, apply: [{nas-port: 7, network: red}]}\n", "1:65: accounting.apply[0].nas-port: must be a list, is an integer"},
	{"apply with an unknown condition", "accounting: {network: {red: {record: none}}, apply: [{port: [7], network: red}]}\n", `1:55: accounting.apply[0]: unknown key "port"; the keys here: clients, nas-port, nas-port-id, framed-protocol, network, exec, connection, resource, commands, vrrs`},
	{"apply with an unknown type", "accounting: {apply: [{nas-port: [7], system: red}]}\n", `1:38: accounting.apply[0]: unknown key "system"; the keys here: clients, nas-port, nas-port-id, framed-protocol, network, exec, connection, resource, commands, vrrs`},
	{"apply without a list", "accounting: {apply: [{nas-port: [7]}]}\n", "1:22: accounting.apply[0]: names no list: one of network, exec, connection, resource, commands, vrrs is needed"},
	{"apply to commands that are no levels", "accounting: {apply: [{nas-port: [7], commands: {99: default}}]}\n", "1:49: accounting.apply[0].commands: key (not shown) is not a privilege level from 0 to 15"},
	{"apply with an unknown list", "accounting: {exec: {red: {record: none}}, apply: [{nas-port: [7], network: red}]}\n", "1:76: accounting.apply[0].network: accounting.network has no list red"},
	{"apply with an unknown client", "accounting: {exec: {red: {record: none}}, apply: [{clients: [nas-1], exec: red}]}\n", "1:62: accounting.apply[0].clients[0]: no client is called nas-1"},
	{"apply with a port that is none", "accounting: {exec: {red: {record: none}}, apply: [{nas-port: [tty1], exec: red}]}\n", `1:63: accounting.apply[0].nas-port[0]: "tty1" is neither a port such as 7 nor a range such as 1-16, of numbers up to 4294967295`},
	{"apply with too large a port", "accounting: {exec: {red: {record: none}}, apply: [{nas-port: [4294967296], exec: red}]}\n", `1:63: accounting.apply[0].nas-port[0]: "4294967296" is neither a port such as 7 nor a range such as 1-16, of numbers up to 4294967295`},
	{"apply with ports in the wrong order", "accounting: {exec: {red: {record: none}}, apply: [{nas-port: [16-1], exec: red}]}\n", `1:63: accounting.apply[0].nas-port[0]: "16-1": the first port is after the last`},
	{"apply with an empty interface", "accounting: {exec: {red: {record: none}}, apply: [{nas-port-id: [\"\"], exec: red}]}\n", `1:66: accounting.apply[0].nas-port-id[0]: is empty`},
	{"apply with an unknown protocol", "accounting: {exec: {red: {record: none}}, apply: [{framed-protocol: [X25], exec: red}]}\n", `1:70: accounting.apply[0].framed-protocol[0]: "X25" is not the name of a Framed-Protocol, such as PPP`},
	{"DNIS number twice", "accounting:\n  dnis-map:\n    numbers:\n      7777: {record: none}\n      7777: {record: none}\n", `5:7: accounting.dnis-map.numbers: key (not shown) occurs twice, first in line 4`},
	{"DNIS number with a space", "accounting: {dnis-map: {numbers: {\"77 77\": {record: none}}}}\n", "1:35: accounting.dnis-map.numbers: key (not shown) is not a number of 1 to 95 characters without spaces"},
	{"DNIS number with an unknown group", "accounting: {dnis-map: {numbers: {7777: {record: stop-only, methods: [group isp]}}}}\n", "1:71: accounting.dnis-map.numbers.7777.methods[0]: no group is called isp"},
	{"unknown type", "accounting: {tunnel: {default: {record: none}}}\n", `1:14: accounting: unknown key "tunnel"; the keys here: network, exec, connection, resource, commands, vrrs, system, apply, dnis-map, update, local, suppress-null-username, send-stop-record, visible-keys, nested`},
	{"interims too often", "accounting: {update: {periodic: 59s}}\n", "1:33: accounting.update.periodic: 59s is less than accounting.update.minimum, 1m0s"},
	{"interims more than often", "accounting: {update: {periodic: 999ms, minimum: 1s}}\n", "1:33: accounting.update.periodic: 999ms is not between 1s and 1193h2m"},
	{"interims too rarely", "accounting: {update: {periodic: 71583m}}\n", "1:33: accounting.update.periodic: 71583m is not between 1s and 1193h2m"},
	{"interims of services too often", "accounting: {update: {service-periodic: 59s}}\n", "1:41: accounting.update.service-periodic: 59s is less than accounting.update.minimum, 1m0s"},
	{"interims of services more than often", "accounting: {update: {service-periodic: 0s}}\n", "1:41: accounting.update.service-periodic: 0s is not between 1s and 1193h2m"},
	{"interims of services too rarely", "accounting: {update: {service-periodic: 71583m}}\n", "1:41: accounting.update.service-periodic: 71583m is not between 1s and 1193h2m"},
	{"interims of services without unit", "accounting: {update: {service-periodic: 10}}\n", "1:41: accounting.update.service-periodic: must be a duration such as 10m, or disable, is an integer"},
	{"interims of a list too often", "accounting: {update: {minimum: 2m}, exec: {default: {record: start-stop, methods: [local], periodic: 90s}}}\n", "1:102: accounting.exec.default.periodic: 1m30s is less than accounting.update.minimum, 2m0s"},
	{"interims of a list too rarely", "accounting: {exec: {default: {record: start-stop, methods: [local], periodic: 71583m}}}\n", "1:79: accounting.exec.default.periodic: 71583m is not between 1s and 1193h2m"},
	{"interims of a list without unit", "accounting: {exec: {default: {record: start-stop, methods: [local], periodic: 5}}}\n", "1:79: accounting.exec.default.periodic: must be a duration such as 10m, or disable, is an integer"},
	{"interims of a list in words", "accounting: {exec: {default: {record: start-stop, methods: [local], periodic: never}}}\n", `1:79: accounting.exec.default.periodic: "never" is neither a duration such as 10m nor disable`},
	{"interims of a stop-only list", "accounting: {dnis-map: {enable: true, numbers: {7777: {record: stop-only, methods: [local], periodic: 5m}}}}\n", "1:103: accounting.dnis-map.numbers.7777.periodic: is only allowed with record: start-stop"},
	{"a start that waits too long", "accounting: {network: {default: {record: start-stop, methods: [local], delay-start: 11m}}}\n", "1:85: accounting.network.default.delay-start: 11m is not between 1s and 10m"},
	{"a start that waits too short", "accounting: {dnis-map: {enable: true, numbers: {7777: {record: start-stop, methods: [local], delay-start: 1ms}}}}\n", "1:107: accounting.dnis-map.numbers.7777.delay-start: 1ms is not between 1s and 10m"},
	{"a start that waits in an exec list", "accounting: {exec: {default: {record: start-stop, methods: [local], delay-start: 5s}}}\n", "1:82: accounting.exec.default.delay-start: is only allowed for network sessions"},
	{"a start that waits in a stop-only list", "accounting: {network: {default: {record: stop-only, methods: [local], delay-start: 5s}}}\n", "1:84: accounting.network.default.delay-start: is only allowed with record: start-stop"},
	{"a start that waits for interims of another method", "radius: {servers: [{name: r, address: 10.0.0.1, secret: s}], groups: [{name: g, servers: [r]}]}\naccounting: {network: {default: {record: start-stop, broadcast: true, broadcast-interims: false, methods: [group g, local], delay-start: 5s}}}\n", "2:138: accounting.network.default.delay-start: is not allowed with broadcast-interims: false, because the address comes with an interim"},
	{"interims of system accounting", "accounting: {system: {default: {record: none, periodic: 5m}}}\n", `1:47: accounting.system.default: unknown key "periodic"; the keys here: record, broadcast, methods`},
	{"record", "accounting: {exec: {default: {record: stop}}}\n", `1:39: accounting.exec.default.record: "stop" is not start-stop, stop-only or none`},
	{"none with methods", "accounting: {exec: {default: {record: none, methods: [local]}}}\n", "1:54: accounting.exec.default.methods: are not allowed with record: none"},
	{"record without methods", "accounting: {exec: {default: {record: stop-only}}}\n", "1:30: accounting.exec.default.methods: at least one is needed with record: stop-only"},
	{"method", "accounting: {exec: {default: {record: stop-only, methods: [radius]}}}\n", `1:60: accounting.exec.default.methods[0]: "radius" is neither "local" nor "group NAME"`},
	{"method without a group", "accounting: {exec: {default: {record: stop-only, methods: [\"group \"]}}}\n", `1:60: accounting.exec.default.methods[0]: "group " is neither "local" nor "group NAME"`},
	{"group tacacs+ without servers", "accounting: {exec: {default: {record: stop-only, methods: [group tacacs+]}}}\n", "1:60: accounting.exec.default.methods[0]: there are 0 TACACS+ servers, a group has 1 to 64"},
	{"method twice", "accounting: {exec: {default: {record: stop-only, methods: [local, local]}}}\n", "1:67: accounting.exec.default.methods[1]: local is already in line 1"},
	{"unknown group", "accounting: {exec: {default: {record: stop-only, methods: [group isp]}}}\n", "1:60: accounting.exec.default.methods[0]: no group is called isp"},
	{"group radius without servers", "accounting: {exec: {default: {record: stop-only, methods: [group radius]}}}\n", "1:60: accounting.exec.default.methods[0]: there are 0 RADIUS servers, a group has 1 to 64"},
	{"group radius of too many", "radius:\n  servers:\n" + manyServers(65) + "accounting: {exec: {default: {record: stop-only, methods: [group radius]}}}\n", "68:60: accounting.exec.default.methods[0]: there are 65 RADIUS servers, a group has 1 to 64"},
	{
		"all at once", "log: {level: loud}\nstore: {min-free: lots, min: 1}\nsessions: {remember: -1h}\n",
		`1:14: log.level: "loud" is not debug, info, warn or error
2:19: store.min-free: "lots" is not a size such as 256MiB (KiB, MiB, GiB or TiB)
2:25: store: unknown key "min"; the keys here: min-free, max-size
3:22: sessions.remember: -1h is not between 1s and 720h`,
	},
}

func manyServers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "    - {name: r%d, address: 10.0.0.%d, secret: s}\n", i, i)
	}
	return b.String()
}

func TestRejected(t *testing.T) {
	for _, tc := range slices.Concat(rejected, rejectedTypes, rejectedDelivery, rejectedTACACS, rejectedAuth, rejectedDynAuth, rejectedSNMP) {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Parse("aaasess.yaml", []byte(tc.text), ".")
			want := "aaasess.yaml:" + strings.ReplaceAll(tc.want, "\n", "\naaasess.yaml:")
			if got := fmt.Sprint(err); got != want {
				t.Errorf("error\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// The files that the rejected ones are derived from are valid.
func TestNotRejected(t *testing.T) {
	mustParse(t, one("accounting:", "accounting:"), ".")
	mustParse(t, onOff("{oper-state-change: true, group: g}", "{monitor-group: g}"), ".")
	mustParse(t, ofServer("timeout: 1s"), ".")
	mustParse(t, ofGroup("timeout: 1s"), ".")
	mustParse(t, ofResponder("legacy: true"), ".")
	mustParse(t, withKey(engineLine), ".")
	mustParse(t, ofTarget("user: bob\n      type: inform\n      engine-id: \"8000000001\""), ".")
	mustParse(t, v2c("community: c"), ".")
	mustParse(t, withNotify("include: [1.3.6.1]"), ".")
}
