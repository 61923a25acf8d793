package config_test

import "strings"

const (
	engineLine = `    engine-id: "80007ed90461616173657373"`
	viewLine   = "      - {name: mine, include: [1.3.6.1.2], exclude: [1.3.6.1.2.1.4]}"
	rwLine     = "      - {name: rw, write: mine}"
	notifyLine = "      - {name: rw, write: mine, notify: mine}"
	otherLine  = "      - {community: private, from: [192.0.2.1], group: rw}"
	fromLine   = "        from: [192.0.2.0/24]"
	groupLine  = "        group: rw"
	authLine   = `        auth: {protocol: SHA, password: "pass-word"}`
	privLine   = `        priv: {protocol: AES-128, password: "word-pass"}`
	eveLine    = "      - {name: eve, group: ro}"
	targetLine = "      user: bob"
)

// ofResponder returns managed with one more key of the responder, in line 3.
func ofResponder(key string) string { return managed(engineLine, "    "+key+"\n"+engineLine) }

// ofTarget returns managed with other keys of the target besides user, in line 25.
func ofTarget(keys string) string { return managed(targetLine, "      "+keys) }

// withNotify returns managed with another view named mine, in line 5, for notifications to bob.
func withNotify(view string) string {
	return strings.Replace(managed(rwLine, notifyLine), viewLine, "      - {name: mine, "+view+"}", 1)
}

// lacks returns the error for withNotify.
const lacks = "25:13: snmp.notifications[0].user: the notify view mine of group rw lacks snmpTraps, 1.3.6.1.6.3.1.1.5, or a part of it, which user bob needs"

// v2c returns managed with a target of v2c. Its further keys are in line 25.
func v2c(keys string) string {
	return strings.Replace(managed("      version: v3", "      version: v2c"), targetLine, "      "+keys, 1)
}

// withKey returns managed with a key for bob, and another line in place of the engine id.
func withKey(line string) string {
	return strings.Replace(managed(engineLine, line), authLine, `        auth: {protocol: SHA, key: "`+strings.Repeat("00", 20)+`"}`, 1)
}

