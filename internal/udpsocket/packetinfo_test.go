package udpsocket

import (
	"net/netip"
	"testing"
)

// TestPacketInfo: the control message appended for an answer equals the one that the kernel reports
// for a request.
func TestPacketInfo(t *testing.T) {
	tests := []struct {
		name  string
		local Local
		want  Local
	}{
		{"IPv4", Local{Addr: netip.MustParseAddr("192.0.2.1")}, Local{Addr: netip.MustParseAddr("192.0.2.1")}},
		{"IPv6", Local{netip.MustParseAddr("2001:db8::1"), 3}, Local{Addr: netip.MustParseAddr("2001:db8::1")}},
		{"link-local", Local{netip.MustParseAddr("fe80::1"), 3}, Local{netip.MustParseAddr("fe80::1"), 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			control := AppendPacketInfo(nil, tt.local)
			if got := ParsePacketInfo(control); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if got := ParsePacketInfo(control[:10]); got.Addr.IsValid() {
				t.Errorf("%v of a message that was cut off", got)
			}
		})
	}
}
