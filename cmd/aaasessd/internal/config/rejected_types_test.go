package config_test

// rejectedTypes are faults in the lists of calls, commands and vrrs, and in record types and methods
// that belong to some accounting types only.
var rejectedTypes = []rejection{
	{"stop-failure of network", "accounting: {network: {default: {record: stop-failure, methods: [local]}}}\n", `1:42: accounting.network.default.record: "stop-failure" is not start-stop, stop-only or none`},
	{"stop-failure of a number", "accounting: {dnis-map: {numbers: {7: {record: stop-failure, methods: [local]}}}}\n", `1:47: accounting.dnis-map.numbers.7.record: "stop-failure" is not start-stop, stop-only or none`},
	{"stop-failure of system", "accounting: {system: {default: {record: stop-failure}}}\n", `1:41: accounting.system.default.record: "stop-failure" is not start-stop, stop-only or none`},
	{"stop-failure of commands", "accounting: {commands: {15: {default: {record: stop-failure, methods: [local]}}}}\n", `1:48: accounting.commands.15.default.record: "stop-failure" is not start-stop, stop-only or none`},
	{"stop-only of calls", "accounting: {resource: {default: {record: stop-only, methods: [local]}}}\n", `1:43: accounting.resource.default.record: "stop-only" is not start-stop, stop-failure or none`},
	{"stop-only of calls, in a list", "accounting: {resource: {default: {record: [start-stop, stop-only], methods: [local]}}}\n", `1:56: accounting.resource.default.record[1]: "stop-only" is not start-stop, stop-failure or none`},
	{"calls without a record", "accounting: {resource: {default: {methods: [local]}}}\n", "1:34: accounting.resource.default: record is missing"},
	{"calls with no record", "accounting: {resource: {default: {record: [], methods: [local]}}}\n", "1:43: accounting.resource.default.record: has 0 entries, at least 1 are needed"},
	{"calls, none beside another", "accounting: {resource: {default: {record: [none, start-stop], methods: [local]}}}\n", "1:44: accounting.resource.default.record[0]: none is not allowed beside another record type"},
	{"calls, a record twice", "accounting: {resource: {default: {record: [start-stop, start-stop], methods: [local]}}}\n", "1:56: accounting.resource.default.record[1]: start-stop is already in line 1"},
	{"calls, none with methods", "accounting: {resource: {default: {record: none, methods: [local]}}}\n", "1:58: accounting.resource.default.methods: are not allowed with record: none"},
	{"calls without methods", "accounting: {resource: {default: {record: stop-failure}}}\n", "1:34: accounting.resource.default.methods: at least one is needed with record: stop-failure"},
	{"calls with interims", "accounting: {resource: {default: {record: start-stop, periodic: 5m, methods: [local]}}}\n", `1:55: accounting.resource.default: unknown key "periodic"; the keys here: record, broadcast, methods`},
	{"calls, broadcast to five", "accounting: {resource: {default: {record: start-stop, broadcast: true, methods: [group a, group b, group c, group d, local]}}}\n", `1:81: accounting.resource.default.methods: has 5 entries: a broadcast sends a record to at most 4 at the same time
1:82: accounting.resource.default.methods[0]: no group is called a
1:91: accounting.resource.default.methods[1]: no group is called b
1:100: accounting.resource.default.methods[2]: no group is called c
1:109: accounting.resource.default.methods[3]: no group is called d`},
	{"calls, two default lists", "accounting:\n  resource:\n    default: {record: none}\n    default: {record: none}\n", `4:5: accounting.resource: key "default" occurs twice, first in line 3`},
	{"calls, an unknown list", "accounting: {network: {red: {record: none}}, apply: [{nas-port: [7], resource: red}]}\n", "1:80: accounting.apply[0].resource: accounting.resource has no list red"},
	{"nas-session-id in the id of calls", "radius: {servers: [{name: r, address: 10.0.0.1, secret: s}], groups: [{name: isp, servers: [r]}, {name: two, servers: [r], nas-session-id: attribute Acct-Multi-Session-Id}]}\naccounting:\n  resource: {default: {record: stop-failure, methods: [local]}}\n", "1:140: radius.groups[1].nas-session-id: Acct-Multi-Session-Id links the records of a call, see accounting.resource in line 3"},
	{"user-id in the id of calls", "radius: {servers: [{name: r, address: 10.0.0.1, secret: s}], groups: [{name: isp, servers: [r]}, {name: two, servers: [r], user-id: attribute Acct-Multi-Session-Id}]}\naccounting:\n  resource: {default: {record: stop-failure, methods: [local]}}\n", "1:133: radius.groups[1].user-id: Acct-Multi-Session-Id links the records of a call, see accounting.resource in line 3"},
	{"commands to RADIUS", "radius: {servers: [{name: r, address: 10.0.0.1, secret: s}], groups: [{name: isp, servers: [r]}]}\naccounting: {commands: {15: {default: {record: start-stop, methods: [local, group radius, group isp]}}}}\n", `2:77: accounting.commands.15.default.methods[1]: RADIUS has no command accounting; the methods for commands are groups of TACACS+ servers and local
2:91: accounting.commands.15.default.methods[2]: RADIUS has no command accounting; the methods for commands are groups of TACACS+ servers and local`},
	{"commands to TACACS+ without servers", "accounting: {commands: {15: {default: {record: start-stop, methods: [group tacacs+]}}}}\n", "1:70: accounting.commands.15.default.methods[0]: there are 0 TACACS+ servers, a group has 1 to 64"},
	{"commands of a level too high", "accounting: {commands: {16: {default: {record: none}}}}\n", `1:25: accounting.commands: key (not shown) is not a privilege level from 0 to 15`},
	{"commands of a level in words", "accounting: {commands: {enable: {default: {record: none}}}}\n", `1:25: accounting.commands: key "enable" is not a privilege level from 0 to 15`},
	{"commands, a level twice", "accounting:\n  commands:\n    15: {default: {record: none}}\n    15: {admins: {record: none}}\n", "4:5: accounting.commands: key (not shown) occurs twice, first in line 3"},
	{"commands without a level", "accounting: {commands: {15: {record: none}}}\n", "1:38: accounting.commands.15.record: must be a mapping of keys, is text"},
	{"commands, the name of a list", "accounting: {commands: {15: {a b: {record: none}}}}\n", `1:30: accounting.commands.15: key (not shown) is not the name of a list`},
	{"commands, an unknown list", "accounting: {commands: {15: {admins: {record: none}}}, apply: [{nas-port: [7], commands: {1: admins}}]}\n", "1:94: accounting.apply[0].commands.1: accounting.commands.1 has no list admins"},
	{"vrrs, an unknown list", "accounting: {apply: [{clients: [], nas-port: [7], vrrs: core}]}\n", "1:57: accounting.apply[0].vrrs: accounting.vrrs has no list core"},
	{"vrrs with interims", "accounting: {vrrs: {default: {record: start-stop, periodic: 5m, methods: [local]}}}\n", `1:51: accounting.vrrs.default: unknown key "periodic"; the keys here: record, broadcast, methods`},
	{"named list for system in apply", "accounting: {apply: [{nas-port: [7], system: default}]}\n", `1:38: accounting.apply[0]: unknown key "system"; the keys here: clients, nas-port, nas-port-id, framed-protocol, network, exec, connection, resource, commands, vrrs`},
	{"group without servers", "radius: {groups: [{name: isp, servers: []}]}\naccounting: {resource: {default: {record: start-stop, methods: [group isp]}}}\n", "1:40: radius.groups[0].servers: has 0 entries, at least 1 are needed"},
}