// rejectedSNMP has faults in the keys below snmp.
var rejectedSNMP = []rejection{
	// Single values.
	{"responder without value", "snmp: {responder: }\n", "1:8: snmp.responder: must be a mapping of keys, is nothing; to switch this off, leave the key out"},
	{"responder as a boolean", "snmp: {responder: true}\n", "1:19: snmp.responder: must be a mapping of keys, is a boolean; to switch this off, leave the key out"},
	{"responder listens nowhere", ofResponder("listen: []"), "3:13: snmp.responder.listen: has 0 entries, at least 1 are needed"},
	{"responder listens twice", ofResponder(`listen: ["[::1]:161", "[::1]:161"]`), "3:27: snmp.responder.listen[1]: [::1]:161 is already in line 3"},
	{"responder listens everywhere", ofResponder(`listen: [":161"]`), `3:14: snmp.responder.listen[0]: ":161" has no address; for all addresses write 0.0.0.0:161 and [::]:161`},
	{"responder listens on a name", ofResponder("listen: [localhost]"), `3:14: snmp.responder.listen[0]: "localhost" is not an IP address and port such as 127.0.0.1:1813 or [::1]:1813`},
	{"engine-id as an integer", managed(engineLine, "    engine-id: 8000000001"), "3:16: snmp.responder.engine-id: must be hexadecimal digits in quotes, is an integer"},
	{"engine-id as a hexadecimal integer", managed(engineLine, "    engine-id: 0x80007ed904"), "3:16: snmp.responder.engine-id: must be hexadecimal digits in quotes, is an integer"},
	{"engine-id of half octets", managed(engineLine, `    engine-id: "80000000011"`), `3:16: snmp.responder.engine-id: "80000000011" is not pairs of hexadecimal digits`},
	{"engine-id of colons", managed(engineLine, `    engine-id: "80:00:00:00:01"`), `3:16: snmp.responder.engine-id: "80:00:00:00:01" is not pairs of hexadecimal digits`},
	{"engine-id too short", managed(engineLine, `    engine-id: "80000000"`), "3:16: snmp.responder.engine-id: has 4 octets, an engine id has 5 to 32"},
	{"engine-id too long", managed(engineLine, `    engine-id: "`+strings.Repeat("80", 33)+`"`), "3:16: snmp.responder.engine-id: has 33 octets, an engine id has 5 to 32"},
	{"engine-id of zeros", managed(engineLine, `    engine-id: "0000000000"`), "3:16: snmp.responder.engine-id: an engine id cannot be all 00 or all ff"},
	{"engine-id of ones", managed(engineLine, `    engine-id: "0xFFFFFFFFFF"`), "3:16: snmp.responder.engine-id: an engine id cannot be all 00 or all ff"},
	{"max-message-size too small", ofResponder("max-message-size: 483"), "3:23: snmp.responder.max-message-size: 483 is not between 484 and 65507"},
	{"max-message-size too large", ofResponder("max-message-size: 65508"), "3:23: snmp.responder.max-message-size: 65508 is not between 484 and 65507"},
	{"allow-insecure-set", ofResponder("allow-insecure-set: 1"), "3:25: snmp.responder.allow-insecure-set: must be true or false, is an integer"},
	{"authentication-failure", ofResponder("authentication-failure: off"), "3:29: snmp.responder.authentication-failure: must be true or false, is text"},
	{"unknown key of the responder", ofResponder("community: public"), `3:5: snmp.responder: unknown key "community"; the keys here: listen, engine-id, max-message-size, allow-insecure-set, legacy, authentication-failure, system, limits, views, groups, communities, users`},
	{"sysDescr too long", ofResponder("system: {description: " + strings.Repeat("x", 256) + "}"), "3:27: snmp.responder.system.description: has 256 octets, must have 0 to 255"},
	{"sysDescr of more than ASCII", ofResponder("system: {description: naïve}"), "3:27: snmp.responder.system.description: character 3 is not allowed in a DisplayString, which has only octets 0x20 to 0x7e"},
	{"sysContact of lines", ofResponder(`system: {contact: "a\nb"}`), "3:23: snmp.responder.system.contact: character 2 is not allowed in a DisplayString, which has only octets 0x20 to 0x7e"},
	{"sysContact with 7f", ofResponder(`system: {contact: "noc\x7f"}`), "3:23: snmp.responder.system.contact: character 4 is not allowed in a DisplayString, which has only octets 0x20 to 0x7e"},
	{"sysName too long", ofResponder("system: {name: " + strings.Repeat("x", 256) + "}"), "3:20: snmp.responder.system.name: has 256 octets, must have 0 to 255"},
	{"sysName of more than ASCII", ofResponder("system: {name: é}"), "3:20: snmp.responder.system.name: character 1 is not allowed in a DisplayString, which has only octets 0x20 to 0x7e"},
	{"sysLocation with a tab", ofResponder(`system: {location: "rack\t7"}`), "3:24: snmp.responder.system.location: character 5 is not allowed in a DisplayString, which has only octets 0x20 to 0x7e"},
	{"sysLocation", ofResponder("system: {location: 7}"), "3:24: snmp.responder.system.location: must be text, is an integer"},
	{"sysObjectID", ofResponder("system: {object-id: 1.3.6.x}"), `3:25: snmp.responder.system.object-id: "1.3.6.x" is not an OID such as 1.3.6.1.4.1.9.9.150: at most 128 numbers, each below 2^32`},
	{"sysObjectID as a number", ofResponder("system: {object-id: 0.0}"), `3:25: snmp.responder.system.object-id: must be an OID in quotes, such as "1.3.6.1", is a number`},
	{"sysObjectID of one number", ofResponder(`system: {object-id: "1"}`), "3:25: snmp.responder.system.object-id: an OID of one number cannot be encoded"},
	{"requests", ofResponder("limits: {requests: -1}"), "3:24: snmp.responder.limits.requests: -1 is not between 0 and 100000000"},
	{"failures", ofResponder("limits: {failures: none}"), "3:24: snmp.responder.limits.failures: must be an integer, is text"},
	{"response-octets without unit", ofResponder("limits: {response-octets: 1000}"), "3:31: snmp.responder.limits.response-octets: must be a size such as 16MiB, or 0, is an integer"},
	{"response-octets of no unit", ofResponder("limits: {response-octets: 16MB}"), `3:31: snmp.responder.limits.response-octets: "16MB" is not a size such as 256MiB (KiB, MiB, GiB or TiB)`},
	{"response-octets too small", ofResponder("limits: {response-octets: 63KiB}"), "3:31: snmp.responder.limits.response-octets: 63KiB is not between 64KiB and 1TiB"},
	{"total-response-octets too small", ofResponder("limits: {total-response-octets: 63KiB}"), "3:37: snmp.responder.limits.total-response-octets: 63KiB is not between 64KiB and 1TiB"},
	{"response-octets too large", ofResponder("limits: {response-octets: 2TiB}"), "3:31: snmp.responder.limits.response-octets: 2TiB is not between 64KiB and 1TiB"},

	// Views.
	{"view without name", managed(viewLine, viewLine+"\n      - {include: [1.3.6]}"), "6:9: snmp.responder.views[1]: name is missing"},
	{"view of nothing", managed(viewLine, viewLine+"\n      - {name: v, include: []}"), "6:28: snmp.responder.views[1].include: has 0 entries, at least 1 are needed"},
	{"view without include", managed(viewLine, viewLine+"\n      - {name: v, exclude: [1.3.6]}"), "6:9: snmp.responder.views[1]: include is missing"},
	{"view twice", managed(viewLine, viewLine+"\n      - {name: mine, include: [1.3.6]}"), "6:16: snmp.responder.views[1].name: mine is already the name of line 5"},
	{"view all", managed(viewLine, viewLine+"\n      - {name: all, include: [1.3.6]}"), "6:16: snmp.responder.views[1].name: the view all always exists and is not listed"},
	{"view common", managed(viewLine, viewLine+"\n      - {name: common, include: [1.3.6]}"), "6:16: snmp.responder.views[1].name: the view common always exists and is not listed"},
	{"view sessions", managed(viewLine, viewLine+"\n      - {name: sessions, include: [1.3.6]}"), "6:16: snmp.responder.views[1].name: the view sessions always exists and is not listed"},
	{"view of a long name", managed(viewLine, viewLine+"\n      - {name: "+strings.Repeat("v", 33)+", include: [1.3.6]}"), `6:16: snmp.responder.views[1].name: "` + strings.Repeat("v", 33) + `" is not a valid name: 1 to 32 letters, digits, dots, underscores and hyphens, a letter or digit first`},
	{"subtree by name", managed(viewLine, viewLine+"\n      - {name: v, include: [system]}"), `6:29: snmp.responder.views[1].include[0]: "system" is not an OID such as 1.3.6.1.4.1.9.9.150: at most 128 numbers, each below 2^32`},
	{"subtree as a number", managed(viewLine, viewLine+"\n      - {name: v, include: [1.3]}"), `6:29: snmp.responder.views[1].include[0]: must be an OID in quotes, such as "1.3.6.1", is a number`},
	{"subtree of no end", managed(viewLine, viewLine+"\n      - {name: v, include: [1.3.6.]}"), `6:29: snmp.responder.views[1].include[0]: "1.3.6." is not an OID such as 1.3.6.1.4.1.9.9.150: at most 128 numbers, each below 2^32`},
	{"subtree of 2^32", managed(viewLine, viewLine+"\n      - {name: v, include: [1.3.4294967296]}"), `6:29: snmp.responder.views[1].include[0]: "1.3.4294967296" is not an OID such as 1.3.6.1.4.1.9.9.150: at most 128 numbers, each below 2^32`},
	{"subtree of nothing", managed(viewLine, viewLine+"\n      - {name: v, include: [\"\"]}"), `6:29: snmp.responder.views[1].include[0]: "" is not an OID such as 1.3.6.1.4.1.9.9.150: at most 128 numbers, each below 2^32`},
	{"subtree under 3", managed(viewLine, viewLine+"\n      - {name: v, include: [3.6.1]}"), `6:29: snmp.responder.views[1].include[0]: "3.6.1" is not an OID: they begin with 0, 1 or 2, and under 0 and 1 with 0 to 39`},
	{"subtree under 1.40", managed(viewLine, viewLine+"\n      - {name: v, exclude: [1.40.1], include: [1.3.6]}"), `6:29: snmp.responder.views[1].exclude[0]: "1.40.1" is not an OID: they begin with 0, 1 or 2, and under 0 and 1 with 0 to 39`},
	{"subtree too long", managed(viewLine, viewLine+"\n      - {name: v, include: [1.3.6"+strings.Repeat(".1", 80)+"]}"), "6:29: snmp.responder.views[1].include[0]: has 83 numbers, at most 82 are possible in a view"},
	{"subtree twice", managed(viewLine, viewLine+"\n      - {name: v, include: [1.3.6, .1.3.6]}"), "6:36: snmp.responder.views[1].include[1]: 1.3.6 is already in line 6"},
	{"subtree in and out", managed(viewLine, viewLine+"\n      - {name: v, exclude: [1.3.6], include: [1.3.6]}"), "6:29: snmp.responder.views[1].exclude[0]: 1.3.6 is already in line 6"},

	// Groups.
	{"group without name", managed(rwLine, rwLine+"\n      - {read: all}"), "10:9: snmp.responder.groups[2]: name is missing"},
	{"group twice", managed(rwLine, rwLine+"\n      - {name: ro}"), "10:16: snmp.responder.groups[2].name: ro is already the name of line 7"},
	{"level of a group", managed("        level: noAuthNoPriv", "        level: none"), `8:16: snmp.responder.groups[0].level: "none" is not noAuthNoPriv, authNoPriv or authPriv`},
	{"views of a group", managed(rwLine, "      - {name: rw, read: r, write: w, notify: n}"), "9:26: snmp.responder.groups[1].read: no view is called r\n9:36: snmp.responder.groups[1].write: no view is called w\n9:47: snmp.responder.groups[1].notify: no view is called n"},
	{"view of a group as a list", managed(rwLine, "      - {name: rw, read: [all]}"), "9:26: snmp.responder.groups[1].read: must be the name of a view, is a list"},
	{"view of a group mistyped", managed(rwLine, "      - {name: rw, read: a b}"), `9:26: snmp.responder.groups[1].read: "a b" is not the name of a view: 1 to 32 letters, digits, dots, underscores and hyphens, a letter or digit first`},

	// Communities.
	{"community without anything", managed(otherLine, "      - {}"), "14:9: snmp.responder.communities[1]: community is missing\n14:9: snmp.responder.communities[1]: from is missing\n14:9: snmp.responder.communities[1]: group is missing"},
	{"community of no octets", managed(otherLine, `      - {community: "", from: [192.0.2.1], group: rw}`), "14:21: snmp.responder.communities[1].community: is empty"},
	{"community too long", managed(otherLine, "      - {community: "+strings.Repeat("x", 256)+", from: [192.0.2.1], group: rw}"), "14:21: snmp.responder.communities[1].community: has more than 255 octets"},
	{"community from nowhere", managed(fromLine, "        from: []"), "12:15: snmp.responder.communities[0].from: has 0 entries, at least 1 are needed"},
	{"community from bits", managed(fromLine, "        from: [192.0.2.1/24]"), `12:16: snmp.responder.communities[0].from[0]: "192.0.2.1/24" has bits beyond its length; the prefix is 192.0.2.0/24`},
	{"community from a name", managed(fromLine, "        from: [localhost]"), `12:16: snmp.responder.communities[0].from[0]: "localhost" is neither an IP address nor a prefix such as 192.0.2.0/24`},
	{"community from twice", managed(fromLine, "        from: [192.0.2.0/24, 192.0.2.0/24]"), "12:30: snmp.responder.communities[0].from[1]: the same community is already accepted from 192.0.2.0/24 in line 12"},
	{"community twice", managed(otherLine, `      - {community: public, from: ["::1", 192.0.2.0/24], group: rw}`), "14:43: snmp.responder.communities[1].from[1]: the same community is already accepted from 192.0.2.0/24 in line 12"},
	{"community of a group that is not", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: rx}"), "14:56: snmp.responder.communities[1].group: no group is called rx"},
	{"community of no version", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: rw, versions: []}"), "14:70: snmp.responder.communities[1].versions: has 0 entries, at least 1 are needed"},
	{"community of version 3", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: rw, versions: [v2c, v3]}"), `14:76: snmp.responder.communities[1].versions[1]: "v3" is not v1 or v2c`},
	{"community of a number as version", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: rw, versions: [1]}"), "14:71: snmp.responder.communities[1].versions[0]: must be v1 or v2c, is an integer"},
	{"community of one version", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: rw, versions: v1}"), "14:70: snmp.responder.communities[1].versions: must be a list, is text"},
	{"community of a version twice", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: rw, versions: [v1, v1]}"), "14:75: snmp.responder.communities[1].versions[1]: v1 is already in line 14"},
	{"security name of no group", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: [], name: ro}"), "14:56: snmp.responder.communities[1].group: must be a name, is a list"},
	{"security name in two groups", managed(otherLine, "      - {community: private, from: [192.0.2.1], group: rw, name: ro}"), "14:66: snmp.responder.communities[1].name: the security name ro is already in group ro by line 11"},
	{"security name by default in two groups", strings.Replace(managed(otherLine, otherLine), fromLine, fromLine+"\n        name: rw", 1), "15:9: snmp.responder.communities[1].name: the security name rw is already in group ro by line 11"},
	{"security name", managed(otherLine, `      - {community: private, from: [192.0.2.1], group: rw, name: ""}`), `14:66: snmp.responder.communities[1].name: "" is not a valid name: 1 to 32 letters, digits, dots, underscores and hyphens, a letter or digit first`},

	// Users.
	{"user without anything", managed(eveLine, "      - {}"), "20:9: snmp.responder.users[1]: name is missing\n20:9: snmp.responder.users[1]: group is missing"},
	{"user of no name", managed(eveLine, `      - {name: "", group: ro}`), "20:16: snmp.responder.users[1].name: has 0 octets, must have 1 to 32"},
	{"user of a long name", managed(eveLine, "      - {name: "+strings.Repeat("é", 17)+", group: ro}"), "20:16: snmp.responder.users[1].name: has 34 octets, must have 1 to 32"},
	{"user twice", managed(eveLine, "      - {name: bob, group: ro}"), "20:16: snmp.responder.users[1].name: bob is already the name of line 16"},
	{"user of a group that is not", managed(groupLine, "        group: admins"), "17:16: snmp.responder.users[0].group: no group is called admins"},
	{"user without auth", managed(eveLine, "      - {name: eve, group: rw}"), "20:28: snmp.responder.users[1].group: group rw requires authPriv, user eve has noAuthNoPriv"},
	{"user without priv", managed(privLine+"\n"+eveLine, eveLine), "17:16: snmp.responder.users[0].group: group rw requires authPriv, user bob has authNoPriv"},
	{"user without auth in authNoPriv", managed("        level: noAuthNoPriv", "        level: authNoPriv"), "20:28: snmp.responder.users[1].group: group ro requires authNoPriv, user eve has noAuthNoPriv"},
	{"priv without auth", managed(authLine+"\n"+privLine, privLine), "18:15: snmp.responder.users[0].priv: user bob has priv without auth: only authenticated messages can be encrypted"},
	{"auth as text", managed(authLine, "        auth: SHA"), "18:15: snmp.responder.users[0].auth: must be a mapping of keys, is text"},
	{"auth without protocol", managed(authLine, `        auth: {password: "pass-word"}`), "18:15: snmp.responder.users[0].auth: protocol is missing"},
	{"auth of another protocol", managed(authLine, `        auth: {protocol: SHA1, password: "pass-word"}`), `18:26: snmp.responder.users[0].auth.protocol: "SHA1" is not SHA, SHA-224, SHA-256, SHA-384, SHA-512 or MD5`},
	{"auth without secret", managed(authLine, "        auth: {protocol: SHA}"), "18:15: snmp.responder.users[0].auth: needs a password or a key"},
	{"auth with two secrets", managed(authLine, `        auth: {protocol: SHA, password: "pass-word", key: "00"}`), "18:59: snmp.responder.users[0].auth.key: is not allowed beside a password: one of them is needed"},
	{"auth with a short password", managed(authLine, `        auth: {protocol: SHA, password: "seven77"}`), "18:41: snmp.responder.users[0].auth.password: has fewer than 8 octets"},
	{"auth with an empty password", managed(authLine, `        auth: {protocol: SHA, password: ""}`), "18:41: snmp.responder.users[0].auth.password: is empty"},
	{"auth with a number", managed(authLine, "        auth: {protocol: SHA, password: 12345678}"), "18:41: snmp.responder.users[0].auth.password: must be text in quotes, {file: PATH} or {credential: NAME}, is an integer"},
	{"auth with a short key", managed(authLine, `        auth: {protocol: SHA-224, key: "`+strings.Repeat("00", 27)+`"}`), "18:40: snmp.responder.users[0].auth.key: has 27 octets, a key for SHA-224 has 28"},
	{"auth with a key of no digits", managed(authLine, `        auth: {protocol: SHA, key: "pass-word"}`), "18:36: snmp.responder.users[0].auth.key: is not pairs of hexadecimal digits"},
	{"priv without secret", managed(privLine, "        priv: {protocol: AES-128}"), "19:15: snmp.responder.users[0].priv: needs a password or a key"},
	{"priv with a short password", managed(privLine, `        priv: {protocol: AES-128, password: "seven77"}`), "19:45: snmp.responder.users[0].priv.password: has fewer than 8 octets"},
	{"priv with a key of another length", managed(privLine, `        priv: {protocol: AES-256-C, key: "`+strings.Repeat("00", 24)+`"}`), "19:42: snmp.responder.users[0].priv.key: has 24 octets, a key for AES-256-C has 20 or 32"},
	{"priv with a key of a digest's length only", managed(privLine, `        priv: {protocol: AES-128, key: "`+strings.Repeat("00", 32)+`"}`), "19:40: snmp.responder.users[0].priv.key: has 32 octets, a key for AES-128 has 16 or 20"},
	{"priv of another protocol", managed(privLine, `        priv: {protocol: AES, password: "word-pass"}`), `19:26: snmp.responder.users[0].priv.protocol: "AES" is not AES-128, AES-192, AES-256, AES-192-C, AES-256-C or DES`},
	{"key without engine-id", withKey("    legacy: false"), "18:36: snmp.responder.users[0].auth.key: is localized for one engine, so snmp.responder.engine-id is needed"},
	{"key with an engine-id that is wrong", withKey(`    engine-id: "80"`), "3:16: snmp.responder.engine-id: has 1 octets, an engine id has 5 to 32"},
	{"MD5", managed(authLine, `        auth: {protocol: MD5, password: "pass-word"}`), "18:26: snmp.responder.users[0].auth.protocol: user bob has MD5, which is broken; snmp.responder.legacy: true allows it"},
	{"DES", managed(privLine, `        priv: {protocol: DES, password: "word-pass"}`), "19:26: snmp.responder.users[0].priv.protocol: user bob has DES, which is broken; snmp.responder.legacy: true allows it"},
	{"MD5 with a legacy that is wrong", strings.Replace(ofResponder("legacy: yes"), "SHA", "MD5", 1), "3:13: snmp.responder.legacy: must be true or false, is text"},

	// Notifications.
	{"notifications without responder", "snmp: {notifications: [{name: n, address: h, version: v3, user: u}]}\n", "1:23: snmp.notifications: need snmp.responder, which is missing: its engine sends them"},
	{"target without anything", managed("    - name: nms", "    - {}\n    - name: nms"), "22:7: snmp.notifications[0]: name is missing\n22:7: snmp.notifications[0]: address is missing\n22:7: snmp.notifications[0]: version is missing"},
	{"target twice", managed("    - name: nms", "    - {name: nms, address: h, version: v2c, community: c}\n    - name: nms"), "23:13: snmp.notifications[1].name: nms is already the name of line 22"},
	{"target address", managed("      address: 192.0.2.9", "      address: 192.0.2.256"), `23:16: snmp.notifications[0].address: "192.0.2.256" is not an IP address or host name, or host:port`},
	{"target port 0", managed("      address: 192.0.2.9", "      address: h:0"), `23:16: snmp.notifications[0].address: "h:0" is not an IP address or host name, or host:port`},
	{"target port 65536", managed("      address: 192.0.2.9", "      address: h:65536"), `23:16: snmp.notifications[0].address: "h:65536" is not an IP address or host name, or host:port`},
	{"target port with a zero", managed("      address: 192.0.2.9", "      address: h:0162"), `23:16: snmp.notifications[0].address: "h:0162" is not an IP address or host name, or host:port`},
	{"target port of no digits", managed("      address: 192.0.2.9", `      address: "h:"`), `23:16: snmp.notifications[0].address: "h:" is not an IP address or host name, or host:port`},
	{"target port alone", managed("      address: 192.0.2.9", `      address: ":162"`), `23:16: snmp.notifications[0].address: ":162" is not an IP address or host name, or host:port`},
	{"target with a bracket", managed("      address: 192.0.2.9", `      address: "[2001:db8::1"`), `23:16: snmp.notifications[0].address: "[2001:db8::1" is not an IP address or host name, or host:port`},
	{"target with a transport", managed("      address: 192.0.2.9", "      address: udp:192.0.2.9:162"), `23:16: snmp.notifications[0].address: "udp:192.0.2.9:162" is not an IP address or host name, or host:port`},
	{"version", managed("      version: v3", "      version: v1"), `24:16: snmp.notifications[0].version: "v1" is not v2c or v3`},
	{"version as a number", managed("      version: v3", "      version: 3"), "24:16: snmp.notifications[0].version: must be v2c or v3, is an integer"},
	{"type", ofTarget("type: informs\n      user: bob\n      engine-id: \"8000000001\""), `25:13: snmp.notifications[0].type: "informs" is not trap or inform`},
	{"v2c without community", v2c("type: trap"), "22:7: snmp.notifications[0]: community is missing, which version: v2c needs"},
	{"v2c with a community of no octets", v2c(`community: ""`), "25:18: snmp.notifications[0].community: is empty"},
	{"v2c with a long community", v2c("community: " + strings.Repeat("x", 256)), "25:18: snmp.notifications[0].community: has more than 255 octets"},
	{"v2c with a user", v2c("community: c\n      user: bob"), "26:13: snmp.notifications[0].user: is not allowed with version: v2c"},
	{"v2c with an engine-id", v2c("community: c\n      type: inform\n      engine-id: \"8000000001\""), "27:18: snmp.notifications[0].engine-id: is not allowed with version: v2c"},
	{"v3 with a community", ofTarget("user: bob\n      community: c"), "26:18: snmp.notifications[0].community: is not allowed with version: v3"},
	{"v3 without user", ofTarget("type: trap"), "22:7: snmp.notifications[0]: user is missing, which version: v3 needs"},
	{"v3 of a user that is not", ofTarget("user: alice"), "25:13: snmp.notifications[0].user: no user is called alice"},
	{"v3 of an empty user", ofTarget(`user: ""`), "25:13: snmp.notifications[0].user: has 0 octets, must have 1 to 32"},
	{"engine-id for traps", ofTarget("user: bob\n      engine-id: \"8000000001\""), "26:18: snmp.notifications[0].engine-id: is not allowed with type: trap: traps have our own engine id"},
	{"engine-id of the receiver", ofTarget("user: bob\n      type: inform\n      engine-id: \"80\""), "27:18: snmp.notifications[0].engine-id: has 1 octets, an engine id has 5 to 32"},
	{"informs of a user with a key", strings.Replace(withKey(engineLine), targetLine, targetLine+"\n      type: inform", 1), "25:13: snmp.notifications[0].user: user bob has a key localized for our engine, but informs need one for the receiver's engine: give the user a password"},
	{"notify view of nothing", managed(rwLine, `      - {name: rw, write: mine, notify: ""}`), `25:13: snmp.notifications[0].user: the notify view of group rw is empty: user bob needs one that has all of snmpTraps, 1.3.6.1.6.3.1.1.5`},
	{"notify view sessions", managed(rwLine, "      - {name: rw, notify: sessions}"), "25:13: snmp.notifications[0].user: the notify view sessions of group rw lacks snmpTraps, 1.3.6.1.6.3.1.1.5, or a part of it, which user bob needs"},
	{"notify view of something else", withNotify("include: [1.3.6.1.2]"), lacks},
	{"notify view of one trap", withNotify("include: [1.3.6.1.2, 1.3.6.1.6.3.1.1.5.1]"), lacks},
	{"notify view without snmpTraps", withNotify("include: [1.3.6.1], exclude: [1.3.6.1.6.3.1.1.5]"), lacks},
	{"notify view without what snmpTraps is in", withNotify(`include: [1.3.6.1, "1.3"], exclude: [1.3.6.1.6.3]`), lacks},
	{"notify view without one trap", withNotify("include: [1.3.6.1.6.3.1.1.5], exclude: [1.3.6.1.6.3.1.1.5.5]"), lacks},
	{"notify view of a subtree that is wrong", withNotify("include: [1.3.6.1.2, snmpTraps]"), `5:43: snmp.responder.views[0].include[1]: "snmpTraps" is not an OID such as 1.3.6.1.4.1.9.9.150: at most 128 numbers, each below 2^32`},
	{"notify view without include", withNotify("exclude: [1.3.6.1.2]"), "5:9: snmp.responder.views[0]: include is missing"},
	{"notify view that is not", managed(rwLine, "      - {name: rw, notify: n}"), "9:28: snmp.responder.groups[1].notify: no view is called n"},
	{"notify view mistyped", managed(rwLine, "      - {name: rw, notify: [all]}"), "9:28: snmp.responder.groups[1].notify: must be the name of a view, is a list"},
	{"source-address of the other family", ofTarget("user: bob\n      source-address: \"2001:db8::1\""), "26:23: snmp.notifications[0].source-address: 2001:db8::1 is IPv6, but the target is 192.0.2.9, which is IPv4"},
	{"source-address of the other family for v2c", strings.Replace(v2c("community: c\n      source-address: 192.0.2.1"), "192.0.2.9", `"[2001:db8::9]:1162"`, 1), "26:23: snmp.notifications[0].source-address: 192.0.2.1 is IPv4, but the target is 2001:db8::9, which is IPv6"},
	{"source-address as a name", ofTarget("user: bob\n      source-address: eth0"), `26:23: snmp.notifications[0].source-address: "eth0" is not an IP address`},
	{"source-address as IPv6", ofTarget("user: bob\n      source-address: \"::ffff:192.0.2.1\""), `26:23: snmp.notifications[0].source-address: "::ffff:192.0.2.1" is an IPv4 address: write it as 192.0.2.1`},
	{"source-address of all", ofTarget("user: bob\n      source-address: 0.0.0.0"), `26:23: snmp.notifications[0].source-address: "0.0.0.0" is not the address of a host`},
	{"source-address of a target that is wrong", strings.Replace(ofTarget("user: bob\n      source-address: \"2001:db8::1\""), "192.0.2.9", "192.0.2.256", 1), `23:16: snmp.notifications[0].address: "192.0.2.256" is not an IP address or host name, or host:port`},
	{"timeout of informs", ofTarget("user: bob\n      timeout: 9ms"), "26:16: snmp.notifications[0].timeout: 9ms is not between 10ms and 1000s"},
	{"retries of informs", ofTarget("user: bob\n      retries: 101"), "26:16: snmp.notifications[0].retries: 101 is not between 0 and 100"},
}
