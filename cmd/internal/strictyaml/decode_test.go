package strictyaml_test

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"aaasess/cmd/internal/strictyaml"
)

func TestDefaults(t *testing.T) {
	want := file{
		Name: "n", Level: "low", On: true, Count: 3, Port: 1813, Wait: 5 * time.Second, Room: 1 << 20, Folder: "/etc/x/var",
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("[::1]:2")},
		Color:  2, Upper: "U",
	}
	if got := mustDecode(t, "peers:\n  []\n", "/etc/x"); len(got.Peers) != 0 {
		t.Errorf("peers %+v", got.Peers)
	} else if got.Peers = nil; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDecode(t *testing.T) {
	wait := 2 * time.Second
	want := file{
		Name: "other", Level: "high", Count: -5, Port: 65535, Wait: time.Hour, Room: 1 << 40, Limit: 1 << 30, Folder: "/srv",
		Address: netip.MustParseAddr("fe80::1%eth0"), Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		From:  []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32")},
		Color: 1, Any: 2, Upper: "ABC", Secret: "s1",
		Peers:   []peer{{Name: "a", Secret: "s2"}, {Name: "b", Timeout: &wait}},
		Limits:  &limits{Requests: 7},
		Lists:   map[string]peer{"one": {Name: "c"}},
		Secrets: map[string]strictyaml.Secret{"one": "s3"},
		Words:   []string{"b", "a"},
		Levels:  map[string]map[string]peer{"7": {"two": {Name: "d"}}},
	}
	got := mustDecode(t, `
name: other
level: high
on: false
count: -5
port: 65535
wait: 1h
room: 1TiB
limit: 1GiB
folder: /srv
address: fe80::1%eth0
listen: ["[::ffff:127.0.0.1]:0"]
from: [192.0.2.1, "2001:db8::/32"]
color: red
any: green
upper: ABC
secret: s1
peers:
  - {name: a, secret: s2}
  - name: b
    timeout: 2s
limits: {failures: 0}
lists: {one: {name: c}}
secrets: {one: s3}
words: [b, a]
levels: {7: {two: {name: d}}}
`, ".")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := mustDecode(t, "limit: 0\nwords: a\n", "."); got.Limit != 0 || !slices.Equal(got.Words, []string{"a"}) {
		t.Errorf("limit %d, words %q", got.Limit, got.Words)
	}
}

