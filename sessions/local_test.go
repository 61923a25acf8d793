package sessions

import (
	"net/netip"
	"testing"
)

func TestLocalAddr(t *testing.T) {
	addr := LocalAddr("uid/1000")
	if owner, ok := LocalOwner(addr); !ok || owner != "uid/1000" || addr.String() != "::%uid/1000" || !IsLocal(addr) {
		t.Errorf("%v: %q %t", addr, owner, ok)
	}
	for _, other := range []netip.Addr{{}, netip.IPv6Unspecified(), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("127.0.0.1")} {
		if IsLocal(other) {
			t.Errorf("%v is local", other)
		}
	}
}

// TestLocalAddrIsKept: the owner of a session survives the codec, and a report of root.
func TestLocalAddrIsKept(t *testing.T) {
	nas := NAS{Addr: LocalAddr("gid/100"), Identifier: "h"}
	d := newDecoder(appendNAS(nil, &nas))
	if got := d.nas(); got != nas {
		t.Errorf("%+v, want %+v", got, nas)
	}
	if got := nas.updatedFrom(&NAS{Addr: LocalAddr("uid/0"), Identifier: "h"}); got != nas {
		t.Errorf("after a report of root: %+v", got)
	}
}
