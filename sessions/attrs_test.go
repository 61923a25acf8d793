package sessions

import "aaasess/internal/radius"

// attrs makes attributes from pairs of type and value, a string or an int.
func attrs(pairs ...any) radius.Attributes {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		switch v := pairs[i+1].(type) {
		case string:
			b = radius.AppendAttribute(b, pairs[i].(radius.Type), v)
		case int:
			b = radius.AppendUint32(b, pairs[i].(radius.Type), uint32(v))
		}
	}
	return radius.Attributes(b)
}

// AttributesOf is attrs for the tests of package sessions_test.
func AttributesOf(pairs ...any) radius.Attributes { return attrs(pairs...) }
