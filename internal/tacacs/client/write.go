package client

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"aaasess/internal/tacacs"
)

// maxBatch is the most packets that are written at once.
const maxBatch = 128

// outgoing is a packet to be written.
type outgoing struct {
	x      *exchange
	header tacacs.Header
	start  bool // Member.WatchdogStart
}

// write sends the connection's exchanges until ctx is done: all that are there at once. A server that
// does not read them for a timeout gets no more on this connection.
func (c *conn) write(ctx context.Context, socket net.Conn, timeout time.Duration) {
	var batch []outgoing
	var b []byte
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		for batch = c.beginSessions(batch[:0]); len(batch) > 0; batch = c.beginSessions(batch[:0]) {
			b = b[:0]
			for i := range batch {
				var err error
				if b, err = c.appendPacket(b, &batch[i]); err != nil {
					c.unsendable(&batch[i], err)
				}
			}
			clear(batch)
			_ = socket.SetWriteDeadline(time.Now().Add(timeout))
			if _, err := socket.Write(b); err != nil {
				c.writeFailed(socket)
				return
			}
		}
	}
}

// beginSessions begins the sessions of the exchanges to be sent next, and appends their packets to batch.
func (c *conn) beginSessions(batch []outgoing) []outgoing {
	client := c.path.server.client
	now := client.cfg.Now()
	client.mu.Lock()
	defer client.mu.Unlock()
	if c.ended {
		return batch
	}
	for len(batch) < maxBatch {
		x := c.out.pop()
		if x == nil {
			break
		}
		h := tacacs.Header{Version: tacacs.Version, Type: tacacs.TypeAccounting, Seq: requestSeq, Session: c.newSession()}
		if c.sent == 0 {
			c.used = now
			if c.asked {
				h.Flags = tacacs.FlagSingleConnect
			}
		}
		member := x.member()
		c.sent++
		c.sessions[h.Session] = session{x: x, sent: now, order: c.sent}
		x.conn, x.session = c, h.Session
		stats := c.path.server.stats
		if !x.sentBefore {
			stats.Requests++
		} else {
			stats.Retransmissions++
		}
		x.sentBefore = true
		stats.PendingRequests++
		x.group.schedule(x, now.Add(member.Schedule.Timeout))
		batch = append(batch, outgoing{x, h, member.WatchdogStart})
	}
	switch { // what was to be sent may have been given up
	case len(batch) > 0 || c.load() > 0:
	case c.state == proving && c.sent == 0:
		c.offer(now)
	case c.state == retiring:
		c.detach()
	}
	return batch
}

// newSession returns a session_id that no session on the connection has. It must not be predictable
// (RFC 8907 section 4.1). The caller holds the mutex.
func (c *conn) newSession() uint32 {
	for {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails
		id := binary.BigEndian.Uint32(b[:])
		if _, used := c.sessions[id]; !used && id != 0 {
			return id
		}
	}
}

// appendPacket appends the packet of a request to b. If that fails, it returns b as it was.
func (c *conn) appendPacket(b []byte, o *outgoing) ([]byte, error) {
	s := c.path.server
	request := o.x.req.Accounting(s.client.cfg.Now())
	if request.Flags == tacacs.AcctFlagWatchdog && o.start {
		request.Flags |= tacacs.AcctFlagStart
	}
	start := len(b)
	b, err := tacacs.AppendAcctRequest(tacacs.AppendHeader(b, o.header), &request)
	if err != nil {
		return b[:start], fmt.Errorf("%w: %w", ErrUnsendable, err)
	}
	o.header.Length = uint32(len(b) - start - tacacs.HeaderLen)
	tacacs.AppendHeader(b[:start], o.header)
	tacacs.Obfuscate(b[start+tacacs.HeaderLen:], o.header, s.Key)
	c.traceRequest(o)
	return b, nil
}

// unsendable ends an exchange whose request does not fit into a packet.
func (c *conn) unsendable(o *outgoing, err error) {
	client := c.path.server.client
	client.mu.Lock()
	isCurrent := !o.x.settled && o.x.conn == c && o.x.session == o.header.Session
	if isCurrent {
		o.x.group.settle(o.x, client.cfg.Now())
	}
	client.mu.Unlock()
	if isCurrent {
		o.x.fail(err)
	}
}

// lastAnswers is how long answers are read after writing failed: those that the server sent before.
const lastAnswers = time.Second

// writeFailed stops the use of a connection. Its reader ends it.
func (c *conn) writeFailed(socket net.Conn) {
	mu := &c.path.server.client.mu
	mu.Lock()
	if !c.ended && c.state == kept {
		c.state = retiring
	}
	mu.Unlock()
	_ = socket.SetReadDeadline(time.Now().Add(lastAnswers))
}
