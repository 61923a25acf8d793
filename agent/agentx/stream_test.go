package agentx

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// pairs returns the two ends of each kind of connection that a stream supports.
func pairs(t *testing.T) map[string][2]net.Conn {
	t.Helper()
	all := map[string][2]net.Conn{}
	a, b := net.Pipe()
	all["pipe"] = [2]net.Conn{a, b}
	for network, address := range map[string]string{"unix": filepath.Join(t.TempDir(), "s"), "tcp": "127.0.0.1:0"} {
		ln, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		a, err := net.Dial(network, ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		b, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		all[network] = [2]net.Conn{a, b}
	}
	t.Cleanup(func() {
		for _, p := range all {
			p[0].Close()
			p[1].Close()
		}
	})
	return all
}

func TestStream(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB: more than most sockets buffer
	for name, p := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			s, peer := newStream(p[0]), p[1]
			if raw := s.raw != nil; raw != (name != "pipe") {
				t.Errorf("reads the file descriptor: %t", raw)
			}
			echo := make(chan []byte, 1)
			go func() {
				b := make([]byte, len(big))
				_, _ = io.ReadFull(peer, b) // reads little, and then different octets
				echo <- b
				_, _ = peer.Write([]byte("hello"))
			}()
			if err := s.write(big, 10*time.Second); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(<-echo, big) {
				t.Error("the peer got something else")
			}
			got := make([]byte, 0, 5)
			for len(got) < 5 {
				n, err := s.read(got[len(got):5])
				if err != nil {
					t.Fatal(err)
				}
				got = got[:len(got)+n]
			}
			if string(got) != "hello" {
				t.Errorf("read %q", got)
			}
			// A deadline in the past wakes the reader; it has no later effect.
			if err := s.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read after the deadline: %v", err)
			}
			if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			if err := writeUntilError(s, big); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write to a peer that does not read: %v", err)
			}
			if err := s.conn.SetWriteDeadline(time.Time{}); err != nil { // a failed write leaves its deadline
				t.Fatal(err)
			}
			peer.Close()
			if n, err := s.read(make([]byte, 1)); err == nil {
				t.Errorf("read of %d octets from a peer that is gone", n)
			}
			if err := writeUntilError(s, big); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write to a peer that is gone: %v", err)
			}
			s.conn.Close()
			if _, err := s.read(make([]byte, 1)); err == nil {
				t.Error("read from a closed connection succeeds")
			}
			if err := s.write([]byte("x"), time.Second); err == nil {
				t.Error("write to a closed connection succeeds")
			}
		})
	}
}

// writeUntilError writes more than any socket buffers.
func writeUntilError(s *stream, b []byte) (err error) {
	for range 32 {
		if err = s.write(b, 10*time.Millisecond); err != nil {
			break
		}
	}
	return err
}

// deadlined records the last write deadline.
type deadlined struct {
	net.Conn
	last time.Time
}

func (d *deadlined) SetWriteDeadline(t time.Time) error {
	d.last = t
	return d.Conn.SetWriteDeadline(t)
}

// TestStreamForgetsDeadline: the deadline of a write that had to wait must not affect a later one.
func TestStreamForgetsDeadline(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	go func() { _, _ = io.Copy(io.Discard, b) }()
	conn := &deadlined{Conn: a, last: time.Unix(1, 0)}
	defer conn.Close()
	if err := newStream(conn).write([]byte("x"), time.Second); err != nil || !conn.last.IsZero() {
		t.Errorf("error %v, the deadline stays at %v", err, conn.last)
	}
}

// TestStreamDoesNotAllocate measures reads that find data and writes that find room.
func TestStreamDoesNotAllocate(t *testing.T) {
	for name, p := range pairs(t) {
		if name == "pipe" {
			continue
		}
		s, peer := newStream(p[0]), newStream(p[1])
		b := make([]byte, 64)
		allocs := testing.AllocsPerRun(100, func() {
			if err := peer.write(b, time.Second); err != nil {
				t.Fatal(err)
			}
			if _, err := s.read(b); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}
