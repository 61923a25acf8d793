package radiusnet

import (
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

// deliveryQueue has the datagrams in transit, as a heap with the earliest at [0]. The network's
// mutex guards it.
type deliveryQueue struct {
	network    *Network
	pending    []delivery
	number     uint64
	timer      *time.Timer
	at         time.Duration // the timer's time; 0 means that it is not set
	delivering bool
}

// send delivers a datagram at its due time.
func (p *deliveryQueue) send(l delivery) {
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	p.number++
	l.number = p.number
	p.push(l)
	if !p.delivering {
		p.setTimer()
	}
}

// setTimer sets the timer for the earliest delivery.
func (p *deliveryQueue) setTimer() {
	if len(p.pending) == 0 {
		return
	}
	due := p.pending[0].due
	if p.at != 0 && p.at <= due {
		return
	}
	p.at = due
	wait := due - time.Since(p.network.started)
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, p.deliver)
		return
	}
	p.timer.Reset(wait)
}

// deliver delivers everything that is due. Only one goroutine does this at a time.
func (p *deliveryQueue) deliver() {
	mu := &p.network.mu
	mu.Lock()
	defer mu.Unlock()
	if p.delivering {
		return
	}
	p.delivering, p.at = true, 0
	for len(p.pending) > 0 && p.pending[0].due <= time.Since(p.network.started) {
		l := p.pop()
		mu.Unlock()
		if l.to == nil {
			l.host.handle(l.octets, l.from, l.key)
		} else if !l.host.deadNow() {
			l.to.enqueue(l.octets, l.from)
		}
		mu.Lock()
	}
	p.delivering = false
	p.setTimer()
}

func (p *deliveryQueue) before(i, j int) bool {
	a, b := &p.pending[i], &p.pending[j]
	return a.due < b.due || a.due == b.due && a.number < b.number
}

// push adds a delivery to the heap.
func (p *deliveryQueue) push(l delivery) {
	p.pending = append(p.pending, l)
	for i := len(p.pending) - 1; i > 0 && p.before(i, (i-1)/2); i = (i - 1) / 2 {
		p.pending[i], p.pending[(i-1)/2] = p.pending[(i-1)/2], p.pending[i]
	}
}

// pop removes the earliest delivery.
func (p *deliveryQueue) pop() delivery {
	first, last := p.pending[0], len(p.pending)-1
	p.pending[0] = p.pending[last]
	p.pending[last] = delivery{}
	p.pending = p.pending[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if p.before(child, least) {
				least = child
			}
		}
		if least == i {
			return first
		}
		p.pending[i], p.pending[least] = p.pending[least], p.pending[i]
		i = least
	}
}
