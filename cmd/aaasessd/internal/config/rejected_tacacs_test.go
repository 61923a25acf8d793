package config_test

// ofTACACS returns a file with a RADIUS server and group, and a section tacacs with these lists.
func ofTACACS(servers, groups string) string {
	return "radius: {servers: [{name: r1, address: 10.0.0.1, secret: s}], groups: [{name: isp, servers: [r1]}]}\n" +
		"tacacs:\n  servers: [" + servers + "]\n  groups: [" + groups + "]\n"
}

const oneTACACS = "{name: t1, address: 10.0.0.2, key: k}"

// rejectedTACACS are faults in the section tacacs, and in what concerns the groups of both protocols.
var rejectedTACACS = []rejection{
	{"a group of both protocols", ofTACACS(oneTACACS, "{name: devices, servers: [t1, r1]}"), "4:42: tacacs.groups[0].servers[1]: r1 is a RADIUS server, and this is a group of TACACS+ servers: groups are of one protocol"},
	{"a RADIUS group with a TACACS+ server", "radius: {groups: [{name: isp, servers: [t1]}]}\ntacacs: {servers: [" + oneTACACS + "]}\n", "1:41: radius.groups[0].servers[0]: t1 is a TACACS+ server, and this is a group of RADIUS servers: groups are of one protocol"},
	{"tacacs, an unknown server", ofTACACS(oneTACACS, "{name: devices, servers: [t2]}"), "4:38: tacacs.groups[0].servers[0]: no server is called t2"},
	{"tacacs, a group without servers", ofTACACS(oneTACACS, "{name: devices, servers: []}"), "4:37: tacacs.groups[0].servers: has 0 entries, at least 1 are needed"},
	{"tacacs, a group without the key", ofTACACS(oneTACACS, "{name: devices}"), "4:12: tacacs.groups[0]: servers is missing"},
	{"tacacs, a server twice in a group", ofTACACS(oneTACACS, "{name: devices, servers: [t1, t1]}"), "4:42: tacacs.groups[0].servers[1]: t1 is already in line 4"},
	{"group tacacs+ of private servers", "tacacs: {servers: [{name: t1, address: h, key: k, private: true}], groups: [{name: devices, servers: [t1]}]}\naccounting: {exec: {default: {record: stop-only, methods: [group tacacs+]}}}\n", "2:60: accounting.exec.default.methods[0]: there are 0 TACACS+ servers that are not private, a group has 1 to 64"},
	{"tacacs, no key", ofTACACS("{name: t1, address: 10.0.0.2}", ""), "3:13: tacacs.servers[0]: key is missing, and there is no tacacs.secret"},
	{"tacacs, an empty key", ofTACACS(`{name: t1, address: 10.0.0.2, key: ""}`, ""), "3:48: tacacs.servers[0].key: is empty"},
	{"tacacs, secret for key", ofTACACS("{name: t1, address: 10.0.0.2, secret: k}", ""), "3:13: tacacs.servers[0]: key is missing, and there is no tacacs.secret\n" +
		`3:43: tacacs.servers[0]: unknown key "secret"; the keys here: name, address, port, key, timeout, retransmit, backoff, single-connection, connections, watchdog, private`},
	{"tacacs, an empty secret for all", "tacacs:\n  secret: \"\"\n  servers: [{name: t1, address: h}, {name: t2, address: i}]\n", "2:11: tacacs.secret: is empty"},
	{"tacacs, an empty key beside the secret for all", "tacacs:\n  secret: s\n  servers: [{name: t1, address: h, key: \"\"}]\n", "3:41: tacacs.servers[0].key: is empty"},
	{"the secret for all servers of the other protocol", "radius: {servers: [{name: r1, address: h}]}\ntacacs: {secret: s}\n", "1:20: radius.servers[0]: secret is missing, and there is no radius.secret"},
	{"tacacs, port 0", ofTACACS("{name: t1, address: 10.0.0.2, key: k, port: 0}", ""), "3:57: tacacs.servers[0].port: 0 is not between 1 and 65535"},
	{"tacacs, no connections", ofTACACS("{name: t1, address: 10.0.0.2, key: k, connections: 0}", ""), "3:64: tacacs.servers[0].connections: 0 is not between 1 and 256"},
	{"tacacs, too many connections", ofTACACS("{name: t1, address: 10.0.0.2, key: k, connections: 257}", ""), "3:64: tacacs.servers[0].connections: 257 is not between 1 and 256"},
	{"tacacs, watchdog", ofTACACS("{name: t1, address: 10.0.0.2, key: k, watchdog: update}", ""), `3:61: tacacs.servers[0].watchdog: "update" is not plain or with-start`},
	{"tacacs, a server twice", ofTACACS(oneTACACS+", {name: t1, address: 10.0.0.2, key: k}", ""), "3:59: tacacs.servers[1].name: t1 is already the name of line 3\n3:72: tacacs.servers[1].address: 10.0.0.2:49 is already the server of line 3"},
	{"tacacs, a group twice", ofTACACS(oneTACACS, "{name: a, servers: [t1]}, {name: a, servers: [t1]}"), "4:45: tacacs.groups[1].name: a is already the name of line 4"},
	{"a name for groups of both protocols", ofTACACS(oneTACACS, "{name: isp, servers: [t1]}"), "4:19: tacacs.groups[0].name: isp is already the name of line 1"},
	{"tacacs, a group called radius", ofTACACS(oneTACACS, "{name: radius, servers: [t1]}"), "4:19: tacacs.groups[0].name: radius is the group of all RADIUS servers, which always exists and is not listed"},
	{"tacacs, a group called tacacs+", ofTACACS(oneTACACS, "{name: tacacs+, servers: [t1]}"), "4:19: tacacs.groups[0].name: tacacs+ is the group of all TACACS+ servers, which always exists and is not listed"},
	{"a RADIUS group called tacacs+", "radius: {servers: [{name: r1, address: h, secret: s}], groups: [{name: tacacs+, servers: [r1]}]}\n", "1:72: radius.groups[0].name: tacacs+ is the group of all TACACS+ servers, which always exists and is not listed"},
	{"tacacs, a private server in two groups", "tacacs:\n  servers: [{name: t1, address: h, key: k, private: true}]\n  groups: [{name: a, servers: [t1]}, {name: b, servers: [t1]}]\n", "3:58: tacacs.groups[1].servers[0]: server t1 is private, and the group of line 3 has it"},
	{"tacacs, source-address of another family", ofTACACS(oneTACACS, `{name: a, servers: [t1], source-address: "2001:db8::1"}`), "4:53: tacacs.groups[0].source-address: 2001:db8::1 is IPv6, but server t1 has 10.0.0.2, which is IPv4"},
	{"tacacs, access-algorithm", ofTACACS(oneTACACS, "{name: a, servers: [t1], access-algorithm: direct}"), `4:37: tacacs.groups[0]: unknown key "access-algorithm"; the keys here: name, description, servers, source-address, timeout, retransmit, backoff, hold-down, dead-criteria, window, drain-rate, times, attributes, resync-mark, acknowledge-broadcast, host-config`},
	{"tacacs, host-config without system records", ofTACACS(oneTACACS, "{name: a, servers: [t1], host-config: true}"), "4:50: tacacs.groups[0].host-config: has no effect: the group sends no system record of its own"},
	{"tacacs, times", ofTACACS(oneTACACS, "{name: a, servers: [t1], times: often}"), `4:44: tacacs.groups[0].times: "often" is not late, always or never`},
	{"tacacs, resync-mark", ofTACACS(oneTACACS, "{name: a, servers: [t1], resync-mark: a=b}"), `4:50: tacacs.groups[0].resync-mark: "a=b" is not the name of an argument: at most 64 printable ASCII characters without space, = and *`},
	{"tacacs, a line without text", "tacacs: {ports: [{nas-port: [1]}]}\n", "1:18: tacacs.ports[0]: text is missing"},
	{"tacacs, an empty text of a line", "tacacs: {ports: [{text: \"\"}]}\n", `1:25: tacacs.ports[0].text: wrong rule for ports: it has no text`},
	{"tacacs, a text of a line with %s", "tacacs: {ports: [{text: \"tty%s\"}]}\n", `1:25: tacacs.ports[0].text: wrong rule for ports: "tty%s": only one %d is allowed, and no other %`},
	{"tacacs, the type of a line", "tacacs: {ports: [{nas-port-type: [Console], text: tty%d}]}\n", `1:35: tacacs.ports[0].nas-port-type[0]: "Console" is not the name of a NAS-Port-Type, such as Async`},
	{"tacacs, the number of a line", "tacacs: {ports: [{nas-port: [1 to 16], text: tty%d}]}\n", `1:30: tacacs.ports[0].nas-port[0]: "1 to 16" is neither a port such as 7 nor a range such as 1-16, of numbers up to 4294967295`},
	{
		"commands to groups of both protocols", ofTACACS(oneTACACS, "{name: devices, servers: [t1]}") + "accounting: {commands: {15: {default: {record: stop-only, methods: [group devices, group isp, group tacacs+, local, group radius]}}}}\n",
		"5:84: accounting.commands.15.default.methods[1]: RADIUS has no command accounting; the methods for commands are groups of TACACS+ servers and local\n" +
			"5:117: accounting.commands.15.default.methods[4]: RADIUS has no command accounting; the methods for commands are groups of TACACS+ servers and local",
	},
}
