package prefixtable

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestFind(t *testing.T) {
	var table Table[string]
	for _, p := range []string{"192.0.2.0/24", "192.0.2.1/32", "0.0.0.0/0", "2001:db8::/32", "2001:db8:7::1/128"} {
		if _, added := table.Add(netip.MustParsePrefix(p), p); !added {
			t.Errorf("%s: not added", p)
		}
	}
	if there, added := table.Add(netip.MustParsePrefix("192.0.2.9/24"), "again"); added || there != "192.0.2.0/24" {
		t.Errorf("again: %q, %t", there, added)
	}
	for _, tt := range []struct{ name, addr, want string }{
		{"longest", "192.0.2.1", "192.0.2.1/32"},
		{"shorter", "192.0.2.2", "192.0.2.0/24"},
		{"shortest", "198.51.100.1", "0.0.0.0/0"},
		{"mapped", "::ffff:192.0.2.1", "192.0.2.1/32"},
		{"IPv6", "2001:db8:7::1", "2001:db8:7::1/128"},
		{"IPv6 shorter", "2001:db8:7::2", "2001:db8::/32"},
		{"zone", "2001:db8:7::1%eth0", "2001:db8:7::1/128"},
		{"no prefix", "fe80::1", ""},
		{"unspecified", "0.0.0.0", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := table.Find(netip.MustParseAddr(tt.addr)); got != tt.want || ok != (tt.want != "") {
				t.Errorf("%q, %t", got, ok)
			}
		})
	}
	if _, added := table.Add(netip.MustParsePrefix("::/0"), "::/0"); !added {
		t.Error("::/0 is there")
	}
	for _, addr := range []string{"::", "::%uid/0"} { // programs of this host have such an address
		if got, ok := table.Find(netip.MustParseAddr(addr)); ok {
			t.Errorf("%s belongs to %s", addr, got)
		}
	}
	if _, ok := table.Find(netip.Addr{}); ok {
		t.Error("the zero address was found")
	}
	if _, ok := (&Table[int]{}).Find(netip.MustParseAddr("192.0.2.1")); ok {
		t.Error("found in an empty table")
	}
}

// Find returns the same as a search through all prefixes.
func TestFindIsLongest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := rapid.Custom(func(t *rapid.T) netip.Addr {
			b := byte(rapid.IntRange(0, 3).Draw(t, "octet"))
			if rapid.Bool().Draw(t, "IPv4") {
				return netip.AddrFrom4([4]byte{10, b, 0, b})
			}
			return netip.AddrFrom16([16]byte{0x20, 1, b, 15: b})
		})
		var table Table[netip.Prefix]
		var all []netip.Prefix
		for range rapid.IntRange(0, 8).Draw(t, "prefixes") {
			a := addr.Draw(t, "address")
			p := netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "bits")).Masked()
			if _, added := table.Add(p, p); added {
				all = append(all, p)
			}
		}
		a, want := addr.Draw(t, "looked up"), netip.Prefix{}
		for _, p := range all {
			if p.Contains(a) && (!want.IsValid() || p.Bits() > want.Bits()) {
				want = p
			}
		}
		if got, ok := table.Find(a); got != want || ok != want.IsValid() {
			t.Fatalf("%v: %v, want %v", a, got, want)
		}
	})
}
