package sessions

import (
	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"
)

// attrs is [attrtest.Attributes].
func attrs(pairs ...any) radius.Attributes { return attrtest.Attributes(pairs...) }

// AttributesOf is attrs for the tests of package sessions_test.
func AttributesOf(pairs ...any) radius.Attributes { return attrs(pairs...) }
