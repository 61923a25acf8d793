// Package strictyaml decodes a YAML file into structs. The tags of the structs say what the file
// may have.
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
//	min, max  the range of a number, duration or size, of the octets of a text or of the entries of
//	          a list
//	keys      a regular expression for the keys of a map: ^ and $ belong to it
//	wants     what the keys of a map are, for the error of another key
//	each      the tags of the entries of a list, or of the values of a map
//	single    a list of one entry may be written as the entry
//	restart   "yes": a reload cannot change the value; "presence": it cannot add or remove it; see
//	          [Engine.Fixed]
//
// A pointer is nil if its key is missing.
//
// # Types
//
// A field is a struct, a list, a map, a scalar, or a pointer to a struct or scalar. Scalars are
// string, bool, int, uint16, [time.Duration], the types of package netip, [Size], [Limit], [Path],
// [Secret], the types that the [Engine] was made with, and types that implement
// [encoding.TextUnmarshaler]. The decoder panics if it cannot decode a type, or if a tag does not
// fit its type: these are errors of the program.
//
// # Strictness
//
// The decoder rejects anchors, aliases, tags, merge keys and several documents, so that a
// configuration does not depend on rare features of YAML. It also rejects unknown keys, keys that
// occur twice, and values of another kind: a text cannot be written as 5.
//
// # Errors
//
// The error of [Document.Err] joins all faults of a file in the order of their places. Each is an
// [*Error] such as "file.yaml:12:5: clients[2].secret: is empty". Paths count list entries from 0.
// No error contains a secret, not even if its line is mistyped: an error repeats a key only if it
// looks like a key, and the quotations of the YAML library are removed.
//
// # Concurrency
//
// An Engine does not change, so any goroutine may use it. A Document belongs to one goroutine.
package strictyaml
