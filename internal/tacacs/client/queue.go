package client

// queue is a list of exchanges that wait. An exchange is in one queue at most. The client's mutex
// guards it.
type queue struct {
	head, tail *exchange
	n          int
}

// push appends an exchange.
func (q *queue) push(x *exchange) {
	x.in, x.prev, x.next = q, q.tail, nil
	if q.tail == nil {
		q.head = x
	} else {
		q.tail.next = x
	}
	q.tail = x
	q.n++
}

// pushFront inserts an exchange at the head.
func (q *queue) pushFront(x *exchange) {
	x.in, x.prev, x.next = q, nil, q.head
	if q.head == nil {
		q.tail = x
	} else {
		q.head.prev = x
	}
	q.head = x
	q.n++
}

// pop removes and returns the head, or nil.
func (q *queue) pop() *exchange {
	x := q.head
	if x != nil {
		q.remove(x)
	}
	return x
}

// remove removes an exchange that is in the queue.
func (q *queue) remove(x *exchange) {
	if x.prev == nil {
		q.head = x.next
	} else {
		x.prev.next = x.next
	}
	if x.next == nil {
		q.tail = x.prev
	} else {
		x.next.prev = x.prev
	}
	x.in, x.prev, x.next = nil, nil, nil
	q.n--
}
