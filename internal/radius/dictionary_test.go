package radius

import "testing"

// nameOf returns the name that an attribute is printed with.
func (d *Dictionary) nameOf(id ID) string {
	def := d.attributes[id.Type]
	if id.Vendor != 0 {
		def = d.vendors[id.Vendor][id.VendorType]
	}
	return def.Name
}

func TestStandardNames(t *testing.T) {
	d := Standard()
	for typ, want := range map[Type]string{
		1: "User-Name", 81: "Tunnel-Private-Group-Id", 82: "Tunnel-Assignment-Id", 89: "Chargeable-User-Identity",
		90: "Tunnel-Client-Auth-Id", 91: "Tunnel-Server-Auth-Id", 94: "Originating-Line-Info", 126: "Operator-Name", 250: "Attr-250", 0: "Attr-0",
	} {
		if got := d.Name(typ); got != want {
			t.Errorf("%d: got %q, want %q", typ, got, want)
		}
	}
	seen := map[string]int{}
	for i := range 256 {
		name := d.Name(Type(i))
		if j, ok := seen[name]; ok {
			t.Errorf("%d and %d are both %s", i, j, name)
		}
		seen[name] = i
	}
	if got := d.ValueName(ServiceType, 1); got != "Login-User" {
		t.Errorf("Service-Type 1 is %q", got)
	}
	if got := d.ValueName(250, 1) + d.ValueName(ServiceType, 1000); got != "" {
		t.Errorf("names of nothing: %q", got)
	}
}

// TestStandardVendors: the most common vendors.
func TestStandardVendors(t *testing.T) {
	for name, want := range map[string]ID{
		"Cisco-AVPair":             {26, 9, 1},
		"MS-CHAP-Domain":           {26, 311, 10},
		"Mikrotik-Rate-Limit":      {26, 14988, 8},
		"Juniper-User-Permissions": {26, 2636, 10},
		"ERX-Service-Session":      {26, 4874, 83},
		"Alc-Subsc-ID-Str":         {26, 6527, 11},
		"Nokia-AVPair":             {26, 94, 1},
		"Huawei-Domain-Name":       {26, 2011, 138},
		"WISPr-Location-Name":      {26, 14122, 2},
		"Ruckus-SSID":              {26, 25053, 3},
		"Aruba-User-Role":          {26, 14823, 1},
		"3GPP-IMSI":                {26, 10415, 1},
		"ADSL-Agent-Remote-Id":     {26, 3561, 2},
	} {
		if def, _, err := Standard().Lookup(name); err != nil || def.ID != want {
			t.Errorf("%s: %v, error %v, want %v", name, def, err, want)
		}
	}
}

// TestInAccounting: an example of each occurrence, and types without a definition.
func TestInAccounting(t *testing.T) {
	for typ, want := range map[Type]Occurrence{
		1: ZeroOrOne, 2: Never, 11: ZeroOrMore, 26: ZeroOrMore, 40: ZeroOrOne, 64: OnePerTag, 69: Never, 77: ZeroOrMore,
		80: Never, 81: OnePerTag, 178: Never, 190: ZeroOrOne, 241: ZeroOrMore, 250: ZeroOrMore,
	} {
		if got := Standard().InAccounting(typ); got != want {
			t.Errorf("%s: %d, want %d", Standard().Name(typ), got, want)
		}
	}
}

func TestIDString(t *testing.T) {
	for want, id := range map[string]ID{"Attr-250": {Type: 250}, "Attr-26.9.250": {26, 9, 250}} {
		if got := id.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
