package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"

	"aaasess/internal/tacacs"
)

// The seq_no of the two packets of an accounting session (RFC 8907 section 4.1).
const (
	requestSeq = 1
	replySeq   = 2
)

// Faults of an answer, after which nothing on the connection can be trusted.
var (
	errMalformed = errors.New("malformed answer")
	errForeign   = errors.New("not an answer to an accounting request")
	errWrongKey  = errors.New("answer cannot be read with this key")
)

func isFault(err error) bool {
	return errors.Is(err, errMalformed) || errors.Is(err, errForeign) || errors.Is(err, errWrongKey)
}

// errDone ends a connection that has done its work.
var errDone = errors.New("connection is not needed any more")

// readBuffer is the size of a connection's buffer for answers.
const readBuffer = 4 << 10

// read handles answers until the connection ends. It returns the reason.
func (c *conn) read(socket net.Conn) error {
	r := bufio.NewReaderSize(socket, readBuffer)
	var a answer
	for {
		if err := a.read(r, c.path.server.Key); err != nil {
			return err
		}
		if err := c.handle(&a); err != nil {
			return err
		}
	}
}

// answer is a packet from a server.
type answer struct {
	header tacacs.Header
	reply  tacacs.AcctReply
	fault  error // errMalformed, errForeign or errWrongKey, wrapped: the packet is no valid answer
	body   []byte
}

// read reads the next packet. An error means that there is none. Everything about the packet is
// checked but its session.
func (a *answer) read(r io.Reader, key tacacs.Key) error {
	var header [tacacs.HeaderLen]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return err
	}
	a.reply, a.fault = tacacs.AcctReply{}, nil
	var err error
	if a.header, err = tacacs.ParseHeader(header[:]); err != nil {
		a.fault = fmt.Errorf("%w: %w", errMalformed, err)
		return nil
	}
	if n := int(a.header.Length); cap(a.body) < n {
		a.body = make([]byte, n) // at most tacacs.MaxBody
	}
	a.body = a.body[:a.header.Length]
	if _, err := io.ReadFull(r, a.body); err != nil {
		return err
	}
	a.parse(key)
	return nil
}

// parse decodes the body and sets fault.
func (a *answer) parse(key tacacs.Key) {
	switch {
	case a.header.Type != tacacs.TypeAccounting:
		a.fault = fmt.Errorf("%w: type %d", errForeign, a.header.Type)
		return
	case a.header.Seq != replySeq:
		a.fault = fmt.Errorf("%w: seq_no %d", errMalformed, a.header.Seq)
		return
	case a.header.Flags&tacacs.FlagUnencrypted != 0: // RFC 8907 section 4.5
		a.fault = fmt.Errorf("%w: it is not obfuscated", errWrongKey)
		return
	}
	tacacs.Obfuscate(a.body, a.header, key)
	var err error
	if a.reply, err = tacacs.ParseAcctReply(a.body); err != nil {
		a.fault = fmt.Errorf("%w: %w", errWrongKey, err)
		return
	}
	switch a.reply.Status {
	case tacacs.StatusSuccess, tacacs.StatusError, tacacs.StatusFollow:
	default:
		a.fault = fmt.Errorf("%w: %v", errMalformed, a.reply.Status)
	}
}
