// Package web is the HTTP listener of the daemon: a place where the daemon puts its metrics, its health
// and, if the configuration wants it, the profiles of net/http/pprof. It knows none of them.
//
// # Who may ask
//
// TLS and basic authentication are those of the web configuration of Prometheus' exporter-toolkit, a
// file that is read again for each connection and request, so that a new certificate or password needs no
// reload. Without the file there is neither.
//
// A page of the Internet that a browser of this network shows may send requests to any address, if its
// own name resolves to that (DNS rebinding). Such a request has the page's name in its Host header. So a
// request is answered only if its Host is the address that it was sent to, localhost, or a name of the
// configuration; the port does not matter.
//
// # Limits
//
// There are at most 64 connections. A new one beyond that closes the one that has been idle longest; if
// all have requests, it is closed itself. A client has 5 s for its TLS handshake and for the header of a
// request, which has at most 16 KiB, and 10 s to read the answer: the connection of one that stops
// reading is closed then. Few answers of one kind are made at the same time ([Limited]).
//
// # Concurrency
//
// [Server.Handle] comes before Run. All else may be called from any goroutine. Run has one goroutine for
// each address, and net/http one for each connection.
package web
