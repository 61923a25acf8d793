package radius

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
)

// maxSegments is how many answers one system call may send; the kernel accepts 64 (udp(7),
// UDP_SEGMENT).
const maxSegments = 64

// The limits of one system call that sends answers: datagrams, or groups of answers that the kernel
// splits, and their octets.
const (
	maxMessages = 32
	maxOctets   = 16 * radius.MaxPacket
)

// controlOctets is room for the control messages of udpsocket.AppendPacketInfo and
// udpsocket.AppendSegment.
const controlOctets = 64

// writer holds the buffers of a writing goroutine.
type writer struct {
	socket  *socket
	buf     []byte // the answers of messages, at most maxOctets
	control []byte // the control messages of messages
	// messages are the groups of answers that the next system call sends.
	messages [][]*exchange
	// single is set after the kernel could not split a buffer into answers. Not every network
	// device supports it.
	single bool
}

// write encodes and sends answers until the queue is closed and empty.
func (s *socket) write() {
	w := &writer{socket: s, buf: make([]byte, 0, maxOctets), control: make([]byte, 0, maxMessages*controlOctets)}
	var batch []*exchange
	for {
		batch = s.answers.dequeueAll(batch)
		if batch == nil {
			return
		}
		for rest := batch; len(rest) > 0; {
			n := w.batchLen(rest)
			w.add(rest[:n])
			rest = rest[n:]
		}
		w.flush()
		clear(batch)
	}
}

// batchLen returns how many of the first answers one call can send: those of the same length to the
// same port. A store that commits in groups makes many requests of a busy NAS durable together.
func (w *writer) batchLen(batch []*exchange) int {
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

// add adds answers that batchLen has grouped.
func (w *writer) add(answers []*exchange) {
	first := answers[0]
	octets := first.responseLen() * len(answers)
	if len(w.messages) == maxMessages || len(w.buf)+octets > maxOctets {
		w.flush()
	}
	at, control := len(w.buf), len(w.control)
	for _, x := range answers {
		w.buf = x.appendResponse(w.buf)
	}
	if first.local.Addr.IsValid() {
		w.control = udpsocket.AppendPacketInfo(w.control, first.local)
	}
	if len(answers) > 1 {
		w.control = udpsocket.AppendSegment(w.control, first.responseLen())
	}
	w.messages = append(w.messages, answers)
	w.socket.out.Add(w.buf[at:], w.control[control:], first.from)
}

// flush sends what was added. Answers that the kernel could not send as one buffer are sent one by one.
func (w *writer) flush() {
	var refused [][]*exchange
	w.socket.out.Flush(func(i int, err error) {
		answers := w.messages[i]
		if err != nil && len(answers) > 1 {
			w.single = errors.Is(err, unix.EIO) || errors.Is(err, unix.EINVAL)
			refused = append(refused, answers)
			return
		}
		w.count(answers, err)
	})
	clear(w.messages)
	w.messages, w.buf, w.control = w.messages[:0], w.buf[:0], w.control[:0]
	for _, answers := range refused {
		for i := range answers {
			w.add(answers[i : i+1])
		}
	}
	if refused != nil {
		w.flush() // which refuses no group
	}
}

// count counts answers that were sent, or not.
func (w *writer) count(answers []*exchange, err error) {
	e := w.socket.endpoint
	for _, x := range answers {
		if err != nil {
			e.count(x.client, dropped)
			continue
		}
		e.count(x.client, responses)
		x.client.stats.answered.Store(time.Now().UnixNano())
		if what := x.sentAs(); what != responses {
			e.count(x.client, what)
		}
	}
}

// answerQueue is the bounded queue of answers that wait for a socket.
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

// push adds an answer. It returns false if the queue is full or closed.
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

// dequeueAll waits for answers and returns all of them, or nil when the queue is closed and empty.
// The queue reuses the memory of spare, an earlier result.
func (q *answerQueue) dequeueAll(spare []*exchange) []*exchange {
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

// close makes dequeueAll return nil once the queue is empty.
func (q *answerQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Signal()
}
