package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// reply is how a request of a NAS went.
type reply struct {
	due   time.Time     // when it was to be sent
	took  time.Duration // from then to the answer
	tries int
	err   error // it was never answered
}

// call is a request that is ready to be sent, on a port of its own.
type call struct {
	conn          *net.UDPConn
	request, want []byte
}

func (m member) prepare(port uint16, attrs []byte) (call, error) {
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(m.addr, 0)), net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback(), port)))
	if err != nil {
		return call{}, err
	}
	request := appendRequest(nil, 1, attrs)
	return call{conn, request, appendResponse(nil, request, nil)}, nil
}

// ask sends a request from the NAS; see send.
func (m member) ask(port uint16, attrs []byte, due time.Time) reply {
	c, err := m.prepare(port, attrs)
	if err != nil {
		return reply{due: due, err: err}
	}
	return c.send(due)
}

// send sends the request, again after a while as NASes do, until the right answer comes. The call is over then.
func (c call) send(due time.Time) reply {
	defer c.conn.Close()
	r := reply{due: due}
	answer := make([]byte, 4096)
	for r.tries = 1; r.tries <= nasTries; r.tries++ {
		if _, r.err = c.conn.Write(c.request); r.err != nil {
			return r
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(nasTimeout))
		n, err := c.conn.Read(answer)
		switch r.took, r.err = time.Since(due), err; {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err == nil && !bytes.Equal(answer[:n], c.want):
			r.err = errors.New("an answer is wrong")
			return r
		default:
			return r
		}
	}
	r.tries = nasTries
	return r
}

// traffic is what a NAS sends at fixed times, whatever the answers do.
type traffic struct {
	member
	rate float64 // requests a second
	what func(i int) []byte

	first int // the number of the next request
}

// send sends count requests, or as many as go until ctx is done, and returns when all are answered or given up.
func (t *traffic) send(ctx context.Context, port uint16, count int) []reply {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var replies []reply
	began := time.Now()
	defer func() { t.first += len(replies) }()
	for i := 0; i < count; i++ {
		due := began.Add(time.Duration(float64(i) / t.rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			count = 0
			continue
		case <-time.After(time.Until(due)):
		}
		wg.Go(func() {
			r := t.ask(port, t.what(t.first+i), due)
			mu.Lock()
			replies = append(replies, r)
			mu.Unlock()
		})
	}
	wg.Wait()
	return replies
}

// The rows of a table of latencies.
const (
	otherRequests = "requests of the other NAS"
	otherNever    = "never answered"
	otherAgain    = "sent again"
	otherP50      = "answer, p50"
	otherP99      = "answer, p99"
	otherMax      = "answer, longest"
)

// latencies is what a table shows of the replies that were due within a time.
func latencies(replies []reply, from, to time.Time) sample {
	var took []time.Duration
	s := sample{otherRequests: 0, otherNever: 0, otherAgain: 0}
	for _, r := range replies {
		if r.due.Before(from) || r.due.After(to) {
			continue
		}
		s[otherRequests]++
		s[otherAgain] += float64(max(0, r.tries-1))
		if r.err != nil {
			s[otherNever]++
			continue
		}
		took = append(took, r.took)
	}
	if slices.Sort(took); len(took) > 0 {
		s[otherP50], s[otherP99] = milliseconds(took[len(took)/2]), milliseconds(took[len(took)*99/100])
		s[otherMax] = milliseconds(took[len(took)-1])
	}
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
