// Package config reads the configuration of aaasessd: one YAML file, strict (spec R71).
//
// # Two layers
//
// The raw structs (raw.go) are the file: their tags are the keys, the defaults, the ranges and the
// descriptions, and the decoder (decode.go), the JSON schema (schema.go) and the tests of the
// reference file all follow them. [Config] is what the daemon gets: checked (validate.go), with
// small typed values, relative paths joined with the folder of the file, secrets fetched. It ends in
// cmd: each package of ours has a small configuration of its own.
//
// # Levels
//
// When a record is sent again is said globally, for a server and for a group; of each key, that of the
// group wins over that of its server, and that over the global one (R62, S4). In a Config this is done: the
// servers of a [Group] are copies with what counts for them there. What makes a server dead is said
// globally and for a group.
//
// # SNMP
//
// What the file implies of the responder stands in its [Responder]: the views that are there without being
// listed, security names, octets in place of hexadecimal digits. Protocols are their names: the daemon knows
// the packages that have them. What a user of SNMPv3 has is checked here against what its group wants, so
// that none is there whom nothing would be answered, and no target that nothing might be sent to.
//
// # Errors
//
// A file is read to its end: the error of [Parse] joins all faults in the order of their places,
// each an [*Error] that reads "aaasess.yaml:12:5: radius.clients[2].secret: is empty". Paths count
// list entries from 0. No error contains a secret, not even that of a line that was mistyped: keys
// are repeated only if they look like a key, and the YAML library's own quotations are cut out.
//
// Anchors, aliases, tags and merge keys are not taken, nor are several documents: a reload must not
// depend on the corners of YAML.
//
// # Concurrency
//
// Nothing here is shared. A Config is not changed once it is made: any goroutine may read it.
package config
