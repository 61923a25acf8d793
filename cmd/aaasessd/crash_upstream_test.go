package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/sessions"
)

// crashServer is an accounting server with failures: it loses requests and answers, delays answers,
// and is silent for a time.
type crashServer struct {
	conn    *net.UDPConn
	group   string
	history *crashHistory
	late    sync.WaitGroup // delayed answers

	mu     sync.Mutex // guards the fields below
	rng    *rand.Rand
	silent bool // for a short time
	out    bool // until setOut(false)
	dead   bool // with its whole group
	asked  int  // number of requests received, handled or not
	well   bool // recover was called: no more failures
}

func newCrashServer(t *testing.T, h *crashHistory, group string, rng *rand.Rand) *crashServer {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	return &crashServer{conn: conn, group: group, history: h, rng: rng}
}

func (s *crashServer) addrPort() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// recover ends the failures: the server answers everything, unless setOut says otherwise.
func (s *crashServer) recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.well = true
}

// setOut makes the server silent, or ends that.
func (s *crashServer) setOut(out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = out
}

// setDead makes a server silent together with its whole group, or ends that.
func (s *crashServer) setDead(dead bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = dead
}

// isAsked reports whether any request has arrived.
func (s *crashServer) isAsked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked > 0
}

// runSilences makes the server silent for short times.
func (s *crashServer) runSilences(ctx context.Context) {
	for silent := false; ; silent = !silent {
		s.mu.Lock()
		s.silent = silent
		lasts := time.Duration(200+s.rng.IntN(1800)) * time.Millisecond
		if silent {
			lasts = time.Duration(100+s.rng.IntN(1400)) * time.Millisecond
		}
		s.mu.Unlock()
		if !pause(ctx, lasts) {
			return
		}
	}
}

// serve runs until the socket is closed.
func (s *crashServer) serve() {
	b := make([]byte, layeh.MaxPacketLength)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			s.late.Wait()
			return
		}
		p, parseErr := layeh.Parse(b[:max(0, n)], []byte("upstream"))
		if err := errors.Join(err, parseErr); err != nil || !layeh.IsAuthenticRequest(b[:n], p.Secret) {
			s.history.add(crashtest.Observation{Kind: crashtest.Failed, Text: "it sent a packet that is not authentic"})
			continue
		}
		s.handle(p, from)
	}
}

// handle decides whether a request is lost, answered or answered late.
func (s *crashServer) handle(p *layeh.Packet, from netip.AddrPort) {
	s.mu.Lock()
	fate, wait, silent := s.rng.IntN(100), time.Duration(1+s.rng.IntN(180))*time.Millisecond, s.silent || s.dead
	s.asked++
	if s.well {
		fate, silent = 99, false
	}
	silent = silent || s.out
	s.mu.Unlock()
	if silent || fate < 8 {
		s.history.count("requests lost")
		return
	}
	s.history.add(s.arrival(p))
	answer, err := p.Response(layeh.CodeAccountingResponse).Encode()
	if err != nil {
		panic(err)
	}
	send := func() { _, _ = s.conn.WriteToUDPAddrPort(answer, from) }
	switch {
	case fate < 16:
		s.history.count("answers lost")
	case fate < 28:
		s.history.count("answers late")
		s.late.Go(func() {
			<-time.After(wait)
			send()
		})
	case fate < 31:
		send()
		send()
	default:
		send()
	}
}

// arrival returns the observation for a request. A request that no NAS sends is either a stop that
// the daemon generated, or a record of an unknown session.
func (s *crashServer) arrival(p *layeh.Packet) crashtest.Observation {
	k := crashKey{
		name: rfc2865.UserName_GetString(p), kind: sessions.EventType(rfc2866.AcctStatusType_Get(p)),
		octets: uint32(rfc2866.AcctInputOctets_Get(p)),
	}
	if stamp, err := rfc2869.EventTimestamp_Lookup(p); err == nil {
		k.stamp = stamp.Unix()
	}
	o := crashtest.Observation{Kind: crashtest.Arrived, Text: arrivalAt(s.group)}
	s.history.count("arrivals at " + s.group)
	if id := rfc2866.AcctSessionID_GetString(p); len(id) == 8 {
		if number, err := strconv.ParseUint(id, 16, 32); err == nil {
			o.Number = uint32(number)
		}
	}
	if k.kind == sessions.Stop && rfc2866.AcctTerminateCause_Get(p) != rfc2866.AcctTerminateCause_Value_UserRequest {
		o.Kind, o.Record, o.Octets = crashtest.Generated, crashtest.Record{Session: k.name, Type: k.kind}, uint64(k.octets)
		s.history.count("stops that the daemon made")
		return o
	}
	o.Record = s.history.recordOf(k)
	return o
}
