package outagetest

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
)

// tap is a socket of a group that sees all packets. It tracks which identifiers wait for an answer.
type tap struct {
	client.Socket
	world *world
	group *groupRun

	mu      sync.Mutex
	waiting map[waitingKey]sent
}

type waitingKey struct {
	server     netip.AddrPort
	identifier byte
}

// sent is a request without a right answer so far.
type sent struct {
	at     time.Time
	auth   [16]byte
	number uint32
}

// WriteToUDPAddrPort checks a request, and sends it.
func (s *tap) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	now := time.Now()
	req := sent{at: now, auth: [16]byte(b[4:20]), number: number(b)}
	key := waitingKey{to, b[1]}
	s.mu.Lock()
	before, reused := s.waiting[key]
	s.waiting[key] = req
	s.mu.Unlock()
	if linger := s.group.linger(to); reused && now.Sub(before.at) < linger {
		s.world.fault("identifier %d to %v used again after %v, earlier than %v, without an answer", b[1], to, now.Sub(before.at), linger)
	}
	delay, _ := radius.Attributes(b[20:]).Uint32(radius.AcctDelayTime)
	s.world.checkSend(s.group, to, req, delay)
	return s.Socket.WriteToUDPAddrPort(b, to)
}

// ReadFromUDPAddrPort notes which requests got a right answer.
func (s *tap) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := s.Socket.ReadFromUDPAddrPort(b)
	if err != nil || n < 20 {
		return n, from, err
	}
	key := waitingKey{from, b[1]}
	s.mu.Lock()
	defer s.mu.Unlock()
	req, ok := s.waiting[key]
	if secret := s.world.secrets[from]; ok && isAnswer(b[:n], req.auth, secret) {
		delete(s.waiting, key)
		s.world.noteAnswer(req.number)
	}
	return n, from, err
}

// isAnswer reports whether b is the right answer to a request (RFC 2866 section 3).
func isAnswer(b []byte, request [16]byte, secret radius.Secret) bool {
	if b[0] != 5 || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return false
	}
	all := append(append(append(append([]byte{}, b[:4]...), request[:]...), b[20:]...), secret...)
	sum := md5.Sum(all)
	return bytes.Equal(sum[:], b[4:20])
}
