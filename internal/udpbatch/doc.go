// Package udpbatch reads and writes many datagrams with one system call (recvmmsg(2), sendmmsg(2)). A
// busy server spends most of its CPU time in the kernel, and a call for each datagram is a large part
// of that.
//
// A Reader or Writer belongs to one goroutine. Both may use the same socket.
package udpbatch
