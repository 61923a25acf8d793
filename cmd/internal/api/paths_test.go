package api_test

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
)

// TestGroupPath: every name of a group becomes one segment of a clean path.
func TestGroupPath(t *testing.T) {
	for _, name := range []string{"isp", "a/b?%41", ".", "..", "a b", "ä", "...", "//"} {
		u, err := url.Parse("http://daemon" + api.GroupPath(name))
		if err != nil {
			t.Fatal(err)
		}
		escaped := u.EscapedPath()
		segment := strings.TrimPrefix(escaped, api.PathServerGroups+"/")
		got, err := url.PathUnescape(segment)
		if got != name || err != nil || strings.Contains(segment, "/") || path.Clean(escaped) != escaped {
			t.Errorf("%q: %q is %q, %v", name, escaped, got, err)
		}
	}
}
