package strictyaml

import "testing"

// TestIsPlaceholder: which secrets say "change me".
func TestIsPlaceholder(t *testing.T) {
	for text, want := range map[Secret]bool{
		"changeme": true, "CHANGE-ME": true, "please change me!": true, "Change_Me_1": true,
		"testing123": false, "exchange": false, "": false,
	} {
		if got := isPlaceholder(text); got != want {
			t.Errorf("%q: %v", string(text), got)
		}
	}
}
