package client_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// benchLogin is an Access-Request like that of a NAS in the middle of EAP.
type benchLogin struct {
	attrs []byte
	done  func(err error)
}

func (l *benchLogin) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	auth := radius.Authenticator{identifier}
	b = append(radius.AppendSignedHeader(b, radius.CodeAccessRequest, identifier), l.attrs...)
	radius.SealRequest(b, auth, secret)
	return b, auth
}

func (l *benchLogin) Answers(code radius.Code) bool { return code == radius.CodeAccessAccept }

func (l *benchLogin) Session() string { return "" }

func (l *benchLogin) User() string { return "" }

func (l *benchLogin) Done(_ client.Answer, err error) { l.done(err) }

// accept answers each request on a socket with an Access-Accept.
func accept(conn *net.UDPConn, secret radius.Secret) {
	b := make([]byte, radius.MaxPacket)
	var out []byte
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		p, err := radius.Parse(b[:n])
		if err != nil {
			continue
		}
		out = radius.AppendSignedHeader(out[:0], radius.CodeAccessAccept, p.Identifier())
		radius.SealResponse(out, p.Authenticator(), secret)
		_, _ = conn.WriteToUDPAddrPort(out, from)
	}
}

// BenchmarkAuthentication sends Access-Requests through a group to a responder in this process, which
// shares the CPUs. The window is kept full.
func BenchmarkAuthentication(b *testing.B) {
	for _, window := range []int{64, 1024} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetReadBuffer(4 << 20)
			go accept(conn, "s")
			m := client.Member{Identity: client.Identity{Host: "127.0.0.1", AuthPort: conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), Secret: "s"}}
			g, err := client.New(client.Config{}).NewGroup(client.GroupConfig{Purpose: client.Authentication, MaxInFlight: window, Members: []client.Member{m}})
			if err != nil {
				b.Fatal(err)
			}
			go func() { _ = g.Run(b.Context()) }()
			defer g.Close()
			<-g.Ready()
			room := make(chan struct{}, window)
			var wg sync.WaitGroup
			l := &benchLogin{attrs: radius.AppendAttribute(nil, radius.EAPMessage, strings.Repeat("e", 250)), done: func(err error) {
				if err != nil {
					b.Error(err)
				}
				<-room
				wg.Done()
			}}
			b.ReportAllocs()
			for b.Loop() {
				room <- struct{}{}
				wg.Add(1)
				g.Send(l, retry.Progress{})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
