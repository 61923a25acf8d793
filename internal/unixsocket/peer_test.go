package unixsocket

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPeer: the kernel tells who has connected, and in which groups.
func TestPeer(t *testing.T) {
	s, err := Listen(Config{Path: filepath.Join(t.TempDir(), "s"), Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	there, err := net.Dial("unix", s.path) // its Addr is in the private folder
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	here, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	p, ok := PeerOf(here)
	if want := (Peer{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), PID: int32(os.Getpid())}); !ok || p != want {
		t.Errorf("%+v %t, want %+v", p, ok, want)
	}
	own, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	groups := GroupsOf(here)
	for _, gid := range append(own, os.Getegid()) {
		if !slices.Contains(groups, uint32(gid)) {
			t.Errorf("%v lacks %d", groups, gid)
		}
	}
	if groups[0] != p.GID {
		t.Errorf("%v: %d is not first", groups, p.GID)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, ok := PeerOf(a); ok || GroupsOf(a) != nil {
		t.Error("a pipe has a peer")
	}
}
