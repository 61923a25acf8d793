package mib_test

import (
	"net"
	"testing"

	"aaasess/mib"
)

func TestZoneIndex(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for zone, want := range map[string]uint32{"7": 7, "lo": uint32(lo.Index), "no such interface": 0, "4294967295": 4294967295, "4294967296": 0} {
		if got := mib.ZoneIndex(zone); got != want {
			t.Errorf("%s is %d, want %d", zone, got, want)
		}
	}
}
