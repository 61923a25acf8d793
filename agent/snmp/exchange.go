package snmp

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// maxDatagram is the largest payload of a UDP datagram in octets (RFC 768 in an IPv4 packet).
const maxDatagram = 65507

// exchange is a request and its answer, with all the memory for both. It has one owner at a time: a
// reading goroutine, a helper or a setter. It is reused.
type exchange struct {
	r *Responder

	// Set by the endpoint.
	in      [maxDatagram + 1]byte // one octet more than a datagram, to detect truncation
	n       int                   // octets received
	from    netip.AddrPort
	peer    peerAddr
	iov     unix.Iovec
	control [controlSize]byte
	sending sending

	// The request.
	now     int64 // nanoseconds on the limiters' clock
	msg     wire.Message
	scoped  wire.ScopedPDU
	pdu     wire.PDU
	session usm.Session
	sender  sender // what the message has proved so far
	// operation is noOperation until the request is carried out.
	operation operation
	// securityName belongs to the community (SNMPv1 and SNMPv2c).
	securityName string

	// The answer.
	frame  wire.Frame
	reader *mib.Reader
	vb     mib.Varbind
	start  mib.OID
	last   []mib.OID // GETBULK: the last name of each repeater
	ended  []bool    // GETBULK: which repeaters have reached the end

	behind mib.OID // SNMPv1: where to continue behind an object that was skipped

	jumps int // ranges that this request has skipped: outside the view, or SNMPv1 without their type

	// covered tells for each object of the tree whether the view contains all of it. For most
	// variables that answers whether they are visible. It belongs to view, the last view used.
	view    *vacm.View
	covered []bool
}

func (r *Responder) newExchange() *exchange {
	e := &exchange{r: r, reader: r.tree.NewReader()}
	e.sending.fn = e.sending.trySend
	return e
}

// acquire returns an unused exchange.
func (r *Responder) acquire() *exchange {
	select {
	case e := <-r.free:
		return e
	default:
		return r.newExchange()
	}
}

// maxKept is the number of variables whose memory a released exchange keeps. A manager that
// requests thousands of variables must not occupy that memory forever.
const maxKept = 1024

// release makes an exchange available again. The garbage collector frees those beyond the number in
// regular use.
func (r *Responder) release(e *exchange) {
	if cap(e.pdu.Varbinds) > maxKept {
		e.pdu, e.last, e.ended = wire.PDU{}, nil, nil
	}
	select {
	case r.free <- e:
	default:
	}
}

// setView selects the view through which the next variables are read.
func (e *exchange) setView(view *vacm.View) {
	if view == e.view {
		return
	}
	e.view, e.covered = view, e.covered[:0]
	for _, oid := range e.r.objects {
		e.covered = append(e.covered, view.Covers(oid))
	}
}

// secured reports whether the message is SNMPv3.
func (e *exchange) secured() bool { return e.msg.Version == wire.Version3 }
