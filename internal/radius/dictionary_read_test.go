package radius

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file creates a file and returns its name.
func file(t testing.TB, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// memory has files by name.
type memory map[string]string

func (m memory) read(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func TestWith(t *testing.T) {
	tests := []struct {
		name    string
		files   memory            // "a" is read
		shown   map[string]string // attributes (type and value), and their names
		skipped []Skipped
	}{
		{name: "empty", files: memory{"a": ""}},
		{
			name: "an attribute and its values", files: memory{"a": "# comment\n\nATTRIBUTE\tShop-Till\t250\tinteger # comment\nVALUE Shop-Till Front 1\nVALUE Shop-Till Back 0x02\n"},
			shown: map[string]string{"\xfa\x00\x00\x00\x01": "Shop-Till = Front", "\xfa\x00\x00\x00\x02": "Shop-Till = Back", "\xfa\x00\x00\x00\x03": "Shop-Till = #3"},
		},
		{
			name: "another name for a standard attribute is printed", files: memory{"a": "ATTRIBUTE Subscriber 1 string\n"},
			shown: map[string]string{"\x01x": "Subscriber = x"},
		},
		{
			name: "another kind of a standard attribute", files: memory{"a": "ATTRIBUTE Class 25 string\n"},
			shown: map[string]string{"\x19x": "Class = x"},
		},
		{
			name: "more values of a standard attribute", files: memory{"a": "VALUE Service-Type Shop-User 99\n"},
			shown: map[string]string{"\x06\x00\x00\x00\x63": "Service-Type = Shop-User", "\x06\x00\x00\x00\x01": "Service-Type = Login-User"},
		},
		{
			name: "a vendor", files: memory{"a": "VENDOR Shop 99999\nBEGIN-VENDOR Shop\nATTRIBUTE Shop-Text 7 string\nEND-VENDOR Shop\n"},
			shown: map[string]string{"\x1a\x00\x01\x86\x9f\x07\x03x": "Shop-Text = x"},
		},
		{
			name: "more of a vendor that is built in", files: memory{"a": "BEGIN-VENDOR Cisco\nATTRIBUTE Cisco-Six 6 string\nEND-VENDOR Cisco\n"},
			shown: map[string]string{"\x1a\x00\x00\x00\x09\x06\x03x": "Cisco-Six = x", "\x1a\x00\x00\x00\x09\x01\x03x": "Cisco-AVPair = x"},
		},
		{
			name:  "a vendor that is built in again, and under another name",
			files: memory{"a": "VENDOR Cisco 9\nVENDOR IOS 9\nBEGIN-VENDOR IOS\nATTRIBUTE Cisco-Six 6 string\nATTRIBUTE Cisco-AVPair 1 string\nEND-VENDOR IOS\n"},
			shown: map[string]string{"\x1a\x00\x00\x00\x09\x06\x03x": "Cisco-Six = x", "\x1a\x00\x00\x00\x09\x01\x03x": "Cisco-AVPair = x"},
		},
		{
			name:  "included files, one that may be missing, and the same lines twice",
			files: memory{"a": "$INCLUDE d/b\n$INCLUDE- c\n$INCLUDE d/b\n", "d/b": "$INCLUDE c\n", "d/c": "ATTRIBUTE Shop-Till 250 integer\n"},
			shown: map[string]string{"\xfa\x00\x00\x00\x07": "Shop-Till = #7"},
		},
		{
			name:    "what only FreeRADIUS knows",
			files:   memory{"a": "ATTRIBUTE Shop-Addr 250 combo-ip\nATTRIBUTE Shop-Ext 249 extended\nATTRIBUTE Shop-Hex 0xf8 string\nATTRIBUTE Shop-OID 247.1 string\nATTRIBUTE Shop-Till 240 integer array\nVALUE Shop-Till Large 0x1ffffffff\nATTRIBUTE Shop-Internal 3000 string virtual\n"},
			shown:   map[string]string{"\xfax": "Attr-250 = 0x78", "\xf8x": "Attr-248 = 0x78", "\xf0\x00\x00\x00\x07": "Shop-Till = #7"},
			skipped: []Skipped{{"a", 6, 1, "ATTRIBUTE Shop-Addr 250 combo-ip"}},
		},
		{
			name:    "blocks that only FreeRADIUS knows",
			files:   memory{"a": "VENDOR Max 88888 format=1,1,c\nBEGIN-VENDOR Max\nATTRIBUTE Max-A 1 string\nBEGIN-TLV Max-A\nATTRIBUTE Max-B 1 string\nEND-TLV Max-A\nEND-VENDOR Max\nBEGIN-TLV X\nBEGIN-TLV Y\nEND-TLV Y\nEND-TLV X\nBEGIN-VENDOR Cisco format=Extended-Vendor-Specific-5\nATTRIBUTE Z 1 string\nEND-VENDOR Cisco\nATTRIBUTE Shop-Till 240 integer\n"},
			shown:   map[string]string{"\xf0\x00\x00\x00\x07": "Shop-Till = #7", "\x1a\x00\x01\x5b\x38\x01\x03x": "Vendor-Specific = 0x00015b38010378"},
			skipped: []Skipped{{"a", 14, 1, "VENDOR Max 88888 format=1,1,c"}},
		},
		{
			name: "numbers and values that mean nothing", files: memory{"a": "VALUE Shop-Tpye X 1\nATTRIBUTE Shop-Large 300 string\n$INCLUDE- none\nVALUE Shop-Large Y 2\n"},
			skipped: []Skipped{{"a", 3, 1, "VALUE Shop-Tpye X 1"}},
		},
		{
			name: "a warning for each file", files: memory{"a": "ATTRIBUTE A 250 evs\n$INCLUDE b\nATTRIBUTE C 250 evs\n", "b": "\nATTRIBUTE B 250 struct\n"},
			skipped: []Skipped{{"a", 2, 1, "ATTRIBUTE A 250 evs"}, {"b", 1, 2, "ATTRIBUTE B 250 struct"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Standard().read(tt.files.read, false, "a")
			if err != nil {
				t.Fatal(err)
			}
			for attr, want := range tt.shown {
				if got := strings.Join(printed(d, Type(attr[0]), attr[1:]), "; "); got != want {
					t.Errorf("%x: %s, want %s", attr, got, want)
				}
			}
			if diff := cmp.Diff(tt.skipped, d.Skipped()); diff != "" {
				t.Errorf("left out: want (-) and got (+):\n%s", diff)
			}
			if d.InAccounting(2) != Never || d.InAccounting(64) != OnePerTag {
				t.Error("how often attributes may come has changed")
			}
			if got := strings.Join(printed(Standard(), 1, "x"), ""); got != "User-Name = x" {
				t.Errorf("the standard dictionary has changed: %s", got)
			}
		})
	}
}

func TestWithErrors(t *testing.T) {
	tests := []struct {
		name  string
		files memory
		want  string
	}{
		{"no file", memory{}, "open a: file does not exist"},
		{"no included file", memory{"a": "\n$INCLUDE b\n"}, "a:2: open b: file does not exist"},
		{"a file that includes itself", memory{"a": "$INCLUDE b\n", "b": "$INCLUDE a\n"}, "a: $INCLUDE loop, or more than 16 nested files"},
		{"an $INCLUDE without file", memory{"a": "$INCLUDE\n"}, "a:1: $INCLUDE needs the name of a file, outside of blocks"},
		{"an $INCLUDE in a block", memory{"a": "BEGIN-VENDOR Cisco\n$INCLUDE b\nEND-VENDOR Cisco\n", "b": ""}, "a:2: $INCLUDE needs the name of a file, outside of blocks"},
		{"a keyword that is none", memory{"a": "# x\nATRIBUTE A 250 string\n"}, "a:2: unknown line"},
		{"in an included file", memory{"a": "ATTRIBUTE A 250 string\n$INCLUDE b\n", "b": "\n\nVALU A B 1\n"}, "b:3: unknown line"},
		{"an attribute without kind", memory{"a": "ATTRIBUTE A 250\n"}, "a:1: unknown line"},
		{"a number that is none", memory{"a": "ATTRIBUTE A two-fifty string\n"}, `a:1: "two-fifty" is not an attribute number`},
		{"a flag that is none", memory{"a": "ATTRIBUTE A 250 string Cisco\n"}, `a:1: unknown attribute flag "Cisco"`},
		{"a name twice", memory{"a": "ATTRIBUTE A 250 string\nATTRIBUTE A 251 string\n"}, `a:2: duplicate attribute "A"`},
		{"a standard name for another number", memory{"a": "ATTRIBUTE B 250 string\nATTRIBUTE User-Name 251 string\n"}, "a:2: User-Name is already the name of Attr-1"},
		{"a vendor's name for another number", memory{"a": "BEGIN-VENDOR Microsoft\nATTRIBUTE Cisco-AVPair 1 string\nEND-VENDOR Microsoft\n"}, "a:2: Cisco-AVPair is already the name of Attr-26.9.1"},
		{"a value that is none", memory{"a": "ATTRIBUTE A 250 integer\nVALUE A B one\n"}, `a:2: "one" is not a number`},
		{"a vendor's number that is none", memory{"a": "VENDOR Shop nine\n"}, `a:1: "nine" is not a vendor number`},
		{"a file that may be missing, and is not whole", memory{"a": "$INCLUDE- b\n", "b": "\n$INCLUDE c\n"}, "b:2: open c: file does not exist"},
		{"a vendor that is not there", memory{"a": "BEGIN-VENDOR Shop\nEND-VENDOR Shop\n"}, `a:1: unknown vendor "Shop"`},
		{"a vendor with two numbers", memory{"a": "VENDOR Cisco 99999\n"}, `a:1: duplicate vendor "Cisco" (99999)`},
		{"a vendor with a format that is none", memory{"a": "VENDOR Shop 99999 format=3,1\n"}, `a:1: invalid vendor format "format=3,1"`},
		{"a block in a block", memory{"a": "BEGIN-VENDOR Cisco\nBEGIN-VENDOR Cisco\nEND-VENDOR Cisco\n"}, "a:2: invalid BEGIN-VENDOR inside vendor block"},
		{"the end of another block", memory{"a": "BEGIN-VENDOR Cisco\nEND-VENDOR Microsoft\n"}, `a:2: invalid END-VENDOR "Microsoft"`},
		{"a block without end", memory{"a": "BEGIN-VENDOR Cisco\nATTRIBUTE A 6 string\n"}, "a:2: a BEGIN- block is not closed"},
		{"a block without end that is left out", memory{"a": "BEGIN-TLV A\n"}, "a:1: a BEGIN- block is not closed"},
		{"a line too long", memory{"a": "\n# " + strings.Repeat("x", 5000) + "\n"}, "a:2: line is longer than 4096 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Standard().read(tt.files.read, false, "a"); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestOccurrenceColumn: our own files define the occurrence of each attribute of the IETF.
func TestOccurrenceColumn(t *testing.T) {
	for text, want := range map[string]string{
		"ATTRIBUTE A 1 string # 0-1\nATTRIBUTE B 2 string has_tag # 0-1/tag\nATTRIBUTE C 3 string # 0\n": "",
		"ATTRIBUTE A 1 string\n":     `a:1: "" is not an occurrence in Accounting-Requests, want 0, 0-1, 0-1/tag or 0+`,
		"ATTRIBUTE A 1 string # 1\n": `a:1: "1" is not an occurrence in Accounting-Requests, want 0, 0-1, 0-1/tag or 0+`,
	} {
		d, err := new(Dictionary).read(memory{"a": text}.read, true, "a")
		if want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
		if want == "" && (err != nil || d.InAccounting(1) != ZeroOrOne || d.InAccounting(2) != OnePerTag || d.InAccounting(3) != Never || d.InAccounting(4) != ZeroOrMore) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestWithFile: errors of the file system.
func TestWithFile(t *testing.T) {
	dir := t.TempDir()
	var path *fs.PathError
	if _, err := Standard().With(dir); !errors.As(err, &path) || !strings.Contains(err.Error(), dir+": is not a regular file") {
		t.Errorf("a folder: error %v", err)
	}
	large := filepath.Join(dir, "large")
	if err := errors.Join(os.WriteFile(large, nil, 0o600), os.Truncate(large, maxDictionary+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Standard().With(large); err == nil || !strings.HasSuffix(err.Error(), "larger than 16 MiB") {
		t.Errorf("a large file: error %v", err)
	}
}

// FuzzWith: reading any file returns, and its definitions are found under their names.
func FuzzWith(f *testing.F) {
	f.Add("ATTRIBUTE Shop-Till 250 integer array # x\nVALUE Shop-Till Front 1\n", "")
	f.Add("$INCLUDE b\nVENDOR Shop 99999 format=1,1\nBEGIN-VENDOR Shop\nATTRIBUTE Shop-Text 0 string has_tag,encrypt=2\nEND-VENDOR Shop\n", "ATTRIBUTE A 250 combo-ip\n")
	f.Add("$INCLUDE b\n", "$INCLUDE a\n")
	f.Add("BEGIN-TLV A\nBEGIN-VENDOR B\nEND-VENDOR B\nEND-TLV A\nVENDOR X 5 format=1,1,c\nBEGIN-VENDOR X\nEND-VENDOR X\n", "")
	f.Add("VENDOR IOS 9\nBEGIN-VENDOR IOS\nATTRIBUTE A 1 octets[5] concat\nEND-VENDOR IOS\n", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		d, err := Standard().read(memory{"a": a, "b": b}.read, false, "a")
		if err != nil {
			return
		}
		for _, def := range d.All() {
			if found, _, err := d.Lookup(def.Name); err != nil || found != def {
				t.Fatalf("%s is not found: %v", def.Name, err)
			}
			if def.Vendor == 0 && d.attributes[def.Type] == nil {
				t.Fatalf("%s has no number", def.Name)
			}
		}
		for i := range 256 {
			for p := range d.Print(Attributes(AppendAttribute(nil, Type(i), "\x00\x00\x00\x09\x01\x03x"))) {
				if p.Name == "" {
					t.Fatalf("%d has no name", i)
				}
			}
		}
	})
}
