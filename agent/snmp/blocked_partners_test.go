//go:build partners

package snmp

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"aaasess/mib"
)

// TestBlockedLink: on a congested link answers are lost, but nobody waits. The test runs itself
// again in its own network namespace.
func TestBlockedLink(t *testing.T) {
	const inside = "AAASESS_BLOCKED_LINK"
	if os.Getenv(inside) == "" {
		argv := []string{"--net", os.Args[0], "-test.run", "^TestBlockedLink$"}
		if os.Geteuid() != 0 {
			argv = append([]string{"--map-root-user"}, argv...)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "unshare", argv...)
		cmd.Env = append(os.Environ(), inside+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	for _, argv := range [][]string{
		{"ip", "link", "set", "lo", "up"},
		{"ip", "link", "add", "slow", "type", "veth", "peer", "name", "other"},
		{"ip", "address", "add", "192.0.2.1/24", "dev", "slow"},
		{"ip", "link", "set", "other", "up"},
		{"ip", "link", "set", "slow", "up"},
		{"ip", "neighbour", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:02", "dev", "slow"},
		{"tc", "qdisc", "add", "dev", "slow", "root", "tbf", "rate", "8kbit", "burst", "1540", "limit", "1000000000"},
	} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", argv, err, out)
		}
	}
	f := newFixture(t, func(c *Config) { c.Listen = append(c.Listen, parseAddr(t, "192.0.2.1:0")) })
	e := f.acquire()
	to := (*unix.RawSockaddrInet4)(unsafe.Pointer(&e.peer.raw))
	to.Family, to.Addr, to.Port = unix.AF_INET, [4]byte{192, 0, 2, 2}, 9<<8
	e.peer.length = unix.SizeofSockaddrInet4
	e.frame.Reset()
	e.frame.AppendVarbind(&mib.Varbind{Name: testText, Value: mib.Value{Type: mib.OctetString, Str: string(make([]byte, 60_000))}})
	const count = 500
	refused := 0
	for range count {
		if err := f.endpoints[0].send(e); errors.Is(err, unix.EAGAIN) {
			refused++
		} else if err != nil {
			t.Errorf("send: %v", err)
		}
	}
	if refused == 0 || refused == count {
		t.Errorf("%d of %d answers are refused", refused, count)
	}
}
