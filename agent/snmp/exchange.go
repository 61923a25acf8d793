package snmp

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// maxDatagram is the most that a UDP datagram carries (RFC 768 in an IPv4 packet).
const maxDatagram = 65507

// exchange is a request and its answer, with all the memory that takes. It has one owner at a time:
// the goroutine that reads, one that helps, or one that carries out SETs. It is used again.
type exchange struct {
	r *Responder

	// Filled by the endpoint.
	in      [maxDatagram + 1]byte // one more, to tell what was cut off
	n       int                   // octets in in
	from    netip.AddrPort
	peer    peerAddr
	iov     unix.Iovec
	control [controlSize]byte
	sending sending

	// Of the request.
	now     int64 // nanoseconds on the limiters' clock
	msg     wire.Message
	scoped  wire.ScopedPDU
	pdu     wire.PDU
	session usm.Session
	// securityName is that of the community, below SNMPv3.
	securityName string

	// Of the answer.
	frame  wire.Frame
	reader *mib.Reader
	vb     mib.Varbind
	start  mib.OID
	last   []mib.OID // of a GETBULK: the name that each repeater has come to
	ended  []bool    // of a GETBULK: whether it is at its end

	jumps int // over what the view has not

	// Which objects a view has as a whole, by their places in the tree: of most variables that is all
	// there is to ask. Of the view that was looked through last.
	view    *vacm.View
	covered []bool
}

func (r *Responder) newExchange() *exchange {
	e := &exchange{r: r, reader: r.tree.NewReader()}
	e.sending.fn = e.sending.try
	return e
}

// take gives an exchange that nobody owns.
func (r *Responder) take() *exchange {
	select {
	case e := <-r.free:
		return e
	default:
		return r.newExchange()
	}
}

// maxKept is the number of variables whose memory an exchange keeps: a manager that fills datagrams
// with requests for thousands must not make it hold all that for ever.
const maxKept = 1024

// put gives one back. Beyond what is used all the time they are left to the collector.
func (r *Responder) put(e *exchange) {
	if cap(e.pdu.Varbinds) > maxKept {
		e.pdu, e.last, e.ended = wire.PDU{}, nil, nil
	}
	select {
	case r.free <- e:
	default:
	}
}

// look notes through which view the next variables are seen.
func (e *exchange) look(view *vacm.View) {
	if view == e.view {
		return
	}
	e.view, e.covered = view, e.covered[:0]
	for _, oid := range e.r.objects {
		e.covered = append(e.covered, view.Covers(oid))
	}
}

// forgeable says that anybody could have sent the request from any address: its answer must not be a weapon.
func (e *exchange) forgeable() bool { return !e.secured() || e.session.Level == wire.NoAuthNoPriv }

// secured says that a message is version 3.
func (e *exchange) secured() bool { return e.msg.Version == wire.Version3 }
