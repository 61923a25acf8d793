package radiusnet

import (
	"net/netip"
	"time"
)

// letter is a datagram on its way: a request to host, or an answer to to.
type letter struct {
	due    time.Duration // since the network was made
	number uint64        // letters that are due at once arrive as they were sent
	host   *Host         // whose link it is on
	octets []byte
	from   netip.AddrPort
	to     *socket // nil: to host
	key    uint64
}

// post is the letters on their way, the first one to arrive at [0]. The network's mutex guards it.
type post struct {
	network    *Network
	letters    []letter
	number     uint64
	timer      *time.Timer
	at         time.Duration // for when the timer is set; 0: it is not
	delivering bool
}

// send has a letter arrive when it is due.
func (p *post) send(l letter) {
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	p.number++
	l.number = p.number
	p.push(l)
	if !p.delivering {
		p.set()
	}
}

// set sets the timer for the first letter.
func (p *post) set() {
	if len(p.letters) == 0 {
		return
	}
	due := p.letters[0].due
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

// deliver hands out what is due. Only one goroutine does.
func (p *post) deliver() {
	mu := &p.network.mu
	mu.Lock()
	defer mu.Unlock()
	if p.delivering {
		return
	}
	p.delivering, p.at = true, 0
	for len(p.letters) > 0 && p.letters[0].due <= time.Since(p.network.started) {
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
	p.set()
}

func (p *post) before(i, j int) bool {
	a, b := &p.letters[i], &p.letters[j]
	return a.due < b.due || a.due == b.due && a.number < b.number
}

// push puts a letter in its place of the heap.
func (p *post) push(l letter) {
	p.letters = append(p.letters, l)
	for i := len(p.letters) - 1; i > 0 && p.before(i, (i-1)/2); i = (i - 1) / 2 {
		p.letters[i], p.letters[(i-1)/2] = p.letters[(i-1)/2], p.letters[i]
	}
}

// pop takes the first letter out.
func (p *post) pop() letter {
	first, last := p.letters[0], len(p.letters)-1
	p.letters[0] = p.letters[last]
	p.letters[last] = letter{}
	p.letters = p.letters[:last]
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
		p.letters[i], p.letters[least] = p.letters[least], p.letters[i]
		i = least
	}
}
