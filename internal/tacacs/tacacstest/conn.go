package tacacstest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"aaasess/internal/tacacs"
)

// conn is a connection to a client. Only the goroutine that runs it uses the fields without a
// comment.
type conn struct {
	net.Conn
	server *Server
	number int
	done   chan struct{} // closed by close
	once   sync.Once     // of close
	wait   []func()      // answers that wait for the rest of a batch
	// writing has an element while an answer is written. It is no mutex, because a write blocks.
	writing chan struct{}

	mu       sync.Mutex      // guards the fields below
	sessions map[uint32]bool // without an answer
	requests int
	answers  int
	single   bool // the connection is kept for many sessions
}

func (c *conn) close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.Conn.Close()
	})
}

// Problems of a client.
var (
	errType     = errors.New("not an accounting request of version 12.0")
	errSeq      = errors.New("the first packet of a session does not have seq_no 1")
	errSession  = errors.New("a session_id that is in use")
	errMultiple = errors.New("a second session on a connection that is not kept for many")
	errPlain    = errors.New("a request that is not obfuscated")
)

// run reads requests and answers them until the connection ends.
func (c *conn) run() {
	for {
		b, changed := c.server.current()
		if b.Stall {
			select {
			case <-changed:
				continue
			case <-c.done:
				return
			}
		}
		h, body, err := c.read()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) && !isReset(err) {
				c.server.problem(fmt.Errorf("tacacstest: connection %d: %w", c.number, err))
			}
			return
		}
		if b, _ = c.server.current(); !b.Stall {
			c.request(h, body, &b)
		}
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) // the client closed it while something was on its way
}

func (c *conn) read() (h tacacs.Header, body []byte, err error) {
	var head [tacacs.HeaderLen]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return h, nil, err
	}
	if h, err = tacacs.ParseHeader(head[:]); err != nil {
		return h, nil, err
	}
	body = make([]byte, h.Length)
	_, err = io.ReadFull(c, body)
	return h, body, err
}

// check returns what a client did wrong with a request, or nil.
func (c *conn) check(h tacacs.Header, oneSession bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	if c.requests == 1 {
		c.single = h.Flags&tacacs.FlagSingleConnect != 0 && !oneSession
	}
	repeated := c.sessions[h.Session]
	c.sessions[h.Session] = true
	switch {
	case h.Version != tacacs.Version || h.Type != tacacs.TypeAccounting:
		return errType
	case h.Seq != 1:
		return errSeq
	case repeated:
		return errSession
	case c.requests > 1 && (!c.single || c.answers == 0):
		return errMultiple
	case h.Flags&tacacs.FlagUnencrypted != 0:
		return errPlain
	}
	return nil
}

// request handles a request.
func (c *conn) request(h tacacs.Header, body []byte, b *Behavior) {
	if err := c.check(h, b.OneSession); err != nil {
		c.server.problem(fmt.Errorf("tacacstest: connection %d: %w", c.number, err))
	}
	tacacs.Obfuscate(body, h, c.server.key)
	r, err := tacacs.ParseAcctRequest(body)
	if err != nil { // RFC 8907 section 4.5
		c.server.problem(fmt.Errorf("tacacstest: connection %d: %w", c.number, err))
		c.send(h, tacacs.StatusError, b, nil)
		return
	}
	a := Arrival{At: time.Now(), Connection: c.number, Header: h, Request: r}
	index := c.server.arrived(a)
	status := b.status(a)
	if status == 0 {
		return
	}
	acknowledge := func(yes bool) {
		if b.acknowledges(status) {
			c.server.acknowledge(index, yes)
		}
	}
	c.wait = append(c.wait, func() { c.send(h, status, b, acknowledge) })
	if len(c.wait) < b.Batch {
		return
	}
	for i := len(c.wait) - 1; i >= 0; i-- {
		c.wait[i]()
	}
	c.wait = nil
}

// send writes an answer, or has it written later. acknowledge is called before, because the client
// may know of the answer at once, and with false if it did not get all of it; nil is allowed.
func (c *conn) send(h tacacs.Header, status tacacs.Status, b *Behavior, acknowledge func(bool)) {
	if b.Delay == 0 {
		c.write(h, status, b, acknowledge)
		return
	}
	c.server.running.Go(func() {
		timer := time.NewTimer(b.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			c.write(h, status, b, acknowledge)
		case <-c.done:
		}
	})
}

func (c *conn) write(h tacacs.Header, status tacacs.Status, b *Behavior, acknowledge func(bool)) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	c.mu.Lock()
	delete(c.sessions, h.Session)
	c.answers++
	single, last := c.single, !c.single || b.Cut > 0 || b.CloseAfter > 0 && c.answers >= b.CloseAfter
	c.mu.Unlock()
	packet, err := b.answer(h, status, c.server.key, single)
	if err != nil {
		c.server.problem(fmt.Errorf("tacacstest: %w", err))
		return
	}
	if acknowledge != nil {
		acknowledge(true)
	}
	if _, err := c.Write(packet); err != nil && acknowledge != nil {
		acknowledge(false)
	}
	if last {
		c.close()
	}
}