var rejectedValues = []rejection{
	{"unknown key", "name: x\nnames: {}\n", `2:1: unknown key "names"; the keys here: name, level, on, count, port, wait, room, limit, folder, address, listen, from, color, any, upper, secret, peers, limits, lists, secrets, words, levels`},
	{"unknown key in a list", "peers:\n  - name: a\n    secrets: b\n", `3:5: peers[0]: unknown key "secrets"; the keys here: name, secret, timeout`},
	{"unknown key of a map", "lists: {three: {name: a}}\n", `1:9: lists: key "three" is not one or two`},
	{"a key that may be a secret", "name: x\nHunter2: 1\n", "2:1: unknown key (not shown); the keys here: name, level, on, count, port, wait, room, limit, folder, address, listen, from, color, any, upper, secret, peers, limits, lists, secrets, words, levels"},
	{"key twice", "name: x\nlimits: {}\nname: y\n", `3:1: key "name" occurs twice, first in line 1`},
	{"key twice in a map", "lists: {one: {name: a}, one: {name: b}}\n", `1:25: lists: key "one" occurs twice, first in line 1`},
	{"no value", "limits:\nname: x\n", "1:1: limits: must be a mapping of keys, is nothing; to switch this off, leave the key out"},
	{"text for a mapping", "limits: x\n", "1:9: limits: must be a mapping of keys, is text; to switch this off, leave the key out"},
	{"a boolean for a mapping", "limits: false\n", "1:9: limits: must be a mapping of keys, is a boolean; to switch this off, leave the key out"},
	{"mapping for a list", "peers:\n  name: x\n", "2:3: peers: must be a list, is a mapping"},
	{"text in a list of mappings", "peers:\n  - a\n", "2:5: peers[0]: must be a mapping of keys, is text"},
	{"missing key", "peers:\n  - secret: a\n  - {}\n", "2:5: peers[0]: name is missing\n3:5: peers[1]: name is missing"},
	{"integer for text", "name: 1\n", "1:7: name: must be text, is an integer"},
	{"text of lines", "name: \"a\\nb\"\n", "1:7: name: must be one line of text"},
	{"text too long", "name: ééééé\n", "1:7: name: has 10 octets, must have 1 to 8"},
	{"text too short", "name: ''\n", "1:7: name: has 0 octets, must have 1 to 8"},
	{"another word", "level: loud\n", `1:8: level: "loud" is not low, medium or high`},
	{"a number for a word", "level: 7\n", "1:8: level: must be low, medium or high, is an integer"},
	{"text for a boolean", "on: yes\n", "1:5: on: must be true or false, is text"},
	{"text for an integer", "count: \"1\"\n", "1:8: count: must be an integer, is text"},
	{"hexadecimal", "count: 0x1\n", `1:8: count: "0x1" is not a decimal integer`},
	{"integer too small", "count: -6\n", "1:8: count: -6 is not between -5 and 100"},
	{"integer of many digits", "count: 9999999999999999999\n", "1:8: count: 9999999999999999999 is not between -5 and 100"},
	{"small integer", "port: 65536\n", "1:7: port: 65536 is not between 1 and 65535"},
	{"no unit", "wait: 5\n", "1:7: wait: must be a duration such as 5s, is an integer"},
	{"no duration", "wait: 5 s\n", `1:7: wait: "5 s" is not a duration such as 5s or 1h30m`},
	{"duration too long", "wait: 2h\n", "1:7: wait: 2h is not between 10ms and 1h"},
	{"size without unit", "room: 1000\n", "1:7: room: must be a size such as 256MiB, is an integer"},
	{"size of another unit", "room: 1MB\n", `1:7: room: "1MB" is not a size such as 256MiB (KiB, MiB, GiB or TiB)`},
	{"size too large", "room: 2TiB\n", "1:7: room: 2TiB is not between 1KiB and 1TiB"},
	{"limit without unit", "limit: 1\n", "1:8: limit: must be a size such as 16MiB, or 0, is an integer"},
	{"limit of another unit", "limit: 1MB\n", `1:8: limit: "1MB" is not a size such as 256MiB (KiB, MiB, GiB or TiB)`},
	{"empty file name", "folder: ''\n", "1:9: folder: is empty"},
	{"file name of lines", "folder: \"a\\nb\"\n", "1:9: folder: is not the name of a file"},
	{"address", "address: eth0\n", `1:10: address: "eth0" is not an IP address`},
	{"address as IPv6", "address: '::ffff:192.0.2.1'\n", `1:10: address: "::ffff:192.0.2.1" is an IPv4 address: write it as 192.0.2.1`},
	{"address of all", "address: '::'\n", `1:10: address: "::" is not the address of a host`},
	{"prefix", "from: [localhost]\n", `1:8: from[0]: "localhost" is neither an IP address nor a prefix such as 192.0.2.0/24`},
	{"prefix with further bits", "from: [192.0.2.1/24]\n", `1:8: from[0]: "192.0.2.1/24" has bits beyond its length; the prefix is 192.0.2.0/24`},
	{"address without port", "listen: [127.0.0.1]\n", `1:10: listen[0]: "127.0.0.1" is not an IP address and port such as 127.0.0.1:1813 or [::1]:1813`},
	{"port alone", "listen: [':1']\n", `1:10: listen[0]: ":1" has no address; for all addresses write 0.0.0.0:1 and [::]:1`},
	{"list too short", "listen: []\n", "1:9: listen: has 0 entries, at least 1 are needed"},
	{"list too long", "listen: ['[::]:1', '[::]:1', '[::]:1', '[::]:1']\n", "1:9: listen: has 4 entries, at most 3 are allowed"},
	{"color", "color: blue\n", `1:8: color: "blue" is not red or green`},
	{"color as a number", "color: 1\n", "1:8: color: must be red or green, is an integer"},
	{"color without enum", "any: blue\n", "1:6: any: is no color"},
	{"scalar of the user", "upper: abc\n", `1:8: upper: "abc" has small letters`},
	{"scalar of the user as a list", "upper: [A]\n", "1:8: upper: must be large letters, is a list"},
	{"in an optional mapping", "limits: {requests: 10}\n", "1:20: limits.requests: 10 is not between 0 and 9"},
	{"an optional value", "peers: [{name: a, timeout: 10s}]\n", "1:28: peers[0].timeout: 10s is not between 1s and 9s"},
	{"another word in a list", "words: [a, c]\n", `1:12: words[1]: "c" is not a or b`},
	{"another word alone", "words: c\n", `1:8: words: "c" is not a or b`},
	{"a mapping for a word alone", "words: {}\n", "1:8: words: must be a or b, is a mapping"},
	{"too many words", "words: [a, b, a]\n", "1:8: words: has 3 entries, at most 2 are allowed"},
	{"unknown key of a map of maps", "levels: {a: {}}\n", `1:10: levels: key "a" is not a digit`},
	{"unknown key of a map in a map", "levels: {7: {three: {name: a}}}\n", `1:14: levels.7: key "three" is not one or two`},
	{"in a map", "lists: {one: {}}\n", "1:14: lists.one: name is missing"},
	{"several, in the order of the file", "wait: 5\nname: 1\nlevel: [\n]\n", "1:7: wait: must be a duration such as 5s, is an integer\n2:7: name: must be text, is an integer\n3:8: level: must be low, medium or high, is a list"},
}

