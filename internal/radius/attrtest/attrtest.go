// Package attrtest makes attributes for tests.
package attrtest

import (
	"fmt"

	"aaasess/internal/radius"
)

// Attributes makes attributes of types and values: type, value, type, value... A type is a
// [radius.Type] or an int, a value a string or an int, which becomes four octets. It panics if one is
// neither.
func Attributes(pairs ...any) radius.Attributes {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		var t radius.Type
		switch k := pairs[i].(type) {
		case radius.Type:
			t = k
		case int:
			t = radius.Type(k)
		default:
			panic(fmt.Sprintf("attrtest: a type is %T", k))
		}
		switch v := pairs[i+1].(type) {
		case string:
			b = radius.AppendAttribute(b, t, v)
		case int:
			b = radius.AppendUint32(b, t, uint32(v))
		default:
			panic(fmt.Sprintf("attrtest: attribute %d is %T", t, v))
		}
	}
	return radius.Attributes(b)
}
