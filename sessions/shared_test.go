package sessions

import (
	"net/netip"
	"testing"
)

// TestSharedNASes: sessions that are read have one value of each NAS, and no memory for it of their own.
func TestSharedNASes(t *testing.T) {
	shared := &sharedNASes{all: map[NAS]*NAS{}}
	nas := func(i int) NAS { return NAS{Addr: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)})} }
	for range 2 {
		for i := range 2 * maxShared {
			if n := shared.of(nas(i)); *n != nas(i) || shared.of(nas(i)) != n {
				t.Fatalf("%v is not %v, or not shared", n, nas(i))
			}
		}
	}
	if len(shared.all) != maxShared {
		t.Errorf("%d are shared", len(shared.all))
	}
	one, other := nas(1), nas(2)
	if shared.of(one) == shared.of(other) {
		t.Error("two values are one")
	}
	if n := testing.AllocsPerRun(100, func() { shared.of(one); shared.of(other) }); n != 0 {
		t.Errorf("%v allocations for known values", n)
	}
	two := appendNAS(appendNAS(nil, &other), &one)
	read := func() {
		d := newDecoder(two)
		if a, b := shared.read(&d), shared.read(&d); *a != other || *b != one || !d.OK() || len(d.Rest()) != 0 {
			t.Errorf("read %v and %v, %d octets are left", a, b, len(d.Rest()))
		}
	}
	read()
	one.Identifier = "bras-1.isp.example"
	two, other = appendNAS(appendNAS(nil, &one), &one), one
	read()
	if n := testing.AllocsPerRun(100, read); n != 0 {
		t.Errorf("%v allocations for the value before", n)
	}
	if n := (*sharedNASes)(nil).of(one); *n != one {
		t.Errorf("%v without sharing, want %v", n, one)
	}
}
