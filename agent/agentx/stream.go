package agentx

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// yields is how often a read that finds nothing yields the processor and tries again before it
// waits in the netpoller. During a walk the master, on the same processor, usually sends its next
// PDU within that time, and waiting in the netpoller costs more than the answer. Between single
// requests yielding only delays others. So each wait in the netpoller reduces the number by one; a
// PDU that arrives without a wait restores it.
const yields = 3

// stream reads and writes the octets of a connection, usually with one system call each. One
// goroutine reads and writes; any goroutine may set the read deadline.
type stream struct {
	conn net.Conn
	raw  syscall.RawConn // nil if the connection has no file descriptor (a net.Pipe)

	// Arguments and results of readFn and writeFn, which are bound once.
	readFn, writeFn func(fd uintptr) bool
	buf             []byte
	n               int
	err             error
	yieldsLeft      int  // yields before the next wait, 0..yields
	waited          bool // the current read has waited in the netpoller
}

func newStream(conn net.Conn) *stream {
	s := &stream{conn: conn}
	if sc, ok := conn.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			s.raw, s.readFn, s.writeFn = raw, s.tryRead, s.tryWrite
		}
	}
	return s
}

// read is like Read of io.Reader, with at least one octet or an error.
func (s *stream) read(b []byte) (int, error) {
	if s.raw == nil {
		return s.conn.Read(b)
	}
	s.buf, s.waited = b, false
	if err := s.raw.Read(s.readFn); err != nil {
		return 0, err
	}
	if s.err != nil {
		return 0, os.NewSyscallError("read", s.err)
	}
	if s.n == 0 {
		return 0, io.EOF
	}
	return s.n, nil
}

// tryRead reports whether a result is ready. If not, the netpoller calls it again when the socket
// is readable.
func (s *stream) tryRead(fd uintptr) bool {
	for try := 0; ; try++ {
		if s.rawCall(unix.SYS_READ, fd); s.err != unix.EAGAIN {
			if !s.waited {
				s.yieldsLeft = yields
			}
			return true
		}
		if s.waited || try >= s.yieldsLeft {
			s.waited = true
			s.yieldsLeft = max(0, s.yieldsLeft-1)
			return false
		}
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}

// write writes all of b. It fails if the peer reads nothing for the given time.
func (s *stream) write(b []byte, limit time.Duration) error {
	if s.raw != nil {
		s.buf = b
		if err := s.raw.Write(s.writeFn); err != nil {
			return err
		}
		if s.err != nil {
			return os.NewSyscallError("write", s.err)
		}
		if b = b[s.n:]; len(b) == 0 {
			return nil
		}
	}
	// Set a deadline only if the write has to wait.
	if err := s.conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := s.conn.Write(b); err != nil {
		return err
	}
	return s.conn.SetWriteDeadline(time.Time{})
}

func (s *stream) tryWrite(fd uintptr) bool {
	if s.rawCall(unix.SYS_WRITE, fd); s.err == unix.EAGAIN {
		s.n, s.err = 0, nil
	}
	return true
}

// rawCall reads to or writes from s.buf, which is not empty. The descriptor is non-blocking, so the
// runtime need not know about the call. If it knew, it would take the processor from a goroutine
// whose call lasts 20 microseconds (the master often runs within our write); on one processor two
// thirds of our time went into getting it back. The disadvantage: during a walk at full speed on a
// host with one processor, other goroutines run only when the runtime preempts the walk, every 10
// ms.
func (s *stream) rawCall(trap, fd uintptr) {
	for {
		n, _, errno := unix.RawSyscall(trap, fd, uintptr(unsafe.Pointer(&s.buf[0])), uintptr(len(s.buf)))
		switch errno {
		case 0:
			s.n, s.err = int(n), nil
			return
		case unix.EINTR:
		default:
			s.n, s.err = 0, errno
			return
		}
	}
}
