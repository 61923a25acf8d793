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

// yields is how often a read that found nothing gives the processor away and tries again before it
// waits in the netpoller. During a walk the master, on the same processor, mostly needs no more than
// that to send its next PDU, and the way through the netpoller costs more than the answer. Between
// single requests it is in vain, and delays those whom it gives way to: each wait in the netpoller
// makes it one less, until a PDU is there without.
const yields = 3

// stream is the octets of a connection. Its read and write each are one system call in the good
// case. One goroutine reads and writes; any may set the read deadline.
type stream struct {
	conn net.Conn
	raw  syscall.RawConn // nil where the connection has no file descriptor (a net.Pipe)

	// What the two functions for raw, made once, work on.
	readFn, writeFn func(fd uintptr) bool
	buf             []byte
	n               int
	err             error
	patience        int  // yields before the next wait, 0..yields
	waited          bool // in the netpoller, for the present read
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

// read is an io.Reader's Read: at least one octet or an error.
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

// tryRead reports whether there is a result; if not, the netpoller calls it again when there is.
func (s *stream) tryRead(fd uintptr) bool {
	for try := 0; ; try++ {
		if s.rawCall(unix.SYS_READ, fd); s.err != unix.EAGAIN {
			if !s.waited {
				s.patience = yields
			}
			return true
		}
		if s.waited || try >= s.patience {
			s.waited = true
			s.patience = max(0, s.patience-1)
			return false
		}
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}

// write writes all of b. A peer that takes nothing for the given time fails it.
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
	// Only a write that has to wait pays for a deadline.
	if err := s.conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := s.conn.Write(b); err != nil {
		return err
	}
	return s.conn.SetWriteDeadline(time.Time{})
}

// tryWrite writes what can be written at once.
func (s *stream) tryWrite(fd uintptr) bool {
	if s.rawCall(unix.SYS_WRITE, fd); s.err == unix.EAGAIN {
		s.n, s.err = 0, nil
	}
	return true
}

// rawCall reads to or writes from s.buf, which is not empty. The descriptor does not block, so the
// runtime need not know of the call: told, it takes the processor from a goroutine that is away for
// 20 microseconds (the master often runs within our write), and on one processor two thirds of our
// time went into getting it back. In return a walk at full speed leaves the only processor of a
// small host to other goroutines just when the runtime preempts it, every 10 ms.
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
