package radiusnet

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2866"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

var addr = netip.MustParseAddrPort("192.0.2.1:1813")

const secret = "xyzzy5461"

// request1 returns a request that another implementation has encoded.
func request1(t testing.TB, session string, edit func(*layeh.Packet)) []byte {
	t.Helper()
	p := layeh.New(layeh.CodeAccountingRequest, []byte(secret))
	p.Identifier = 7
	must(t, rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_Stop))
	must(t, rfc2866.AcctSessionID_SetString(p, session))
	must(t, rfc2866.AcctDelayTime_Set(p, 3))
	if edit != nil {
		edit(p)
	}
	b, err := p.Encode()
	must(t, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// collector is a socket that stores its datagrams.
type collector struct {
	client.Socket
	t    *testing.T
	got  [][]byte
	from []netip.AddrPort
	when []time.Duration
}

func newClient(t *testing.T, n *Network) *collector {
	t.Helper()
	s, err := n.Listen("udp4", netip.AddrPort{})
	must(t, err)
	c := &collector{Socket: s, t: t}
	began := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := make([]byte, 100)
		for {
			k, from, err := s.ReadFromUDPAddrPort(b)
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				return
			}
			c.got = append(c.got, append([]byte(nil), b[:k]...))
			c.from = append(c.from, from)
			c.when = append(c.when, time.Since(began))
		}
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return c
}

func (c *collector) send(b []byte) {
	c.t.Helper()
	if n, err := c.WriteToUDPAddrPort(b, addr); n != len(b) || err != nil {
		c.t.Fatalf("wrote %d: %v", n, err)
	}
}

func TestAnswers(t *testing.T) {
	other := netip.MustParseAddrPort("192.0.2.9:1")
	right := func(b, answer []byte) bool { return layeh.IsAuthenticResponse(answer, b, []byte(secret)) }
	for _, tc := range []struct {
		name     string
		reaction Reaction
		count    int
		from     netip.AddrPort
		after    time.Duration
		right    func(request, answer []byte) bool
	}{
		{"right", Reaction{}, 1, addr, 0, func(b, a []byte) bool { return right(b, a) && a[0] == 5 && a[1] == 7 && len(a) == 20 }},
		{"silent", Reaction{Answer: Silent}, 0, addr, 0, nil},
		{"late", Reaction{After: time.Hour}, 1, addr, time.Hour, right},
		{"copies", Reaction{Copies: 2}, 3, addr, 0, right},
		{"from elsewhere", Reaction{From: other}, 1, other, 0, right},
		{"another secret", Reaction{Answer: WrongSecret}, 1, addr, 0, func(b, a []byte) bool { return !right(b, a) && a[0] == 5 && a[1] == 7 && len(a) == 20 }},
		{"another identifier", Reaction{Answer: WrongIdentifier}, 1, addr, 0, func(b, a []byte) bool { return right(b, a) && a[1] == 135 }},
		{"another code", Reaction{Answer: WrongCode}, 1, addr, 0, func(b, a []byte) bool { return right(b, a) && a[0] == 2 }},
		{"cut off", Reaction{Answer: CutOff}, 1, addr, 0, func(_, a []byte) bool { return len(a) == 19 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(1)
				b := request1(t, "00000001", nil)
				n.Add(Server{Addr: addr, Secret: secret, Handle: func(raw []byte, a Arrival) Reaction {
					if !bytes.Equal(raw, b) || a.SessionID != "00000001" {
						t.Errorf("handles %x: %+v", raw, a)
					}
					return tc.reaction
				}})
				c := newClient(t, n)
				c.send(b)
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if len(c.got) != tc.count {
					t.Fatalf("%d answers, want %d", len(c.got), tc.count)
				}
				for i, a := range c.got {
					if c.from[i] != tc.from || c.when[i] != tc.after || !tc.right(b, a) {
						t.Errorf("%x from %v after %v", a, c.from[i], c.when[i])
					}
				}
			})
		})
	}
}

func TestArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		h := n.Add(Server{Name: "a", Addr: addr, Secret: secret, Link: Link{Delay: time.Second}})
		n.Add(Server{Addr: netip.MustParseAddrPort("192.0.2.2:1813"), Secret: secret})
		c := newClient(t, n)
		began := time.Now()
		b := request1(t, "0000000A", nil)
		c.send(b)
		time.Sleep(5 * time.Second)
		c.send(b)
		_, err := c.WriteToUDPAddrPort(b, netip.MustParseAddrPort("192.0.2.2:1813"))
		must(t, err)
		_, err = c.WriteToUDPAddrPort(b, netip.MustParseAddrPort("192.0.2.3:1813")) // there is no such server
		must(t, err)
		time.Sleep(5 * time.Second)
		first := Arrival{
			At: began.Add(time.Second), Server: "a", From: netip.MustParseAddrPort("198.51.100.1:49152"), Identifier: 7,
			Authenticator: [16]byte(b[4:20]), Code: radius.CodeAccountingRequest, SessionID: "0000000A", StatusType: 2, DelayTime: 3,
		}
		second, third := first, first
		second.At, second.Number = began.Add(6*time.Second), 1
		third.At, third.Server = began.Add(5*time.Second), "192.0.2.2:1813"
		same := cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })
		if diff := cmp.Diff([]Arrival{first, third, second}, n.Arrivals(), same); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]Arrival{first, second}, h.Arrivals(), same); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWatch(t *testing.T) {
	n := New(1)
	var seen []string
	n.Watch(func(a Arrival) { seen = append(seen, a.SessionID) })
	n.Add(Server{Addr: addr, Secret: secret})
	s, err := n.Listen("udp4", netip.AddrPort{})
	must(t, err)
	_, err = s.WriteToUDPAddrPort(request1(t, "x", nil), addr)
	must(t, err)
	if len(seen) != 1 || seen[0] != "x" || len(n.Arrivals()) != 0 {
		t.Errorf("seen %v, kept %v", seen, n.Arrivals())
	}
}

func TestFaults(t *testing.T) {
	n := New(1)
	n.Add(Server{Addr: addr, Secret: secret, Handle: func([]byte, Arrival) Reaction {
		t.Error("handled")
		return Reaction{}
	}})
	s, err := n.Listen("udp4", netip.AddrPort{})
	must(t, err)
	good := request1(t, "x", nil)
	// signed computes the right authenticator, whatever else is wrong.
	signed := func(b []byte) []byte {
		clear(b[4:20])
		sum := md5.Sum(append(append([]byte(nil), b...), secret...))
		copy(b[4:], sum[:])
		return b
	}
	longer := append(append([]byte(nil), good...), 44, 9)
	binary.BigEndian.PutUint16(longer[2:], uint16(len(longer)))
	edited := func(at int, o byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = o
		return b
	}
	for _, tc := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "shorter than 20 octets"},
		{"cut off", good[:19], "shorter than 20 octets"},
		{"padded", append(append([]byte(nil), good...), 0), errPadding.Error()},
		{"an Access-Request", edited(0, 1), errCode.Error()},
		{"another authenticator", edited(4, good[4]+1), errAuthenticator.Error()},
		{"an attribute too long", signed(longer), "truncated"},
		{"an attribute too short", signed(edited(21, 1)), "truncated"},
		{"no Acct-Session-Id", request1(t, "x", func(p *layeh.Packet) { p.Del(44) }), errAttributes.Error()},
		{"no Acct-Delay-Time", request1(t, "x", func(p *layeh.Packet) { p.Del(41) }), errAttributes.Error()},
		{"two of Acct-Delay-Time", request1(t, "x", func(p *layeh.Packet) { must(t, rfc2866.AcctDelayTime_Add(p, 4)) }), errAttributes.Error()},
	} {
		before := len(n.Faults())
		_, err := s.WriteToUDPAddrPort(tc.b, addr)
		must(t, err)
		if f := n.Faults(); len(f) != before+1 || !strings.Contains(f[before].Error(), tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, f[before:], tc.want)
		}
	}
	if len(n.Arrivals()) != 0 {
		t.Error("arrived:", n.Arrivals())
	}
	for range maxFaults {
		_, _ = s.WriteToUDPAddrPort(nil, addr)
	}
	if len(n.Faults()) != maxFaults {
		t.Errorf("%d faults are kept", len(n.Faults()))
	}
}