func TestRejectedValues(t *testing.T) {
	for _, tt := range rejectedValues {
		t.Run(tt.name, func(t *testing.T) { tt.check(t) })
	}
}

func TestErrorIsTyped(t *testing.T) {
	_, err := decode("name: x\nlimits: {requests: ten}\n", ".")
	var fault *strictyaml.Error
	if !errors.As(err, &fault) {
		t.Fatalf("no *Error in %v", err)
	}
	want := strictyaml.Error{File: "f.yaml", Line: 2, Column: 20, Path: "limits.requests", Text: "must be an integer, is text"}
	if *fault != want {
		t.Errorf("fault is %+v, want %+v", *fault, want)
	}
}

// TestDocument tests the methods for checks of several keys, and the places of their faults.
func TestDocument(t *testing.T) {
	var f file
	doc, err := engine.Decode("f.yaml", []byte("limits:\n  requests: 10\npeers:\n  - name: a\n  - name: a\n  - name: ''\n  - name: ''\n"), "/etc", &f)
	if err != nil {
		t.Fatal(err)
	}
	if !doc.Given("limits") || doc.Given("limits.failures") || doc.Given("name") || !doc.Given("peers[1].name") {
		t.Error("what is given is not known")
	}
	if !doc.Faulty("limits.requests") || doc.Faulty("limits") {
		t.Error("what is faulty is not known")
	}
	if doc.Line("peers[1].name") != 5 || doc.Line("name") != 0 {
		t.Error("lines are not known")
	}
	if got := doc.Resolve("a/../b"); got != "/etc/b" {
		t.Errorf("file name %s", got)
	}
	doc.Fault("limits.failures", "is %d", f.Limits.Failures)
	doc.Fault("room", "is small")
	names := doc.Unique()
	for i, p := range f.Peers {
		names.Check([]string{"peers[0].name", "peers[1].name", "peers[2].name", "peers[3].name"}[i], p.Name, "the name of")
	}
	const want = `f.yaml:1:1: room: is small
f.yaml:2:3: limits.failures: is 8
f.yaml:2:13: limits.requests: 10 is not between 0 and 9
f.yaml:5:11: peers[1].name: a is already the name of line 4`
	if got := doc.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestMistakesOfTags: invalid tags are detected at their first use.
func TestMistakesOfTags(t *testing.T) {
	for name, v := range map[string]any{
		"a default that is out of range": &struct {
			A int `yaml:"a" default:"3" min:"0" max:"2"`
		}{},
		"a range that is no number": &struct {
			A int `yaml:"a" default:"3" min:"zero" max:"2"`
		}{},
		"a type without decoder": &struct {
			A float64 `yaml:"a"`
		}{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			_, _ = engine.Decode("f.yaml", []byte("a: 1\n"), ".", v)
		}()
	}
}
