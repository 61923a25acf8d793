// Package unixsocket opens the Unix sockets that the daemon serves, and tells who is at the other end
// of a connection.
//
// A [Socket] has its mode and group from the moment that its path exists: it is made in a private
// folder and then moved to its path. [Listen] replaces a stale socket, on which no process listens, and
// leaves one alone that is in use.
//
// [PeerOf] returns the credentials of a client (SO_PEERCRED, unix(7)): those that its process had when
// it connected. A client cannot choose them.
package unixsocket
