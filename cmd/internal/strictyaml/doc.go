// Package strictyaml decodes a YAML file into structs whose tags say what may stand in it.
//
// # Tags
//
// The struct fields of a file have the tags
//
//	yaml      the key
//	doc       the description, for the schema
//	default   the value if the key is missing; the values of a list are separated by spaces
//	required  the key must be there
//	enum      the values allowed, separated by spaces
//	min, max  the range of a number, duration or size, how many octets a text has, or entries a list
//	keys      the keys allowed in a map, separated by spaces
//	unknown   the error for another key of a map: a format of that key and of the keys allowed
//	restart   a reload can't change the value, see [Engine.Fixed]; "presence": can't add or remove it
//
// A pointer is nil if its key is missing.
//
// # Types
//
// A field is a struct, a list, a map, a scalar, or a pointer to a struct or scalar. Scalars are
// string, bool, int, uint16, [time.Duration], the types of package netip, [Size], [Limit], [Path],
// [Secret], the types that the [Engine] was made with, and types that implement
// [encoding.TextUnmarshaler]. The decoder panics at a type that it cannot decode, and at tags that do not
// fit their type: these are mistakes of the program.
//
// # Strictness
//
// Anchors, aliases, tags, merge keys and several documents are rejected: a reload must not depend on
// the corners of YAML. So are unknown keys, keys that occur twice, and values of another kind: a text
// cannot be written as 5.
//
// # Errors
//
// A file is read to its end: the error of [Document.Err] joins all faults in the order of their places,
// each an [*Error] that reads "file.yaml:12:5: clients[2].secret: is empty". Paths count list entries
// from 0. No error contains a secret, not even that of a line that was mistyped: keys are repeated only
// if they look like a key, and the YAML library's own quotations are cut out.
//
// # Concurrency
//
// An Engine does not change: any goroutine may use it. A Document belongs to one goroutine.
package strictyaml
