//go:build partners

package link

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"aaasess/internal/partner"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// host is a network namespace with a user behind the interface ppp0, and a Reader of it.
type host struct {
	*partner.Namespace
	t       *testing.T
	user    *partner.Namespace
	table   *sessions.Table
	journal *sessionstest.Journal
	reader  *Reader
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{t: t, Namespace: partner.NewNamespace(t), journal: sessionstest.NewJournal()}
	t.Cleanup(h.journal.Close)
	h.user = h.Neighbor("ppp0", "user0")
	for _, n := range []*partner.Namespace{h.Namespace, h.user} { // else the kernels send packets on their own
		n.Run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
	}
	h.Run("ip", "address", "add", "192.0.2.1/24", "dev", "ppp0")
	h.user.Run("ip", "address", "add", "192.0.2.2/24", "dev", "user0")
	h.table = sessions.New(sessions.Config{}, h.journal)
	h.reader = New(Config{Host: 1, Dial: h.dial, Logger: slog.New(slog.DiscardHandler)}, h.table)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.reader.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return h
}

// dial is for Config.Dial: the socket is in the namespace.
func (h *host) dial(groups uint32) (*netlink.Conn, error) {
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", h.Pid()))
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	return netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: groups, NetNS: int(ns.Fd()), MessageBufferSize: bufferSize})
}

// start begins a session on an interface, and returns that as it was then.
func (h *host) start(sid, name string) Interface {
	h.t.Helper()
	i, err := h.reader.Lookup(name)
	if err != nil {
		h.t.Fatal(err)
	}
	sessionstest.Await(h.t, func(done func(error)) error {
		return h.table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)), IfIndex: i.Index, Link: i.Link,
		}, done)
	})
	return i
}

// counted returns what ip(8) says of an interface.
func (h *host) counted(name string) sessions.Traffic {
	h.t.Helper()
	type counters struct{ Bytes, Packets uint64 }
	var links []struct{ Stats64 struct{ RX, TX counters } }
	if err := json.Unmarshal([]byte(h.Run("ip", "-statistics", "-json", "link", "show", name)), &links); err != nil || len(links) != 1 {
		h.t.Fatal(err, links)
	}
	s := &links[0].Stats64
	return sessions.Traffic{s.RX.Bytes, s.TX.Bytes, s.RX.Packets, s.TX.Packets}
}

// await waits until a condition holds.
func (h *host) await(what string, holds func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("%s: not within 30 seconds", what)
		}
	}
}

func (h *host) used(id sessions.ID) (u sessions.Usage) {
	if s := h.table.View().Get(id); s != nil {
		u, _ = s.Used()
	}
	return u
}

func (h *host) stops() (stops []sessions.Notice) {
	for _, n := range h.journal.Notices() {
		if n.Type == sessions.Stop {
			stops = append(stops, n)
		}
	}
	return stops
}

// sendPackets sends packets of the user to a port that is closed. The kernel answers some of them.
func (h *host) sendPackets(n int) {
	h.t.Helper()
	h.user.Run("bash", "-c", `for i in $(seq $1); do printf %0500d 0 > /dev/udp/192.0.2.1/9; done`, "bash", strconv.Itoa(n))
}

// TestKernelCounters: the counters are those of the kernel, with the user's direction, from the start of
// the session. A new name changes nothing, nor does it if the interface leaves a bridge.
func TestKernelCounters(t *testing.T) {
	h := newHost(t)
	h.sendPackets(3)
	before := h.start("a", "ppp0").Link.Traffic
	h.sendPackets(4)
	h.await("all packets", func() bool {
		now := h.counted("ppp0")
		h.table.RefreshLinks()
		u := h.used(1)
		return u.InputPackets >= 4 && u == sessions.Usage{
			InputOctets: now[0] - before[0], OutputOctets: now[1] - before[1], InputPackets: now[2] - before[2], OutputPackets: now[3] - before[3],
		}
	})
	h.Run("ip", "link", "set", "ppp0", "down")
	h.Run("ip", "link", "set", "ppp0", "name", "ppp9")
	h.Run("ip", "link", "set", "ppp9", "up")
	h.Run("ip", "link", "add", "bridge0", "type", "bridge")
	h.Run("ip", "link", "set", "ppp9", "master", "bridge0")
	h.Run("ip", "link", "set", "ppp9", "nomaster")
	renamed := h.used(1)
	h.sendPackets(5)
	h.await("packets after the new name", func() bool {
		h.table.RefreshLinks()
		return h.used(1).InputPackets >= renamed.InputPackets+5
	})
	if next := h.table.NextLost(grace); next != 0 {
		t.Error("the session is to be ended")
	}
}

// TestKernelGone: an interface that is deleted, or made again with the same name or the same number, ends
// its session with its last counters.
func TestKernelGone(t *testing.T) {
	h := newHost(t)
	first := h.start("a", "ppp0")
	h.sendPackets(6)
	var last sessions.Traffic
	h.await("all packets", func() bool { // a veth that is deleted forgets what it has received
		last = h.counted("ppp0")
		h.table.RefreshLinks()
		return h.used(1).InputOctets == last[0]-first.Link.Traffic[0] && last[2] >= 6
	})
	deleted := time.Now()
	h.Run("ip", "link", "delete", "ppp0")
	h.Run("ip", "link", "add", "ppp0", "index", fmt.Sprint(first.Index), "type", "veth", "peer", "name", "user1")
	if again := h.start("b", "ppp0"); again.Index != first.Index {
		t.Fatalf("the number is %d, not %d", again.Index, first.Index)
	}
	h.await("the stop", func() bool { return len(h.stops()) == 1 })
	stop := h.stops()[0]
	u := stop.Session.Usage
	if stop.Session.AcctSessionID() != "a" || stop.Cause != sessions.CauseLostCarrier || u.InputPackets < 6 || u.InputOctets < last[0]-first.Link.Traffic[0] || u.InputOctets > last[0]+1000 {
		t.Errorf("%+v with %+v; ip(8) has %d", stop, u, last)
	}
	if stop.At.Before(deleted.Add(-time.Second)) || stop.At.After(deleted.Add(3*time.Second)) {
		t.Errorf("stop at %v, deleted at %v", stop.At, deleted)
	}
	if s := h.table.View().Get(2); s == nil || s.IfIndex() != first.Index {
		t.Errorf("the session on the new interface is %+v", s)
	}
}
