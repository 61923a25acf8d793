package radiusnet

import (
	"container/heap"
	"net/netip"
	"time"
)

// delivery is a datagram in transit: a request to host, or an answer to the socket to.
type delivery struct {
	due    time.Duration // since the creation of the network
	number uint64        // deliveries with the same due time arrive in the order of sending
	host   *Host         // whose link it uses
	octets []byte
	from   netip.AddrPort
	to     *socket // nil means to host
	key    uint64
}

// deliveryQueue has the datagrams in transit. The network's mutex guards it.
type deliveryQueue struct {
	network    *Network
	pending    deliveries
	number     uint64
	timer      *time.Timer
	at         time.Duration // the timer's time; 0 means that it is not set
	delivering bool
}

// send delivers a datagram at its due time.
func (q *deliveryQueue) send(d *delivery) {
	q.network.mu.Lock()
	defer q.network.mu.Unlock()
	q.number++
	d.number = q.number
	heap.Push(&q.pending, d)
	if !q.delivering {
		q.setTimer()
	}
}

// setTimer sets the timer for the earliest delivery.
func (q *deliveryQueue) setTimer() {
	if len(q.pending) == 0 {
		return
	}
	due := q.pending[0].due
	if q.at != 0 && q.at <= due {
		return
	}
	q.at = due
	wait := due - time.Since(q.network.started)
	if q.timer == nil {
		q.timer = time.AfterFunc(wait, q.deliver)
		return
	}
	q.timer.Reset(wait)
}

// deliver delivers everything that is due. Only one goroutine does this at a time.
func (q *deliveryQueue) deliver() {
	mu := &q.network.mu
	mu.Lock()
	defer mu.Unlock()
	if q.delivering {
		return
	}
	q.delivering, q.at = true, 0
	for len(q.pending) > 0 && q.pending[0].due <= time.Since(q.network.started) {
		d := heap.Pop(&q.pending).(*delivery)
		mu.Unlock()
		if d.to == nil {
			d.host.handle(d.octets, d.from, d.key)
		} else if !d.host.deadNow() {
			d.to.enqueue(d.octets, d.from)
		}
		mu.Lock()
	}
	q.delivering = false
	q.setTimer()
}

// deliveries implements [heap.Interface]: the earliest delivery is at [0].
type deliveries []*delivery

func (ds deliveries) Len() int      { return len(ds) }
func (ds deliveries) Swap(i, j int) { ds[i], ds[j] = ds[j], ds[i] }

func (ds deliveries) Less(i, j int) bool {
	a, b := ds[i], ds[j]
	return a.due < b.due || a.due == b.due && a.number < b.number
}

func (ds *deliveries) Push(x any) { *ds = append(*ds, x.(*delivery)) }

func (ds *deliveries) Pop() any {
	last := len(*ds) - 1
	d := (*ds)[last]
	(*ds)[last] = nil
	*ds = (*ds)[:last]
	return d
}
