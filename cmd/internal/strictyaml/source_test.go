package strictyaml_test

import (
	"reflect"
	"strings"
	"testing"
)

var rejectedSources = []rejection{
	{"empty", "", "1:1: has no settings"},
	{"comments only", "# name: x\n", "1:1: has no settings"},
	{"a list", "\n- name: x\n", "2:1: must be a mapping of keys, is a list"},
	{"a word", "name", "1:1: must be a mapping of keys, is text"},
	{"two documents", "name: x\n---\nname: y\n", "3:1: a second document; only one is allowed"},
	{"not UTF-8", "name: x\nlevel: \xff\n", "2:8: is not UTF-8; put a secret of other octets into a file of its own"},
	{"no end", "name: x\nlimits: {requests: 1\n", "2:9: is not YAML: could not find flow mapping end token '}'"},
	{"tab", "limits:\n\trequests: 1\n", "2:1: is not YAML: found character tab that cannot start any token"},
	{"anchor", "name: &a x\n", "1:7: anchors, aliases, tags, merge keys, complex keys and directives are not supported; text that begins with &, * or ! needs quotes"},
	{"nesting", "name: " + strings.Repeat("[", 100), "1:39: is nested more than 32 levels deep"},
	{"nested entries", "name:\n  " + strings.Repeat("- ", 100), "2:67: is nested more than 32 levels deep"},
	{"many keys", strings.Repeat("a: 1\n", 1001), "1001:2: has more than 1000 keys here"},
	{"too large", strings.Repeat("#", 4<<20+1), "1:1: has more than 4 MiB"},
}

func TestRejectedSources(t *testing.T) {
	for _, tt := range rejectedSources {
		t.Run(tt.name, func(t *testing.T) { tt.check(t) })
	}
}

// TestNotations: different notations of editors have the same meaning.
func TestNotations(t *testing.T) {
	want := mustDecode(t, "limits: {requests: 1}\nname: v\n", ".")
	for name, text := range map[string]string{
		"byte order mark": "\ufefflimits: {requests: 1}\nname: v\n",
		"CRLF":            "limits:\r\n  requests: 1\r\nname: v\r\n",
		"quotes":          "\"limits\": {'requests': 1}\nname: 'v'\n",
		"document marks":  "---\nlimits: {requests: 1}\nname: v\n...\n",
		"folded":          "limits: {requests: 1}\nname: >-\n  v\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustDecode(t, text, "."); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
