// Package config reads the configuration of aaasessd: one YAML file, strict (spec R71).
//
// # From the file to the packages
//
// The raw structs (raw.go, snmp_raw.go) are the file: their tags are the keys, the defaults, the
// ranges and the descriptions. Package strictyaml decodes the file by them, and the JSON schema,
// [Config.Diff] and the tests of the reference file follow them too. A raw struct has the packages'
// own types where a value stands for itself, such as the access algorithm of a server group.
//
// The checker (validate.go and the files named after what they check) checks what concerns several
// keys and makes the [Config]. A Config has the packages' own types: specs of accounting methods,
// clients of the RADIUS listener, users and views of the SNMP responder. The daemon adds only
// loggers, callbacks and the like. So a key is defined once: in its raw struct.
//
// # Levels
//
// The keys for retransmissions exist at three levels: global, for a server and for a group. The key
// of a group overrides that of its server, and that of a server the global one. This holds for each
// key separately (R62, S4). A Config has the result: the servers of a group are copies with the
// values that apply in this group. The keys for dead servers exist at two levels: global and for a
// group.
//
// # SNMP
//
// A Config also has what the file implies for the responder: the views that always exist, and the
// security names of communities. A user below its group's level is rejected, and so is a target of
// notifications whose user may not receive them.
//
// # Errors
//
// The error of [Parse] joins all faults of a file in the order of their places. Each is a
// [*strictyaml.Error] such as "aaasess.yaml:12:5: radius.clients[2].secret: is empty". No error
// contains a secret.
//
// # Concurrency
//
// The package has no shared state. A Config does not change after Parse, so any goroutine may read
// it.
package config
