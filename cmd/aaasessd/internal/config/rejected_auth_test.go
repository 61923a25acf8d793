package config_test

import "strings"

// ofAuth returns a file with clients, servers of both protocols, and these keys of authentication.
func ofAuth(keys string) string {
	return `radius:
  clients: [{name: bras-1, address: 192.0.2.1, secret: s1}, {name: bras-2, address: 192.0.2.2, secret: s2}]
  servers: [{name: r1, address: 10.0.0.1, secret: s3}]
  groups: [{name: isp, servers: [r1]}]
tacacs: {servers: [{name: t1, address: 10.0.0.9, key: k}], groups: [{name: devices, servers: [t1]}]}
authentication:
  ` + strings.ReplaceAll(keys, "\n", "\n  ") + "\n"
}

// ofServers returns a file with these servers. A list of authentication names all that are not
// private.
func ofServers(servers ...string) string {
	return "authentication: {lists: {default: {methods: [group radius]}}}\nradius:\n  servers:\n    - {" + strings.Join(servers, "}\n    - {") + "}\n"
}

const (
	r1Server = "name: r1, address: 10.0.0.1, secret: s"
	r2Server = "name: r2, address: 10.0.0.2, secret: s"
)

var rejectedAuth = []rejection{
	// Lists and where they apply.
	{"authentication, nothing", "authentication: {}\n", "1:17: authentication: lists is missing"},
	{"authentication, no value", "authentication:\n", "1:1: authentication: must be a mapping of keys, is nothing; to switch this off, leave the key out"},
	{"authentication, no list", ofAuth("lists: {}"), "7:10: authentication.lists: list default is missing"},
	{"authentication, no list default", ofAuth("lists: {campus: {methods: [group isp]}}\napply: [{clients: [bras-1], list: campus}]"), "7:10: authentication.lists: list default is missing"},
	{"authentication, no methods", ofAuth("lists: {default: {}}"), "7:20: authentication.lists.default: methods is missing"},
	{"authentication, five methods", ofAuth("lists: {default: {methods: [group isp, group radius, group isp, group isp, group isp]}}"), "7:30: authentication.lists.default.methods: has 5 entries, at most 4 are allowed\n7:56: authentication.lists.default.methods[2]: group isp is already in line 7\n7:67: authentication.lists.default.methods[3]: group isp is already in line 7\n7:78: authentication.lists.default.methods[4]: group isp is already in line 7"},
	{"authentication, a method twice", ofAuth("lists: {default: {methods: [group isp, group isp]}}"), "7:42: authentication.lists.default.methods[1]: group isp is already in line 7"},
	{"authentication, local", ofAuth("lists: {default: {methods: [local]}}"), "7:31: authentication.lists.default.methods[0]: local is a file for accounting records; it cannot authenticate"},
	{"authentication, all TACACS+ servers", ofAuth("lists: {default: {methods: [group tacacs+]}}"), "7:31: authentication.lists.default.methods[0]: tacacs+ is a group of TACACS+ servers; Access-Requests can only be relayed to RADIUS servers"},
	{"authentication, TACACS+ servers", ofAuth("lists: {default: {methods: [group isp, group devices]}}"), "7:42: authentication.lists.default.methods[1]: devices is a group of TACACS+ servers; Access-Requests can only be relayed to RADIUS servers"},
	{"authentication, unknown group", ofAuth("lists: {default: {methods: [group ips]}}"), "7:31: authentication.lists.default.methods[0]: no group is called ips"},
	{"authentication, group radius without servers", "authentication: {lists: {default: {methods: [group radius]}}}\n", "1:46: authentication.lists.default.methods[0]: there are 0 RADIUS servers that are not private, a group has 1 to 64"},
	{"authentication, unknown list", ofAuth("lists: {default: {methods: [group isp]}}\napply: [{clients: [bras-1], list: campus}]"), "8:37: authentication.apply[0].list: authentication.lists has no list campus"},
	{"authentication, unknown client", ofAuth("lists: {default: {methods: [group isp]}}\napply: [{clients: [bras-1, bras-3], list: default}]"), "8:30: authentication.apply[0].clients[1]: no client is called bras-3"},
	{"authentication, no client", ofAuth("lists: {default: {methods: [group isp]}}\napply: [{clients: [], list: default}]"), "8:21: authentication.apply[0].clients: has 0 entries, at least 1 are needed"},
	{"authentication, a client in two entries", ofAuth("lists: {default: {methods: [group isp]}, b: {methods: [group isp]}}\napply: [{clients: [bras-1], list: default}, {clients: [bras-2, bras-1], list: b}]"), "8:66: authentication.apply[1].clients[1]: bras-1 is already in line 8"},
	{"authentication, start-wait", ofAuth("lists: {default: {methods: [group isp]}}\nstart-wait: 0s"), "8:15: authentication.start-wait: 0s is not between 1s and 24h"},
	{"authentication on the accounting port", "authentication: {lists: {default: {methods: []}}}\nradius: {authentication: {listen: [\"0.0.0.0:1813\"]}, accounting: {listen: [\"0.0.0.0:1813\"]}}\n", "2:36: radius.authentication.listen[0]: 0.0.0.0:1813 is already in line 2"},
	{"message-authenticator", one("      secret: s1", "      secret: s1\n      message-authenticator: optional"), `6:30: radius.clients[0].message-authenticator: "optional" is not required, auto or legacy`},

	// Ports, aliases and tests of servers.
	{"port and acct-port", ofServers(r1Server + ", port: 1645, acct-port: 1646"), "4:54: radius.servers[0].port: is the older name of acct-port, which is given too"},
	{"auth-port is acct-port", ofServers(r1Server + ", auth-port: 1813"), "4:59: radius.servers[0].auth-port: 1813 is the port for accounting too"},
	{"auth-port is the older port", ofServers(r1Server + ", port: 1812"), "4:7: radius.servers[0].auth-port: 1812 is the port for accounting too"},
	{"auth-port is acct-port of another server", ofServers(r1Server+", auth-port: 1646", "name: r2, address: 10.0.0.1, secret: s, acct-port: 1646, auth-port: 1645"), "4:59: radius.servers[0].auth-port: 1646 is the port for accounting of server r2, which has the same address"},
	{"auth-port of two servers", ofServers(r1Server, "name: r2, address: 10.0.0.1, secret: s, acct-port: 1646"), "5:7: radius.servers[1].auth-port: 1812 is the port for authentication of server r1 too, which has the same address"},
	{"auth-port of two private servers of a group", "authentication: {lists: {default: {methods: [group a]}}}\nradius:\n  servers:\n    - {name: r1, address: 10.0.0.1, secret: s, private: true}\n    - {name: r2, address: 10.0.0.1, acct-port: 1646, secret: s, private: true}\n  groups: [{name: a, servers: [r1, r2]}]\n", "5:7: radius.servers[1].auth-port: 1812 is the port for authentication of server r1 too, which has the same address"},
	{"alias of itself", ofServers(r1Server + ", alias: [10.0.0.1]"), "4:56: radius.servers[0].alias[0]: 10.0.0.1 is the address of the server itself"},
	{"alias is another server", ofServers(r1Server+", alias: [10.0.0.9, 10.0.0.2]", r2Server), "4:66: radius.servers[0].alias[1]: 10.0.0.2 is the address of server r2"},
	{"alias is another server's alias", ofServers(r1Server+", alias: [10.0.0.9]", r2Server+", alias: [10.0.0.9]"), "5:56: radius.servers[1].alias[0]: 10.0.0.9 is an alias of server r1"},
	{"alias twice", ofServers(r1Server + ", alias: [10.0.0.9, 10.0.0.9]"), "4:66: radius.servers[0].alias[1]: 10.0.0.9 is already in line 4"},
	{"alias is a name", ofServers(r1Server + ", alias: [r.example.net]"), `4:56: radius.servers[0].alias[0]: "r.example.net" is not an IP address`},
	{"test without user", ofServers(r1Server + ", test: {ignore-acct-port: true}"), "4:54: radius.servers[0].test: username is missing: it is needed without status-server: true"},
	{"test of no port", ofServers(r1Server + ", test: {username: u, ignore-auth-port: true, ignore-acct-port: true}"), "4:54: radius.servers[0].test: ignore-auth-port and ignore-acct-port are both true, so there is no port to test"},
	{"test without idle-time", ofServers(r1Server + ", test: {username: u, idle-time: 0s}"), "4:79: radius.servers[0].test.idle-time: 0s is not between 1s and 596h"},
	{"ignore-auth-port without test", ofServers(r1Server + ", ignore-auth-port: true"), `4:48: radius.servers[0]: unknown key "ignore-auth-port"; the keys here: name, address, secret, acct-port, port, auth-port, message-authenticator, alias, test, timeout, retransmit, backoff, private`},
}
