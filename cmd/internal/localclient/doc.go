// Package localclient sends requests to the local socket of aaasessd (R22): HTTP/1.1 with JSON
// over a unix socket.
//
// It is for hook scripts, which start a process for each event, so a request is one connection, one
// write and one read, without the pools and goroutines of net/http's client. A deadline covers the
// whole request, so a daemon that hangs costs a login no more than the timeout.
package localclient
