package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2866"
)

// upstream is an accounting server that answers unless it is silent.
type upstream struct {
	conn  *net.UDPConn
	asked atomic.Int64 // number of requests received

	mu       sync.Mutex
	silent   bool
	ignored  string                     // "type session" of what is never answered
	taken    []string                   // "type session" of what was answered; see serve
	answered map[string]bool            // source and octets of these requests
	cause    rfc2866.AcctTerminateCause // of the last record
	observer func(what string)          // called with "type session" before each answer; may be nil
}

func listen(t *testing.T, addr string) *upstream {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{conn: conn, answered: map[string]bool{}}
	var serving sync.WaitGroup
	serving.Go(u.serve)
	t.Cleanup(func() {
		_ = conn.Close()
		serving.Wait()
	})
	return u
}

func (u *upstream) addrPort() netip.AddrPort { return u.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (u *upstream) setSilent(silent bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.silent = silent
}

// ignore sets "type session" of what is never answered from now on; "" is nothing.
func (u *upstream) ignore(what string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ignored = what
}

// observe has fn called before each answer from now on.
func (u *upstream) observe(fn func(what string)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.observer = fn
}

// serve answers requests. A request is taken each time that it is sent, but not when it is retransmitted
// (RFC 5080 section 2.2.2): on a busy machine the daemon may wait too short a time for the answer.
func (u *upstream) serve() {
	b := make([]byte, layeh.MaxPacketLength)
	for {
		n, from, err := u.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		p, err := layeh.Parse(b[:n], []byte("upstream"))
		if err != nil || !layeh.IsAuthenticRequest(b[:n], p.Secret) {
			continue
		}
		u.asked.Add(1)
		what := fmt.Sprint(rfc2866.AcctStatusType_Get(p), " ", rfc2866.AcctSessionID_GetString(p))
		u.mu.Lock()
		silent := u.silent || what == u.ignored
		datagram := from.String() + string(b[:n])
		if !silent && !u.answered[datagram] {
			u.answered[datagram] = true
			u.taken = append(u.taken, what)
			u.cause = rfc2866.AcctTerminateCause_Get(p)
			if u.observer != nil {
				u.observer(what)
			}
		}
		u.mu.Unlock()
		if answer, err := p.Response(layeh.CodeAccountingResponse).Encode(); err == nil && !silent {
			_, _ = u.conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// all returns the records received, in order, each time that they were sent.
func (u *upstream) all() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.taken)
}

// kinds returns the records received, each once.
func (u *upstream) kinds() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(u.taken)))
}
