package vacm

import (
	"fmt"
	"net/netip"
	"testing"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

func BenchmarkContains(b *testing.B) {
	cell := mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.2.4711") // casnUserId
	one := []Family{{Subtree: mib.MustOID("1.3.6.1.4.1.9.9.150")}}
	four := []Family{
		{Subtree: mib.MustOID("1.3.6.1.2.1")},
		{Subtree: mib.MustOID("1.3.6.1.4.1.9.9.150")},
		{Subtree: mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.5"), Excluded: true},
		{Subtree: mib.MustOID("1.3.6.1.6.3")},
	}
	for _, families := range [][]Family{one, four} {
		b.Run(fmt.Sprintf("families=%d", len(families)), func(b *testing.B) {
			v := mustView(b, "v", families...)
			for b.Loop() {
				if !v.Contains(cell) {
					b.Fatal("outside")
				}
			}
		})
	}
}

func BenchmarkCommunity(b *testing.B) {
	p := policy(b, nil, nil, nil, Community{Name: "public", SecurityName: "reader", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	from := netip.MustParseAddr("192.0.2.7")
	for _, name := range []string{"public", "secret"} {
		b.Run(name, func(b *testing.B) {
			octets := []byte(name)
			for b.Loop() {
				p.Community(wire.ModelV2c, octets, from)
			}
		})
	}
}

func BenchmarkAccess(b *testing.B) {
	p := policy(b, nil, []AccessEntry{{Group: "g", Model: wire.ModelUSM, Level: wire.AuthPriv}}, []Member{{wire.ModelUSM, "operator", "g"}})
	name := []byte("operator")
	for b.Loop() {
		p.Access(wire.ModelUSM, string(name), wire.AuthPriv)
	}
}
