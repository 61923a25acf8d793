package tacacsload

import (
	"bufio"
	"errors"
	"io"
	"net"

	"aaasess/bench/nasload"
	"aaasess/internal/tacacs"
)

// Serve serves the connections of a listener until that is closed. It calls count with the number
// in the user of each request, from any goroutine.
func Serve(l net.Listener, count func(number int)) error {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go serve(c, count)
	}
}

// serve answers the requests of a connection until it ends or has something else. Answers leave
// together when no further request has arrived.
func serve(c net.Conn, count func(number int)) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 1<<16), bufio.NewWriterSize(c, 1<<16)
	head, body, answer := make([]byte, tacacs.HeaderLen), make([]byte, 0, 1024), make([]byte, 0, 64)
	for {
		if r.Buffered() < tacacs.HeaderLen && w.Flush() != nil {
			return
		}
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		h, err := tacacs.ParseHeader(head)
		if err != nil {
			return
		}
		if uint32(cap(body)) < h.Length {
			body = make([]byte, h.Length)
		}
		body = body[:h.Length]
		if r.Buffered() < len(body) && w.Flush() != nil {
			return
		}
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		tacacs.Obfuscate(body, h, Key)
		request, err := tacacs.ParseAcctRequest(body)
		if err != nil {
			return
		}
		if i, ok := nasload.UserNumber(request.User); ok {
			count(i)
		}
		answer = appendAnswer(answer[:0], h)
		if _, err := w.Write(answer); err != nil {
			return
		}
	}
}

// answerLen is the length of an answer, in octets.
const answerLen = tacacs.HeaderLen + 5

// appendAnswer appends the answer SUCCESS to a request with this header.
func appendAnswer(b []byte, h tacacs.Header) []byte {
	reply := [...]byte{0, 0, 0, 0, byte(tacacs.StatusSuccess)}
	h.Seq, h.Length = h.Seq+1, uint32(len(reply))
	tacacs.Obfuscate(reply[:], h, Key)
	return append(tacacs.AppendHeader(b, h), reply[:]...)
}
