package radius

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrintVendorSpecific(t *testing.T) {
	const cisco, nobody = "\x00\x00\x00\x09", "\x00\x01\x86\x9f"
	d, err := Standard().With(file(t, "wide", "VENDOR Wide 99999 format=2,1\nBEGIN-VENDOR Wide\nATTRIBUTE Wide-Text 1 string\nEND-VENDOR Wide\n"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		value string
		want  []string
	}{
		{"one", cisco + "\x01\x05a=b", []string{"Cisco-AVPair = a=b"}},
		{"several in one", cisco + "\x01\x05a=b\xbb\x06\x00\x00\x00\x07\x01\x05c=d", []string{"Cisco-AVPair = a=b", "Cisco-Multilink-ID = #7", "Cisco-AVPair = c=d"}},
		{"one with a value of another kind", cisco + "\xbb\x03\x07", []string{"Cisco-Multilink-ID = 0x07"}},
		{"one without value", cisco + "\x01\x02", []string{"Cisco-AVPair = "}},
		{"enumerated", "\x00\x00\x01\x37\x17\x06\x00\x00\x00\x05", []string{"MS-Acct-Auth-Type = EAP"}},
		{"a key", "\x00\x00\x01\x37\x10\x04\x80\x01", []string{"MS-MPPE-Send-Key = 0x8001"}},
		{"with a tag", "\x00\x00\x13\x0a\x41\x06\x02gol", []string{"ERX-Service-Activate:2 = gol"}},
		{"one that has no name", cisco + "\x06\x03x", []string{"Vendor-Specific = 0x00000009060378"}},
		{"one that has no name among others", cisco + "\x01\x03a\x06\x03x\x01\x03b", []string{"Cisco-AVPair = a", "Vendor-Specific = 0x00000009060378", "Cisco-AVPair = b"}},
		{"of an unknown vendor", nobody + "\x01\x03a\x02\x03b", []string{"Vendor-Specific = 0x0001869f010361020362"}},
		{"of a vendor with another format", "\x00\x01\x86\x9f\x00\x01\x03a", []string{"Vendor-Specific = 0x0001869f00010361"}},
		{"nothing", "", []string{"Vendor-Specific = 0x"}},
		{"no more than a vendor", cisco, []string{"Vendor-Specific = 0x00000009"}},
		{"half a vendor", cisco[:3], []string{"Vendor-Specific = 0x000000"}},
		{"length 1", cisco + "\x01\x01", []string{"Vendor-Specific = 0x000000090101"}},
		{"longer than the rest", cisco + "\x01\x04a", []string{"Vendor-Specific = 0x00000009010461"}},
		{"an octet behind the last", cisco + "\x01\x03a\x01", []string{"Vendor-Specific = 0x0000000901036101"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, printed(d, VendorSpecific, tt.value)); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
		})
	}
}

func TestValues(t *testing.T) {
	attrs := Attributes(AppendAttribute(nil, VendorSpecific, "\x00\x00\x00\x09\x01\x03a\x02\x03p\x01\x03b"))
	attrs += Attributes(AppendAttribute(nil, VendorSpecific, "\x00\x00\x01\x37\x01\x03x"))
	attrs += Attributes(AppendAttribute(nil, VendorSpecific, "\x00\x00\x00\x09\x01\x0acut off"))
	attrs += Attributes(AppendAttribute(nil, Class, "c"))
	tests := []struct {
		name string
		want []string
	}{
		{"Cisco-AVPair", []string{"\x00\x00\x00\x09\x01\x03a", "\x00\x00\x00\x09\x01\x03b"}},
		{"Cisco-NAS-Port", []string{"\x00\x00\x00\x09\x02\x03p"}},
		{"MS-CHAP-Error", nil},
		{"Class", []string{"c"}},
		{"User-Name", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			def, _, err := Standard().Lookup(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Collect(def.Values(attrs)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for range def.Values(attrs) {
				break // the caller may stop early
			}
		})
	}
}

// FuzzPrintVendorSpecific: nothing in a Vendor-Specific is lost or invented.
func FuzzPrintVendorSpecific(f *testing.F) {
	f.Add(uint32(9), []byte("\x01\x05a=b\xbb\x06\x00\x00\x00\x07"))
	f.Add(uint32(9), []byte("\x06\x03x\x01\x02"))
	f.Add(uint32(4874), []byte("\x41\x06\x02gol"))
	f.Add(uint32(311), []byte("\x10\x04\x80\x01"))
	f.Add(uint32(99999), []byte("\x01\x03a"))
	f.Add(uint32(9), []byte("\x01\x01"))
	f.Add(uint32(9), []byte("8\x06000\xc8"))
	f.Fuzz(func(t *testing.T, vendor uint32, inner []byte) {
		value := string(append(binary.BigEndian.AppendUint32(nil, vendor), inner[:min(len(inner), 249)]...))
		shown := slices.Collect(Standard().Print(Attributes(AppendAttribute(nil, VendorSpecific, value))))
		number, attrs, ok := splitVendors(value)
		if !ok || Standard().vendors[number] == nil {
			if len(shown) != 1 || shown[0] != (Printed{Name: "Vendor-Specific", Text: hexadecimal(value)}) {
				t.Fatalf("%x: shown as %v", value, shown)
			}
			return
		}
		for u, v := range attrs.All() {
			if len(shown) == 0 {
				t.Fatalf("%x: nothing is shown of %d", value, u)
			}
			p := shown[0]
			shown = shown[1:]
			def, tag, err := Standard().Lookup(p.Name)
			if err != nil {
				t.Fatalf("%x: shown as %v: %v", value, p, err)
			}
			if strings.HasPrefix(p.Text, "0x") && def.Type == VendorSpecific && def.Vendor != 0 || def.Tagged && tag == 0 || v == "" {
				continue // octets in a text, a tag 0 and an empty value are printed, but cannot be parsed
			}
			if _, again, err := Standard().Parse(p.Name, p.Text); err != nil || again != joinVendors(number, byte(u), v) {
				t.Fatalf("%x: shown as %v, which is read as %x, error %v", value, p, again, err)
			}
		}
		if len(shown) > 0 {
			t.Fatalf("%x: %v is made up", value, shown)
		}
	})
}
