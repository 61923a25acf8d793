package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	layeh "layeh.com/radius"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
)

// loopback is a Relay between real sockets: an AuthListener, and a group with one server.
type loopback struct {
	*Relay
	tb     testing.TB
	server *net.UDPConn
	nas    *net.UDPConn
}

// newLoopback starts a Relay for the time of a test. answer decides what the server answers.
func newLoopback(tb testing.TB, answer answering, admissions Admissions) *loopback {
	tb.Helper()
	l := &loopback{tb: tb, server: listenUDP(tb)}
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(tb.Context())
	running.Go(func() { serve(tb, l.server, answer) })

	id := client.Identity{Name: "server", Host: "127.0.0.1", AuthPort: portOf(l.server), Secret: serverSecret}
	group, err := client.New(client.Config{}).NewGroup(client.GroupConfig{
		Name: "g", Purpose: client.Authentication, Members: []client.Member{{Identity: id, Schedule: schedule}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	running.Go(func() { _ = group.Run(ctx) })
	routes := Routes{Lists: map[string][]string{DefaultList: {"g"}}, Groups: map[string]*client.Group{"g": group}}
	if l.Relay, err = New(Config{Routes: routes, Admissions: admissions}); err != nil {
		tb.Fatal(err)
	}
	running.Go(func() { _ = l.Run(ctx) })
	listener, err := nasradius.NewAuthListener(nasradius.Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Clients:   []nasradius.Client{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: nasSecret}},
	}, l.Relay)
	if err != nil {
		tb.Fatal(err)
	}
	running.Go(func() {
		if err := listener.Run(ctx); err != nil {
			tb.Error(err)
		}
	})
	<-group.Ready()
	<-listener.Ready()
	if l.nas, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(listener.Addr())); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cancel()
		_ = l.server.Close()
		_ = l.nas.Close()
		running.Wait()
	})
	return l
}

func listenUDP(tb testing.TB) *net.UDPConn {
	tb.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20)
	return conn
}

