package client_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// peers are servers in memory by address: each handles one connection, octet by octet, and need not
// keep to RFC 8907. Its connection is closed when it returns.
type peers map[string]func(socket net.Conn)

// Dial is a [tacclient.Dial].
func (p peers) Dial(_ context.Context, address string, _ netip.Addr) (net.Conn, error) {
	peer := p[address]
	if peer == nil {
		return nil, errors.New("connection refused")
	}
	client, server := net.Pipe()
	go func() {
		defer func() { _ = server.Close() }()
		peer(server)
	}()
	return client, nil
}

// readRequest reads a packet. It returns nil at the end of the connection.
func readRequest(socket net.Conn) []byte {
	packet := make([]byte, tacacs.HeaderLen)
	if _, err := io.ReadFull(socket, packet); err != nil {
		return nil
	}
	packet = append(packet, make([]byte, binary.BigEndian.Uint32(packet[8:]))...)
	if _, err := io.ReadFull(socket, packet[tacacs.HeaderLen:]); err != nil {
		return nil
	}
	return packet
}

// answerTo returns the answer to a packet, with the flag of single connection mode if keep is true.
func answerTo(packet []byte, status tacacs.Status, keep bool) []byte {
	h := tacacs.Header{Version: tacacs.Version, Type: tacacs.TypeAccounting, Seq: 2, Session: binary.BigEndian.Uint32(packet[4:]), Length: 5}
	if keep {
		h.Flags = tacacs.FlagSingleConnect
	}
	b := append(tacacs.AppendHeader(nil, h), 0, 0, 0, 0, byte(status))
	tacacs.Obfuscate(b[tacacs.HeaderLen:], h, testKey)
	return b
}

// accepts answers SUCCESS to everything.
func accepts(socket net.Conn) {
	for p := readRequest(socket); p != nil; p = readRequest(socket) {
		_, _ = socket.Write(answerTo(p, tacacs.StatusSuccess, true))
	}
}

// withPeers runs a test with peers and a fake clock.
func withPeers(t *testing.T, p peers, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, began: time.Now(), log: &lines{}}
		t.Cleanup(func() { time.Sleep(time.Hour) }) // the peers end
		r.client = tacclient.New(tacclient.Config{Dial: p.Dial, Logger: slog.New(slog.NewTextHandler(r.log, nil))})
		test(r)
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
}

// TestClosedLate: a server that closes each connection without an answer has failed, however long
// it takes for that: the request goes to the next server.
func TestClosedLate(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
	}{{"at once", 0}, {"before a second", 900 * time.Millisecond}, {"after a second", 1500 * time.Millisecond}, {"before the timeout", 4900 * time.Millisecond}} {
		for _, isSingle := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				p := peers{"192.0.2.2:49": accepts, "192.0.2.1:49": func(socket net.Conn) {
					readRequest(socket)
					time.Sleep(c.after)
				}}
				withPeers(t, p, func(r *rig) {
					m := to("192.0.2.1")
					m.Schedule.Timeout, m.SingleConnection = 5*time.Second, isSingle
					g := r.group(tacclient.GroupConfig{}, m, to("192.0.2.2"))
					s := r.send(g, 1)
					r.sleep(6)
					s.check("accepted by of 192.0.2.2")
				})
			})
		}
	}
}

// TestGivenUpBeforeSent: a connection whose only request is given up before it was sent is still
// used for the next one.
func TestGivenUpBeforeSent(t *testing.T) {
	for _, isSingle := range []bool{false, true} {
		p := peers{"192.0.2.1:49": accepts}
		withPeers(t, p, func(r *rig) {
			var calls atomic.Int32 // from when the connection is open: by the goroutine that opened it, then by its writer
			r.client = tacclient.New(tacclient.Config{
				Dial: func(ctx context.Context, address string, local netip.Addr) (net.Conn, error) {
					calls.Store(1)
					return p.Dial(ctx, address, local)
				},
				Now: func() time.Time {
					if calls.Add(1) == 3 {
						time.Sleep(time.Second)
					}
					return time.Now()
				},
			})
			m := single("192.0.2.1")
			m.Schedule.Timeout, m.SingleConnection = 5*time.Second, isSingle
			g := r.group(tacclient.GroupConfig{}, m)
			first := r.send(g, 1)
			r.sleep(0.5)
			g.Abandon()
			r.sleep(2)
			first.check("tacacs: group was closed")
			second := r.send(g, 2)
			r.sleep(10)
			second.check("accepted by of 192.0.2.1")
		})
	}
}

// TestFlapLogged: a server that becomes dead and comes back all the time is logged at most once a
// minute.
func TestFlapLogged(t *testing.T) {
	n := 0 // answers
	p := peers{"192.0.2.1:49": func(socket net.Conn) {
		for p := readRequest(socket); p != nil; p = readRequest(socket) {
			status := tacacs.StatusError
			if n++; n%4 == 0 {
				status = tacacs.StatusSuccess
			}
			_, _ = socket.Write(answerTo(p, status, true))
		}
	}}
	withPeers(t, p, func(r *rig) {
		g := r.group(tacclient.GroupConfig{}, single("192.0.2.1"))
		r.sendAll(g, 400)
		r.sleep(10)
		for _, text := range []string{"does not answer", "answers again", "answered ERROR"} {
			if n := strings.Count(r.log.String(), text); n > 1 {
				t.Errorf("%q was logged %d times", text, n)
			}
		}
	})
}

// TestStalledWrite: requests on a connection that the server does not read any more go elsewhere,
// though the server answers on others.
func TestStalledWrite(t *testing.T) {
	opened := 0
	p := peers{"192.0.2.1:49": func(socket net.Conn) {
		opened++
		if opened > 1 {
			accepts(socket)
			return
		}
		p := readRequest(socket)
		_, _ = socket.Write(answerTo(p, tacacs.StatusSuccess, true))
		p = readRequest(socket) // of a batch that is not written whole yet
		_, _ = socket.Write(answerTo(p, tacacs.StatusSuccess, true))
		time.Sleep(time.Hour / 2)
	}}
	withPeers(t, p, func(r *rig) {
		m := single("192.0.2.1")
		m.Connections = 2
		g := r.group(tacclient.GroupConfig{}, m)
		r.send(g, 1000)
		r.sleep(0.1)
		all := r.sendAll(g, 300)
		for i := range 100 { // the other connection answers all the time
			r.sleep(1 + float64(i)/2)
			r.send(g, 2000+i)
		}
		left := 0
		for _, s := range all {
			select {
			case <-s.ends:
			default:
				left++
			}
		}
		if left > 0 {
			t.Errorf("%d of %d requests have no end; %+v", left, len(all), g.Stats().Servers[0])
		}
	})
}
