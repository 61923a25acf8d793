package strictyaml_test

import (
	"slices"
	"testing"

	"aaasess/cmd/internal/strictyaml"
)

func TestFixed(t *testing.T) {
	fixed := func(text string) []strictyaml.Fixed {
		f := mustDecode(t, text, ".")
		return engine.Fixed(&f)
	}
	var paths []string
	for _, f := range fixed("on: true\n") {
		paths = append(paths, f.Path)
	}
	if want := []string{"name", "listen", "limits", "limits.requests"}; !slices.Equal(paths, want) {
		t.Errorf("keys that a reload can't change: %q, want %q", paths, want)
	}
	for _, tt := range []struct {
		old, now string
		want     []string
	}{
		{"on: true\n", "on: true\n", nil},
		{"name: n\n", "on: false\n", nil},
		{"on: true\n", "name: m\nlisten: ['127.0.0.1:1', '[::1]:3']\n", []string{"name", "listen"}},
		{"on: true\n", "limits: {requests: 1}\n", []string{"limits"}},
		{"limits: {requests: 1}\n", "limits: {}\n", []string{"limits.requests"}},
		{"limits: {failures: 1}\n", "limits: {}\n", nil},
	} {
		for _, got := range [][]string{strictyaml.Changed(fixed(tt.old), fixed(tt.now)), strictyaml.Changed(fixed(tt.now), fixed(tt.old))} {
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q and %q: %q, want %q", tt.old, tt.now, got, tt.want)
			}
		}
	}
}
