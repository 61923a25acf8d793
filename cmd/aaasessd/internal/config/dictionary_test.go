package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
)

// clientWith returns a file with a client, whose disconnect.attributes are this YAML, and with
// dictionaries.
func clientWith(dictionaries, attributes string) string {
	return "radius:\n  dictionaries: " + dictionaries + "\n  clients:\n" +
		"    - {name: a, address: 192.0.2.1, secret: s, disconnect: {attributes: " + attributes + "}}\n"
}

func TestDictionaries(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"shop":   "VENDOR Shop 99999\nBEGIN-VENDOR Shop\nATTRIBUTE Shop-Till 1 integer\nVALUE Shop-Till Front 1\nEND-VENDOR Shop\nATTRIBUTE Shop-Ext 241.9 string\n",
		"second": "BEGIN-VENDOR Shop\nATTRIBUTE Shop-Name 2 string\nEND-VENDOR Shop\n",
		"wrong":  "# comment\nATRIBUTE Shop-Till 1 integer\n",
		"taken":  "ATTRIBUTE NAS-Port 250 integer\n",
		"all":    "$INCLUDE shop\n$INCLUDE wrong\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ name, text, want string }{
		{"none", clientWith("[]", "[Cisco-AVPair]"), ""},
		{"names of files", clientWith("[shop, second]", "[Shop-Till = Front, Shop-Name]"), ""},
		{"a name of no file", clientWith("[shop]", "[Shop-Till, Shop-Name]"), `aaasess.yaml:4:85: radius.clients[0].disconnect.attributes[1]: "Shop-Name": unknown attribute name`},
		{"a value of no file", clientWith("[shop]", "[Shop-Till = Back]"), `aaasess.yaml:4:74: radius.clients[0].disconnect.attributes[0]: "Shop-Till = Back": "Back" is neither a number nor the name of a value`},
		{"a value with a comma", clientWith("[]", `['Cisco-AVPair = "a, b"', Cisco-AVPair = c]`), ""},
		{"no such file", clientWith("[none]", "[]"), "aaasess.yaml:2:18: radius.dictionaries[0]: stat DIR/none: no such file or directory"},
		{"a folder", clientWith("[.]", "[]"), "aaasess.yaml:2:18: radius.dictionaries[0]: read DIR: is not a regular file"},
		{"a file with a fault", clientWith("[shop, wrong]", "[Nobody]"), "aaasess.yaml:2:24: radius.dictionaries[1]: DIR/wrong:2: unknown line"},
		{"an included file with a fault", clientWith("[all]", "[]"), "aaasess.yaml:2:18: radius.dictionaries[0]: DIR/wrong:2: unknown line"},
		{"a name that is taken", clientWith("[taken]", "[]"), "aaasess.yaml:2:18: radius.dictionaries[0]: DIR/taken:1: NAS-Port is already the name of Attr-5"},
		{"no list", "radius: {dictionaries: shop}\n", "aaasess.yaml:1:24: radius.dictionaries: must be a list, is text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Parse("aaasess.yaml", []byte(tt.text), dir)
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), dir, "DIR")
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}

	c, err := config.Parse("aaasess.yaml", []byte(clientWith("[shop, second]", "[]")), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := radius.Skipped{File: filepath.Join(dir, "shop"), Lines: 1, First: 6, Text: "ATTRIBUTE Shop-Ext 241.9 string"}
	if skipped := c.Dictionary.Skipped(); len(skipped) != 1 || skipped[0] != want {
		t.Errorf("left out: %v, want %v", skipped, want)
	}
}
