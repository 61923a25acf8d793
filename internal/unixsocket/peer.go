package unixsocket

import (
	"context"
	"net"

	"golang.org/x/sys/unix"
)

// Peer is who is at the other end of a connection: the credentials that the process had when it
// connected.
type Peer struct {
	UID, GID uint32
	PID      int32
}

// PeerOf returns the client of a connection; false if it is not known.
func PeerOf(conn net.Conn) (p Peer, ok bool) {
	c, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return p, false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return p, false
	}
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			p, ok = Peer{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid}, true
		}
	})
	return p, ok
}

// contextKey is the key of a connection in the context of its requests.
type contextKey struct{}

// WithConn stores a connection in the context of its requests: it is the ConnContext of an
// [net/http.Server].
func WithConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, contextKey{}, conn)
}

// ConnOf returns the connection of a request, or nil.
func ConnOf(ctx context.Context) net.Conn {
	conn, _ := ctx.Value(contextKey{}).(net.Conn)
	return conn
}
