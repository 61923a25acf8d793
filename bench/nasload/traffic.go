package nasload

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// How the NASes of the measurements retransmit: at most Tries times, one Timeout after the other.
const (
	Tries   = 4
	Timeout = 3 * time.Second
)

// Reply is the outcome of a request of a NAS.
type Reply struct {
	Due   time.Time     // when it should be sent
	Took  time.Duration // from Due to the answer
	Tries int
	Err   error // not nil if it was never answered
}

// Call is a request that is ready to be sent. It has a port of its own.
type Call struct {
	conn          *net.UDPConn
	request, want []byte
}

// Prepare makes a request with these attributes from the NAS to a port of 127.0.0.1, and the
// correct answer.
func (m NAS) Prepare(port uint16, attrs []byte) (Call, error) {
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(m.Addr, 0)), net.UDPAddrFromAddrPort(netip.AddrPortFrom(Loopback(), port)))
	if err != nil {
		return Call{}, err
	}
	request := AppendRequest(nil, 1, attrs)
	return Call{conn, request, AppendResponse(nil, request, nil)}, nil
}

// ask prepares and sends a request.
func (m NAS) ask(port uint16, attrs []byte, due time.Time) Reply {
	c, err := m.Prepare(port, attrs)
	if err != nil {
		return Reply{Due: due, Err: err}
	}
	return c.Send(due)
}

// Send sends the request and retransmits it until the correct answer arrives. It can be called only
// once.
func (c Call) Send(due time.Time) Reply {
	defer c.conn.Close()
	r := Reply{Due: due}
	answer := make([]byte, 4096)
	for r.Tries = 1; r.Tries <= Tries; r.Tries++ {
		if _, r.Err = c.conn.Write(c.request); r.Err != nil {
			return r
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(Timeout))
		n, err := c.conn.Read(answer)
		switch r.Took, r.Err = time.Since(due), err; {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err == nil && !bytes.Equal(answer[:n], c.want):
			r.Err = errors.New("wrong answer")
			return r
		default:
			return r
		}
	}
	r.Tries = Tries
	return r
}

// Traffic is the requests that a NAS sends at fixed times, whether or not answers arrive.
type Traffic struct {
	NAS
	Rate    float64            // requests a second
	Request func(i int) []byte // attributes of request i

	First int // the number of the next request
}

// Send sends count requests, or fewer if ctx is done earlier. It returns when all are answered or
// given up.
func (t *Traffic) Send(ctx context.Context, port uint16, count int) []Reply {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var replies []Reply
	began := time.Now()
	defer func() { t.First += len(replies) }()
	for i := 0; i < count; i++ {
		due := began.Add(time.Duration(float64(i) / t.Rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			count = 0
			continue
		case <-time.After(time.Until(due)):
		}
		wg.Go(func() {
			r := t.ask(port, t.Request(t.First+i), due)
			mu.Lock()
			replies = append(replies, r)
			mu.Unlock()
		})
	}
	wg.Wait()
	return replies
}
