// Package config reads the configuration of aaasessd: one YAML file, strict (spec R71).
//
// # From the file to the packages
//
// The raw structs (raw.go, snmp_raw.go) are the file: their tags are the keys, the defaults, the ranges
// and the descriptions. Package strictyaml decodes the file by them, and the JSON schema, [Config.Diff]
// and the tests of the reference file follow them too. A raw struct has the packages' own types where a
// value stands for itself, such as the access algorithm of a server group.
//
// The checker (validate.go and the files named after what they check) checks what concerns several keys
// and makes the [Config]. A Config has the packages' own types: specs of accounting methods, clients of
// the RADIUS listener, users and views of the SNMP responder. The daemon adds only what is live, such as
// loggers and callbacks. So a key is defined once: in its raw struct.
//
// # Levels
//
// When a record is sent again can be said globally, for a server and for a group. The key of a group wins
// over that of its server, and that over the global one, each key by itself (R62, S4). A Config has the
// result: the servers of a group are copies with what counts for them there. What makes a server dead can
// be said globally and for a group.
//
// # SNMP
//
// A Config also has what the file implies for the responder: the views that are there without being
// listed, and the security names of communities. A user below its group's level is rejected here, and so
// is a target of notifications whose user may not receive them.
//
// # Errors
//
// A file is read to its end: the error of [Parse] joins all faults in the order of their places, each a
// [*strictyaml.Error] that reads "aaasess.yaml:12:5: radius.clients[2].secret: is empty". No error contains
// a secret.
//
// # Concurrency
//
// Nothing here is shared. A Config is not changed once it is made: any goroutine may read it.
package config
