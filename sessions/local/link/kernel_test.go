package link

import (
	"encoding/binary"
	"errors"
	"iter"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"aaasess/sessions"
)

// kernel is a host with network interfaces, for tests. Its sockets speak rtnetlink.
type kernel struct {
	mu         sync.Mutex
	interfaces map[uint32]sessions.Traffic
	hidden     map[uint32]bool // the next dumps lack them, as one that was interrupted may
	names      map[string]uint32
	dumps      int
	failure    error // of the next dump
	refuse     error // of Dial
	listeners  map[*socket]bool
	beforeDump func() // called, if set, when the next dump begins
}

func newKernel() *kernel {
	return &kernel{
		interfaces: map[uint32]sessions.Traffic{}, hidden: map[uint32]bool{}, names: map[string]uint32{}, listeners: map[*socket]bool{},
	}
}

// do changes the kernel.
func (k *kernel) do(fn func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fn()
}

func (k *kernel) onDump(fn func()) { k.do(func() { k.beforeDump = fn }) }

func (k *kernel) set(ifIndex uint32, t sessions.Traffic) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.interfaces[ifIndex] = t
}

// remove removes an interface, and tells the listeners if notify.
func (k *kernel) remove(ifIndex uint32, notify bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := k.interfaces[ifIndex]
	delete(k.interfaces, ifIndex)
	if notify {
		k.tell(linkOf(unix.RTM_DELLINK, unix.AF_UNSPEC, ifIndex, last), nil)
	}
}

// tell sends a notification or an error to all listeners. k.mu must be held.
func (k *kernel) tell(m netlink.Message, err error) {
	for s := range k.listeners {
		s.received <- reply{m, err}
	}
}

func (k *kernel) notify(m netlink.Message, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tell(m, err)
}

func (k *kernel) dumped() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dumps
}

// Dial is for Config.Dial.
func (k *kernel) Dial(groups uint32) (*netlink.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse != nil {
		return nil, k.refuse
	}
	s := &socket{kernel: k, received: make(chan reply, 100), closed: make(chan struct{})}
	if groups == 1<<(unix.RTNLGRP_LINK-1) {
		k.listeners[s] = true
	}
	return netlink.NewConn(s, 1), nil
}

type reply struct {
	netlink.Message
	err error
}

// socket is a netlink.Socket of a kernel.
type socket struct {
	*kernel
	received chan reply
	closed   chan struct{}
	once     sync.Once
	queue    []reply // replies to requests
}

func (s *socket) Close() error {
	s.once.Do(func() { close(s.closed) })
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, s)
	return nil
}

func (s *socket) SendMessages(all []netlink.Message) error { return s.Send(all[0]) }

func (s *socket) Send(m netlink.Message) error {
	s.mu.Lock()
	if before := s.beforeDump; before != nil && m.Header.Flags&netlink.Dump == netlink.Dump {
		s.beforeDump = nil
		s.mu.Unlock()
		before()
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	ifIndex := binary.NativeEndian.Uint32(m.Data[4:])
	switch {
	case m.Header.Type == unix.RTM_GETLINK:
		d, err := netlink.NewAttributeDecoder(m.Data[linkHeader:])
		if err != nil || !d.Next() || d.Type() != unix.IFLA_IFNAME {
			return errors.New("not a request for a name")
		}
		ifIndex, ok := s.names[d.String()]
		s.answer(m, linkOf(unix.RTM_NEWLINK, unix.AF_UNSPEC, ifIndex, s.interfaces[ifIndex]), ok)
	case m.Header.Type != unix.RTM_GETSTATS:
		return errors.New("an unknown request")
	case m.Header.Flags&netlink.Dump == netlink.Dump:
		s.dumps++
		if s.failure != nil {
			s.queue = []reply{{err: s.failure}}
			s.failure = nil
			return nil
		}
		for i, t := range s.interfaces {
			if !s.hidden[i] {
				part := statsMessage(i, t)
				part.Header.Flags |= netlink.Multi
				s.answer(m, part, true)
			}
		}
		done := netlink.Message{Header: netlink.Header{Type: netlink.Done, Flags: netlink.Multi}, Data: make([]byte, 4)}
		s.answer(m, done, true)
	default:
		t, ok := s.interfaces[ifIndex]
		s.answer(m, statsMessage(ifIndex, t), ok)
	}
	return nil
}

// answer queues a reply to a request, or ENODEV.
func (s *socket) answer(to, m netlink.Message, ok bool) {
	if !ok {
		m = netlink.Message{Header: netlink.Header{Type: netlink.Error}}
		m.Data = binary.NativeEndian.AppendUint32(nil, ^uint32(unix.ENODEV)+1) // negative
		m.Data = append(m.Data, make([]byte, 16)...)
	}
	m.Header.Sequence, m.Header.PID = to.Header.Sequence, to.Header.PID
	s.queue = append(s.queue, reply{Message: m})
}

func (s *socket) Receive() (all []netlink.Message, err error) {
	for m, err := range s.ReceiveIter() {
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func (s *socket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		s.mu.Lock()
		queue := s.queue
		s.queue = nil
		s.mu.Unlock()
		if queue == nil {
			select {
			case r := <-s.received:
				queue = []reply{r}
			case <-s.closed:
				queue = []reply{{err: net.ErrClosed}}
			}
		}
		for _, r := range slices.Clone(queue) {
			if r.err != nil {
				yield(netlink.Message{}, os.NewSyscallError("recvmsg", r.err))
				return
			}
			if !yield(r.Message, nil) {
				return
			}
		}
	}
}