func portOf(conn *net.UDPConn) uint16 { return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// serve answers requests until the socket is closed.
func serve(tb testing.TB, conn *net.UDPConn, answer answering) {
	in, out := make([]byte, radius.MaxPacket), make([]byte, 0, radius.MaxPacket)
	var scratch []byte
	for {
		n, from, err := conn.ReadFromUDPAddrPort(in)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		p, err := radius.Parse(in[:n])
		if err != nil {
			tb.Errorf("the server got %x: %v", in[:n], err)
			continue
		}
		var ok bool
		if ok, scratch = p.Signed(p.Authenticator(), serverSecret, scratch); !ok {
			tb.Errorf("the server got a wrong Message-Authenticator in %x", in[:n])
			continue
		}
		code, attrs, ok := answer(p)
		if !ok {
			continue
		}
		out = append(radius.AppendSignedHeader(out[:0], code, p.Identifier()), attrs...)
		radius.SealResponse(out, p.Authenticator(), serverSecret)
		_, _ = conn.WriteToUDPAddrPort(out, from)
	}
}

// exchange sends a request as the NAS and returns the answer.
func (l *loopback) exchange(identifier byte, attrs ...string) (radius.Packet, radius.Authenticator) {
	l.tb.Helper()
	authenticator := radius.Authenticator([]byte(fmt.Sprintf("%16d", identifier)))
	b := append(radius.AppendSignedHeader(nil, radius.CodeAccessRequest, identifier), strings.Join(attrs, "")...)
	radius.SealRequest(b, authenticator, nasSecret)
	if _, err := l.nas.Write(b); err != nil {
		l.tb.Fatal(err)
	}
	_ = l.nas.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer := make([]byte, radius.MaxPacket)
	n, err := l.nas.Read(answer)
	if err != nil {
		l.tb.Fatal(err)
	}
	p, err := radius.Parse(answer[:n])
	if err != nil {
		l.tb.Fatal(err)
	}
	if ok, _ := p.Authentic(authenticator, nasSecret, nil); !ok || radius.Type(p.Attributes()[0]) != radius.MessageAuthenticator {
		l.tb.Fatalf("answer %x is not authentic, or has no Message-Authenticator in front", answer[:n])
	}
	return p, authenticator
}

// checkPassword is a server that knows one password, and sends keys.
func checkPassword(p radius.Packet) (radius.Code, string, bool) {
	authenticator := p.Authenticator()
	attrs := radius.Attributes(p.Attributes())
	password, err := layeh.UserPassword([]byte(attrs.Text(radius.UserPassword)), []byte(serverSecret), authenticator[:])
	if err != nil || string(password) != "correct horse" {
		return radius.CodeAccessReject, attr(radius.ReplyMessage, "no"), true
	}
	return radius.CodeAccessAccept, attr(radius.Class, "\x00c") + vsa(311, 16, salted("key", 0x8001, serverSecret, authenticator)) +
		attr(radius.ProxyState, "of the server"), true
}

// TestLoopback: logins go through, between real sockets, and the NAS reads what the server has written.
func TestLoopback(t *testing.T) {
	heard := &records{events: &events{}}
	l := newLoopback(t, checkPassword, heard)
	proxies := attr(radius.ProxyState, "one") + attr(radius.ProxyState, strings.Repeat("2", 200))
	for i, password := range []string{"correct horse", "wrong"} {
		authenticator := radius.Authenticator([]byte(fmt.Sprintf("%16d", i)))
		p, _ := l.exchange(byte(i), attr(radius.UserName, "bob"), proxies, userPassword(password, nasSecret, authenticator))
		attrs := radius.Attributes(p.Attributes())
		if i == 1 {
			if p.Code() != radius.CodeAccessReject || attrs.Text(radius.ReplyMessage) != "no" {
				t.Errorf("%v %x", p.Code(), attrs)
			}
			continue
		}
		if p.Code() != radius.CodeAccessAccept || attrs.Text(radius.Class) != "\x00c" {
			t.Fatalf("%v %x", p.Code(), attrs)
		}
		key, _, err := layeh.TunnelPassword([]byte(attrs.Text(radius.VendorSpecific)[6:]), []byte(nasSecret), authenticator[:])
		if err != nil || string(key) != "key" {
			t.Errorf("key %q, %v", key, err)
		}
		if !strings.HasSuffix(string(attrs), proxies) || strings.Contains(string(attrs), "of the server") {
			t.Errorf("Proxy-States in %q", attrs)
		}
	}
	if got := heard.String(); got != "admitted; rejected" {
		t.Errorf("events %s", got)
	}
}

// TestLoopbackBurst: of many logins at once, each gets its own answer.
func TestLoopbackBurst(t *testing.T) {
	l := newLoopback(t, func(p radius.Packet) (radius.Code, string, bool) {
		return radius.CodeAccessAccept, attr(radius.ReplyMessage, radius.Attributes(p.Attributes()).Text(radius.UserName)), true
	}, silence{})
	const logins = 200
	for i := range logins {
		b := append(radius.AppendSignedHeader(nil, radius.CodeAccessRequest, byte(i)), attr(radius.UserName, strings.Repeat(fmt.Sprint(i), 1+i%2))...)
		radius.SealRequest(b, radius.Authenticator{byte(i)}, nasSecret)
		if _, err := l.nas.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	seen, b := map[byte]bool{}, make([]byte, radius.MaxPacket)
	_ = l.nas.SetReadDeadline(time.Now().Add(20 * time.Second))
	for range logins {
		n, err := l.nas.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		p, err := radius.Parse(b[:n])
		if err != nil {
			t.Fatal(err)
		}
		i := p.Identifier()
		ok, _ := p.Authentic(radius.Authenticator{i}, nasSecret, nil)
		name := radius.Attributes(p.Attributes()).Text(radius.ReplyMessage)
		if want := strings.Repeat(fmt.Sprint(i), 1+int(i)%2); !ok || seen[i] || name != want {
			t.Errorf("login %d got the answer of %s; authentic %v, once %v", i, name, ok, !seen[i])
		}
		seen[i] = true
	}
}

// silence are Admissions without any work.
type silence struct{}

func (silence) Ask(*admission.Request) admission.Upstream    { return admission.Upstream{} }
func (silence) Accept(*admission.Request, radius.Attributes) {}
func (silence) Reject(_ *admission.Request, done func())     { done() }
func acceptQuickly(attrs string) answering {
	return func(radius.Packet) (radius.Code, string, bool) { return radius.CodeAccessAccept, attrs, true }
}

// BenchmarkLoopback relays PAP logins between real sockets. NAS and server are in this process: their
// work is in the time, and nearly nothing of them in the allocations.
func BenchmarkLoopback(b *testing.B) {
	l := newLoopback(b, acceptQuickly(attr(radius.Class, "class")+attr(radius.UserName, "bob")), silence{})
	request := radius.AppendSignedHeader(nil, radius.CodeAccessRequest, 0)
	for _, a := range []string{
		attr(radius.UserName, "bob@example.org"), userPassword("correct horse", nasSecret, nasAuthenticator),
		attr(radius.NASIPAddress, "\xc0\x00\x02\x01"), attr(radius.NASPort, "\x00\x00\x00\x01"), attr(radius.CallingStationID, "00-11-22-33-44-55"),
		attr(radius.CalledStationID, "66-77-88-99-AA-BB:ssid"), attr(radius.NASPortType, "\x00\x00\x00\x13"),
	} {
		request = append(request, a...)
	}
	const window = 64
	free := make(chan struct{}, window)
	for range window {
		free <- struct{}{}
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		answer := make([]byte, radius.MaxPacket)
		for range b.N {
			if _, err := l.nas.Read(answer); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					b.Error(err)
				}
				return
			}
			free <- struct{}{}
		}
	}()
	_ = l.nas.SetReadDeadline(time.Now().Add(time.Minute))
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for i := range b.N {
		<-free
		authenticator := nasAuthenticator
		authenticator[0], authenticator[1], authenticator[2] = byte(i), byte(i>>8), byte(i>>16)
		request[1] = byte(i)
		clear(request[22:38])
		radius.SealRequest(request, authenticator, nasSecret)
		if _, err := l.nas.Write(request); err != nil {
			b.Fatal(err)
		}
	}
	<-answered
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is the CPU time of this process, in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkRewrite is the work of this package for a PAP login, both ways.
func BenchmarkRewrite(b *testing.B) {
	p := accessRequest(messageAuthenticator, attr(radius.UserName, "bob@example.org"), userPassword("correct horse", nasSecret, nasAuthenticator),
		attr(radius.NASIPAddress, "\xc0\x00\x02\x01"), attr(radius.CallingStationID, "00-11-22-33-44-55"))
	accept := []byte(attr(radius.Class, "class") + attr(radius.UserName, "bob"))
	buf := make([]byte, 0, radius.MaxPacket)
	b.ReportAllocs()
	for b.Loop() {
		var o outgoing
		if err := o.plan(p, radius.Standard(), ourProxyState); err != nil {
			b.Fatal(err)
		}
		_ = o.add(admission.Upstream{}, nasAuthenticator)
		_, _ = o.append(buf, 1, radius.Protection{Secret: nasSecret, Request: nasAuthenticator}, serverSecret)
		_, _ = appendAnswer(buf, accept)
	}
}
