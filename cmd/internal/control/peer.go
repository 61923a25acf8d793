package control

import (
	"context"
	"net"

	"aaasess/cmd/internal/api"
	"aaasess/internal/unixsocket"
)

// ErrInUse is returned when another daemon listens on the socket.
var ErrInUse = unixsocket.ErrInUse

// peerKey is the key of a connection's peer in the context of its requests.
type peerKey struct{}

// withPeer stores a connection and the user id of its client in the context.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(unixsocket.WithConn(ctx, conn), peerKey{}, uidOf(conn))
}

// connectionClosed logs that there are too many connections.
func (s *Server) connectionClosed(uid int, idle bool, suppressed int) {
	if idle {
		s.cfg.Logger.Warn("control socket has too many connections: those that are idle longest are closed",
			"limit", api.MaxConnections, "uid", uid, "suppressed", suppressed)
		return
	}
	s.cfg.Logger.Warn("control socket has too many requests: a new connection is closed",
		"limit", api.MaxConnections, "uid", uid, "suppressed", suppressed)
}

// uidOf returns the user id of the client of a connection, for the log. It is -1 if unknown.
func uidOf(conn net.Conn) int {
	if p, ok := unixsocket.PeerOf(conn); ok {
		return int(p.UID)
	}
	return -1
}
