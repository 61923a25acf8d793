package agentxtest

import (
	"context"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/agent/agentx"
	"aaasess/mib"
)

// Dial returns a function for agentx.Config.Dial. Each call creates a net.Pipe and passes its other
// end to fn, in a new goroutine, with a session id that counts from 1. fn wraps it with
// [NewMaster], exchanges raw octets, or closes it.
func Dial(fn func(conn net.Conn, sessionID uint32)) func(context.Context, string, string) (net.Conn, error) {
	var sessions atomic.Uint32
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go fn(ours, sessions.Add(1))
		return theirs, nil
	}
}

// Listen runs a master on a loopback socket ("tcp") or a socket in a temporary folder ("unix")
// until the test ends. Each connection is passed to fn as in [Dial]. It returns the address for
// agentx.Config.
func Listen(t testing.TB, network string, fn func(conn net.Conn, sessionID uint32)) (address string) {
	t.Helper()
	address = "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "agentx")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for id := uint32(1); ; id++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go fn(conn, id)
		}
	}()
	return ln.Addr().String()
}

// Serve runs a subagent for the tree until the test ends. It returns the master once all subtrees
// are registered.
func Serve(t testing.TB, tree *mib.Tree) *Master {
	t.Helper()
	masters := make(chan *Master, 1)
	sub := agentx.New(agentx.Config{Dial: Dial(func(conn net.Conn, id uint32) {
		m := NewMaster(conn, id, nil)
		select {
		case masters <- m:
		default: // a second connection: the test has the first one and sees that it is closed
		}
	})}, tree)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = sub.Run(ctx) // returns only when ctx ends
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	timer := time.NewTimer(answerTimeout)
	defer timer.Stop()
	select {
	case <-sub.Ready():
	case <-timer.C:
		t.Fatal("agentxtest: the subagent did not register in time")
	}
	return <-masters
}
