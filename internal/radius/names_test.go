package radius

import "testing"

// TestAttributeNames: each name has its own type, and finds back from it.
func TestAttributeNames(t *testing.T) {
	seen := map[Type]string{}
	for name, at := range AttributeNames {
		if other := seen[at]; other != "" {
			t.Errorf("%s and %s are both %d", name, other, at)
		}
		seen[at] = name
		if got := at.Name(); got != name {
			t.Errorf("%d is %q, want %q", at, got, name)
		}
	}
	if got := Type(250).Name(); got != "" {
		t.Errorf("250 is %q", got)
	}
}
