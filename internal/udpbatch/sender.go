package udpbatch

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"aaasess/internal/udpsocket"
)

const (
	// SenderPackets is how many packets a Sender sends at once at most. The kernel makes no more
	// datagrams of a buffer either.
	SenderPackets = 64
	// SenderOctets is how many octets these packets have at most: no more than one datagram may have.
	SenderOctets = 60_000
)

// minSorted is the least number of packets that leave in the order of their lengths. Fewer save little,
// and who looks at them expects their own order.
const minSorted = 8

// segmentControl is room for the control message of a buffer.
const segmentControl = 32

// Sender sends many packets to one address. The kernel gets packets of the same length as one buffer,
// which it splits into datagrams (udp(7), UDP_SEGMENT). A datagram costs less for the system call than
// for its way through the kernel, which the buffer goes once. A capture on this host shows the buffer.
// Many packets leave in the order of their lengths. Any goroutine may use it.
type Sender struct {
	mu     sync.Mutex // guards what follows
	writer *Writer
	// longest is the length of the longest packets that may share a buffer: the kernel splits none
	// into packets above the path's MTU, and not every socket and network device supports it.
	longest int

	// Of the packets that are being sent:
	order   []int  // their numbers, as they leave
	octets  []byte // in this order
	runs    []run  // in this order: those that share a buffer
	control []byte // the control messages of the buffers
}

// run is where the packets of a buffer are in Sender.order.
type run struct{ from, to int }

// NewSender returns a Sender of a socket.
func NewSender(conn *net.UDPConn) (*Sender, error) {
	w, err := NewWriter(conn, SenderPackets)
	if err != nil {
		return nil, err
	}
	return &Sender{
		writer: w, longest: SenderOctets,
		octets: make([]byte, 0, SenderOctets), control: make([]byte, 0, SenderPackets*segmentControl),
	}, nil
}

// SendAll sends packets, at least one octet each. It waits while the socket's buffer is full. It calls
// done for each packet, with its number, and nil or why it was not sent.
func (s *Sender) SendAll(packets [][]byte, to netip.AddrPort, done func(i int, err error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = s.order[:0]
	for i := range packets {
		s.order = append(s.order, i)
	}
	if len(packets) >= minSorted {
		slices.SortStableFunc(s.order, func(i, j int) int { return cmp.Compare(len(packets[i]), len(packets[j])) })
	}
	for from := 0; from < len(s.order); {
		length, next := len(packets[s.order[from]]), from+1
		for length <= s.longest && next < len(s.order) && len(packets[s.order[next]]) == length {
			next++
		}
		s.add(packets, run{from, next}, to)
		from = next
	}
	s.flush(packets, to, done)
}

// add adds the packets of a run as one buffer.
func (s *Sender) add(packets [][]byte, r run, to netip.AddrPort) {
	at, control := len(s.octets), len(s.control)
	for _, i := range s.order[r.from:r.to] {
		s.octets = append(s.octets, packets[i]...)
	}
	if r.to-r.from > 1 {
		s.control = udpsocket.AppendSegment(s.control, len(packets[s.order[r.from]]))
	}
	s.runs = append(s.runs, r)
	s.writer.Add(s.octets[at:], s.control[control:], to)
}

// flush sends what was added. Packets that the kernel did not split are sent one by one.
func (s *Sender) flush(packets [][]byte, to netip.AddrPort, done func(i int, err error)) {
	var refused []int
	s.writer.Flush(func(n int, err error) {
		all := s.order[s.runs[n].from:s.runs[n].to]
		if len(all) > 1 && isNotSplit(err) {
			s.longest = min(s.longest, len(packets[all[0]])-1)
			if errors.Is(err, syscall.EIO) { // whatever the length
				s.longest = 0
			}
			refused = append(refused, all...)
			return
		}
		for _, i := range all {
			done(i, err)
		}
	})
	s.octets, s.control, s.runs = s.octets[:0], s.control[:0], s.runs[:0]
	if len(refused) == 0 {
		return
	}
	s.order = refused
	for i := range refused {
		s.add(packets, run{i, i + 1}, to)
	}
	s.flush(packets, to, done)
}

// isNotSplit reports whether the kernel has refused to split a buffer.
func isNotSplit(err error) bool {
	return errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EMSGSIZE)
}