func TestListen(t *testing.T) {
	n := New(1)
	n.Add(Server{Addr: addr, Secret: secret})
	for _, tc := range []struct {
		network, laddr string
		want           string // of the address, or of the error
	}{
		{"udp4", "", "198.51.100.1:49152"},
		{"udp4", "", "198.51.100.1:49153"},
		{"udp6", "", "[2001:db8::1]:49154"},
		{"udp4", "203.0.113.5:0", "203.0.113.5:49155"},
		{"udp4", "203.0.113.5:7", "203.0.113.5:7"},
		{"udp4", "203.0.113.5:7", "is taken"},
		{"udp4", "192.0.2.1:1813", "is taken"},
		{"udp4", "[2001:db8::1]:0", "unknown network udp4"},
		{"udp6", "192.0.2.1:0", "unknown network udp6"},
	} {
		var laddr netip.AddrPort
		if tc.laddr != "" {
			laddr = netip.MustParseAddrPort(tc.laddr)
		}
		s, err := n.Listen(tc.network, laddr)
		switch {
		case err != nil && !strings.Contains(err.Error(), tc.want):
			t.Errorf("%s %s: %v", tc.network, tc.laddr, err)
		case err == nil && s.(*socket).local.String() != tc.want:
			t.Errorf("%s %s: %v, want %s", tc.network, tc.laddr, s.(*socket).local, tc.want)
		}
	}
	if open, ever := n.Sockets(); open != 5 || ever != 5 {
		t.Errorf("%d sockets of %d", open, ever)
	}
}

func TestPortsWrap(t *testing.T) {
	n := New(1)
	seen := map[netip.AddrPort]bool{}
	for range 70_000 {
		s, err := n.Listen("udp4", netip.AddrPort{})
		must(t, err)
		local := s.(*socket).local
		if local.Port() < 1024 {
			t.Fatal(local)
		}
		seen[local] = true
		must(t, s.Close())
	}
	if len(seen) != 1<<16-1024 {
		t.Errorf("%d ports", len(seen))
	}
}

func TestSocketLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		n.Add(Server{Addr: addr, Secret: secret})
		s, err := n.Listen("udp4", netip.AddrPort{})
		must(t, err)
		read := make(chan error)
		go func() {
			_, _, err := s.ReadFromUDPAddrPort(make([]byte, 10))
			read <- err
		}()
		synctest.Wait() // durably blocked
		select {
		case err := <-read:
			t.Fatal("read without a datagram:", err)
		default:
		}
		must(t, s.Close())
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("reader: %v", err)
		}
		if _, err := s.WriteToUDPAddrPort(request1(t, "x", nil), addr); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writer: %v", err)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
		if open, ever := n.Sockets(); open != 0 || ever != 1 {
			t.Errorf("%d sockets of %d", open, ever)
		}
	})
}

func TestOverflow(t *testing.T) {
	n := New(1)
	n.Add(Server{Addr: addr, Secret: secret, Handle: func(_ []byte, a Arrival) Reaction { return Reaction{Copies: QueueLen + 4} }})
	s, err := n.Listen("udp4", netip.AddrPort{})
	must(t, err)
	b := request1(t, "x", nil)
	for _, want := range []int{5, 5 + QueueLen + 5 - 100} { // the second time after some were read
		_, err = s.WriteToUDPAddrPort(b, addr)
		must(t, err)
		if got := n.Overflows(); got != want {
			t.Errorf("%d were lost, want %d", got, want)
		}
		for range 100 {
			if k, from, err := s.ReadFromUDPAddrPort(make([]byte, 5)); k != 5 || from != addr || err != nil {
				t.Fatal(k, from, err)
			}
		}
	}
}

func TestSetLinkAndConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		h := n.Add(Server{Name: "a", Addr: addr, Secret: secret})
		c := newClient(t, n)
		h.SetLink(Link{Dead: []Interval{{}}})
		c.send(request1(t, "1", nil))
		h.SetLink(Link{Delay: time.Second})
		c.send(request1(t, "2", nil)) // the request arrives, the answer does not
		time.Sleep(1500 * time.Millisecond)
		h.SetLink(Link{Dead: []Interval{{}}})
		time.Sleep(time.Minute)
		synctest.Wait()
		if a := n.Arrivals(); len(a) != 1 || a[0].SessionID != "2" || len(c.got) != 0 {
			t.Errorf("%d answers to %+v", len(c.got), a)
		}
		schedule := retry.Schedule{Timeout: time.Second}
		want := client.Member{Identity: client.Identity{Name: "a", Host: addr.Addr().String(), Port: addr.Port(), Secret: secret}, Schedule: schedule}
		if got := h.Member(schedule); got != want {
			t.Errorf("%+v", got)
		}
	})
}

func TestAddTwice(t *testing.T) {
	n := New(1)
	n.Add(Server{Addr: addr})
	defer func() {
		if s := fmt.Sprint(recover()); !strings.Contains(s, "is taken") {
			t.Errorf("panic %s", s)
		}
	}()
	n.Add(Server{Addr: addr})
}

// sorted returns the session ids of requests, sorted.
func sorted(arrivals []Arrival) (all []string) {
	for _, a := range arrivals {
		all = append(all, a.SessionID)
	}
	slices.Sort(all)
	return all
}
