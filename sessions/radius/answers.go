package radius

import (
	"encoding/binary"
	"errors"
	"sync"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius"
)

// maxSegments is how many answers may go to the kernel in one call; it takes 64 (udp(7), UDP_SEGMENT).
const maxSegments = 64

// writer is what a writing goroutine owns.
type writer struct {
	socket  *socket
	buf     []byte
	control []byte
	// single is set when the kernel would not cut answers out of one buffer: not every network
	// device can.
	single bool
}

// write makes and sends answers until the queue is closed and empty.
func (s *socket) write() {
	w := &writer{socket: s, buf: make([]byte, 0, 2*radius.MaxPacket)}
	var batch []*exchange
	for {
		batch = s.answers.take(batch)
		if batch == nil {
			return
		}
		for rest := batch; len(rest) > 0; {
			n := w.run(rest)
			w.send(rest[:n])
			rest = rest[n:]
		}
		clear(batch)
	}
}

// run is how many of the first answers can be sent at once: those to the same port that have the
// same length. A store that commits in groups makes many of a busy NAS durable together.
func (w *writer) run(batch []*exchange) int {
	first, n := batch[0], 1
	if w.single || first.responseLen() > radius.MaxPacket/maxSegments {
		return 1
	}
	for ; n < min(len(batch), maxSegments); n++ {
		x := batch[n]
		if x.from != first.from || x.local != first.local || x.responseLen() != first.responseLen() {
			break
		}
	}
	return n
}

// send sends answers that run has put together.
func (w *writer) send(answers []*exchange) {
	l, first := w.socket.listener, answers[0]
	w.buf = w.buf[:0]
	for _, x := range answers {
		w.buf = x.appendResponse(w.buf)
	}
	w.control = w.control[:0]
	if first.local.addr.IsValid() {
		w.control = appendPacketInfo(w.control, first.local)
	}
	if len(answers) > 1 {
		w.control = appendSegment(w.control, first.responseLen())
	}
	var err error
	if len(w.control) == 0 {
		_, err = w.socket.conn.WriteToUDPAddrPort(w.buf, first.from)
	} else {
		_, _, err = w.socket.conn.WriteMsgUDPAddrPort(w.buf, w.control, first.from)
	}
	if err != nil && len(answers) > 1 {
		w.single = errors.Is(err, unix.EIO) || errors.Is(err, unix.EINVAL)
		for i := range answers {
			w.send(answers[i : i+1])
		}
		return
	}
	what := responses
	if err != nil {
		what = dropped
	}
	for _, x := range answers {
		l.count(x.client, what)
	}
}

// appendSegment appends the control message that makes the kernel cut a buffer into datagrams of n
// octets (udp(7), UDP_SEGMENT).
func appendSegment(b []byte, n int) []byte {
	b, data := appendControl(b, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(data, uint16(n))
	return b
}

// answerQueue is the answers that wait for a socket, bounded.
type answerQueue struct {
	limit  int
	mu     sync.Mutex
	more   sync.Cond
	queue  []*exchange
	closed bool
}

func (q *answerQueue) init(limit int) {
	q.limit = limit
	q.more.L = &q.mu
}

// push adds an answer; false if there is no room or the queue is closed.
func (q *answerQueue) push(x *exchange) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.queue) >= q.limit {
		return false
	}
	q.queue = append(q.queue, x)
	if len(q.queue) == 1 {
		q.more.Signal()
	}
	return true
}

// take waits for answers and takes all; nil when the queue is closed and empty. Its memory is
// exchanged for that of spare, which was taken before.
func (q *answerQueue) take(spare []*exchange) []*exchange {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.queue) == 0 && !q.closed {
		q.more.Wait()
	}
	if len(q.queue) == 0 {
		return nil
	}
	batch := q.queue
	q.queue = spare[:0]
	return batch
}

// close lets take end once the queue is empty.
func (q *answerQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Signal()
}
