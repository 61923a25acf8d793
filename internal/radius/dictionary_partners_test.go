//go:build partners

package radius

import (
	"strings"
	"testing"
)

// freeradius is FreeRADIUS's dictionary; it includes all others.
const freeradius = "/usr/share/freeradius/dictionary"

// TestFreeRADIUSDictionaryWhole: an operator may configure all of it. Most skipped lines are values
// of attributes that are skipped themselves, and definitions internal to FreeRADIUS.
func TestFreeRADIUSDictionaryWhole(t *testing.T) {
	d, err := Standard().With(freeradius)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, s := range d.Skipped() {
		lines += s.Lines
		t.Log(s)
	}
	if n := len(d.All()); n < 5000 || lines > 4500 {
		t.Errorf("%d attributes, %d lines left out", n, lines)
	}
	for attr, want := range map[string]string{
		"\x06\x00\x00\x00\x01":            "Service-Type = Login-User",
		"\x1a\x00\x00\x00\x09\x01\x05a=b": "Cisco-AVPair = a=b",
		"\x1a\x00\x00\x30\x44\x01\x05noc": "Fortinet-Group-Name = noc", // not in our dictionary
	} {
		if got := printed(d, Type(attr[0]), attr[1:]); len(got) != 1 || got[0] != want {
			t.Errorf("%x: %q, want %s", attr, got, want)
		}
	}
}

// ours are names of values that FreeRADIUS does not have, or does not print.
var ours = map[string]string{
	"Service-Type Voice":                           "IANA has it; a file of a university, which comes later, has another name for 12",
	"Service-Type Additional-Authorization":        "IANA has it, FreeRADIUS 3 does not",
	"Acct-Terminate-Cause Lost-Power":              "IANA has it, FreeRADIUS 3 does not",
	"Error-Cause Residual-Session-Context-Removed": "the words of RFC 5176, as aaasess has always logged them",
	"Error-Cause Request-Not-Routable":             "the words of RFC 5176, as aaasess has always logged them",
	"Error-Cause Other-Proxy-Processing-Error":     "the words of RFC 5176, as aaasess has always logged them",
	"3GPP-PDP-Type IPv4":                           "3GPP TS 29.061 has it, FreeRADIUS 3 does not",
	"3GPP-PDP-Type PPP":                            "3GPP TS 29.061 has it, FreeRADIUS 3 does not",
	"3GPP-PDP-Type IPv6":                           "3GPP TS 29.061 has it, FreeRADIUS 3 does not",
	"3GPP-PDP-Type IPv4v6":                         "3GPP TS 29.061 has it, FreeRADIUS 3 does not",
}

// TestNamesMatchFreeRADIUS: FreeRADIUS has each of our attributes with the same number and kind,
// and each of our value names, which print the same.
func TestNamesMatchFreeRADIUS(t *testing.T) {
	theirs, err := new(Dictionary).read(readFile, false, freeradius)
	if err != nil {
		t.Fatal(err)
	}
	for _, def := range Standard().All() {
		their, _, err := theirs.Lookup(def.Name)
		if err != nil {
			t.Errorf("%s: %v", def.Name, err)
			continue
		}
		if their.ID != def.ID || their.Kind != def.Kind || their.Tagged != def.Tagged || their.Encrypted != def.Encrypted {
			t.Errorf("%s: %+v, theirs %+v", def.Name, *def, *their)
		}
		for name, n := range def.values.numbers {
			if ours[def.Name+" "+name] != "" {
				continue
			}
			if m, ok := their.values.numbers[name]; !ok || m != n {
				t.Errorf("%s %s is %d, theirs %d (%t)", def.Name, name, n, m, ok)
			}
			if print := def.values.names[n]; ours[def.Name+" "+print] == "" && their.values.names[n] != print {
				t.Errorf("%s %d is %s, theirs %s", def.Name, n, print, their.values.names[n])
			}
		}
	}
}

// TestEncryptionsMatchFreeRADIUS: all values that FreeRADIUS knows to be encrypted can be encrypted
// again, also without its dictionary.
func TestEncryptionsMatchFreeRADIUS(t *testing.T) {
	theirs, err := new(Dictionary).read(readFile, false, freeradius)
	if err != nil {
		t.Fatal(err)
	}
	ours, n := Standard(), 0
	for _, def := range theirs.All() {
		// Those of Ascend outside of its Vendor-Specific have numbers for experiments.
		if !def.Encrypted || strings.HasPrefix(def.Name, "X-Ascend-") {
			continue
		}
		got, want := ours.encryptions.standard[def.Type], theirs.encryptions.standard[def.Type]
		if def.Vendor != 0 {
			got, want = Plain, theirs.encryptions.vendors[def.Vendor][def.VendorType]
			if kinds := ours.encryptions.vendors[def.Vendor]; kinds != nil {
				got = kinds[def.VendorType]
			}
		}
		if n++; got != want || want == Plain {
			t.Errorf("%s: kind %d, want %d", def.Name, got, want)
		}
	}
	if n < 20 {
		t.Errorf("FreeRADIUS has only %d encrypted attributes", n)
	}
}
