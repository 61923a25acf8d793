package ending

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// OpenVPN is the management interface of an OpenVPN server. Use [NewOpenVPN].
type OpenVPN struct {
	cfg  OpenVPNConfig
	turn chan struct{} // has one element while nobody is connected
}

// OpenVPNConfig configures an [OpenVPN].
type OpenVPNConfig struct {
	Name             string
	Network, Address string // unix or tcp, as for net.Dial
	Password         string // of the management interface; "": none
	// Restart tells the clients to connect again. Otherwise they are told to stop.
	Restart bool
	// Timeout limits a whole attempt.
	Timeout time.Duration
}

// NewOpenVPN returns an OpenVPN. It connects only when it ends a session.
func NewOpenVPN(cfg OpenVPNConfig) *OpenVPN {
	o := &OpenVPN{cfg: cfg, turn: make(chan struct{}, 1)}
	o.turn <- struct{}{}
	return o
}

const (
	// maxStatus limits the octets of an answer: about 100,000 clients.
	maxStatus = 32 << 20
	// maxLine limits a line.
	maxLine = 64 << 10
)

// disconnect ends the session's client.
func (o *OpenVPN) disconnect(ctx context.Context, s *sessions.Session) termination.Outcome {
	limited, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	out, err := o.attempt(limited, s)
	switch timeout := net.Error(nil); {
	case err == nil:
		return out
	case ctx.Err() != nil:
		return termination.Outcome{Err: context.Cause(ctx)}
	case limited.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return silent("OpenVPN server %q has not answered in %v: is another program connected to its management interface?", o.cfg.Name, o.cfg.Timeout)
	}
	return termination.Outcome{Err: fmt.Errorf("OpenVPN server %q: %w", o.cfg.Name, err)}
}

func (o *OpenVPN) attempt(ctx context.Context, s *sessions.Session) (out termination.Outcome, err error) {
	select {
	case <-o.turn:
		defer func() { o.turn <- struct{}{} }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	m, err := o.connect(ctx)
	if err != nil {
		return out, err
	}
	defer m.close()
	client, out, err := o.find(m, s)
	if err != nil || client == nil {
		return out, err
	}
	if ctx.Err() != nil { // the session may have ended, and the user may have connected again
		return out, ctx.Err()
	}
	message := "HALT"
	if o.cfg.Restart {
		message = "RESTART"
	}
	answer, err := m.command(fmt.Sprintf("client-kill %d %s", client.id, message), nil)
	switch {
	case err != nil:
		return out, err
	case strings.HasPrefix(answer, success):
		return termination.Outcome{Answer: termination.ACK}, nil
	}
	return refused(0, "OpenVPN server %q: %s", o.cfg.Name, oneLine(answer)), nil
}

// find returns the client of a session, or an outcome.
func (o *OpenVPN) find(m *management, s *sessions.Session) (*vpnClient, termination.Outcome, error) {
	var p statusParser
	var malformed error
	_, err := m.command("status 3", func(line string) {
		if malformed == nil {
			malformed = p.line(line)
		}
	})
	if err = errors.Join(err, malformed); err != nil {
		return nil, termination.Outcome{}, err
	}
	var found []*vpnClient
	for i := range p.clients {
		if p.clients[i].isOf(s) {
			found = append(found, &p.clients[i])
		}
	}
	switch len(found) {
	case 0:
		return nil, gone("OpenVPN server %q has no such client", o.cfg.Name), nil
	case 1:
		return found[0], termination.Outcome{}, nil
	}
	return nil, refused(radius.MultipleSessions, "%d clients of OpenVPN server %q match", len(found), o.cfg.Name), nil
}

// management is a connection to a management interface.
type management struct {
	conn   net.Conn
	reader *bufio.Reader
	stop   func() bool
}

// The beginnings of lines.
const (
	success = "SUCCESS:"
	failure = "ERROR:"
)

// passwordPrompt comes without the end of a line.
var passwordPrompt = []byte("ENTER PASSWORD:")

// connect opens a connection and waits for the greeting.
func (o *OpenVPN) connect(ctx context.Context) (*management, error) {
	conn, err := new(net.Dialer).DialContext(ctx, o.cfg.Network, o.cfg.Address)
	if err != nil {
		return nil, err
	}
	m := newManagement(ctx, conn)
	if err := m.greet(o.cfg.Password); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// newManagement uses a connection until ctx is done.
func newManagement(ctx context.Context, conn net.Conn) *management {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return &management{conn, bufio.NewReaderSize(io.LimitReader(conn, maxStatus), maxLine), stop}
}

func (m *management) close() {
	m.stop()
	_ = m.conn.Close() // nothing that we have sent lacks its answer
}

var (
	errPassword = errors.New("its management interface wants a password, and none is configured")
	errRefused  = errors.New("its management interface refuses the password")
)

// greet gives the password if one is wanted, and reads the first line.
func (m *management) greet(password string) error {
	first, err := m.reader.Peek(1)
	if err != nil {
		return err
	}
	if first[0] == passwordPrompt[0] {
		if err := m.logIn(password); err != nil {
			return err
		}
	}
	_, err = m.read() // >INFO:OpenVPN Management Interface Version 5 ...
	return err
}

func (m *management) logIn(password string) error {
	prompt, err := m.reader.Peek(len(passwordPrompt))
	switch {
	case err != nil:
		return err
	case !bytes.Equal(prompt, passwordPrompt):
		return fmt.Errorf("its first octets are %q", prompt)
	case password == "":
		return errPassword
	}
	_, _ = m.reader.Discard(len(passwordPrompt)) // they have been read
	if _, err := io.WriteString(m.conn, password+"\n"); err != nil {
		return err
	}
	again, err := m.reader.Peek(len(passwordPrompt))
	switch {
	case err != nil:
		return err
	case bytes.Equal(again, passwordPrompt): // it only asks again
		return errRefused
	}
	line, err := m.read()
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(line, success):
		return nil
	}
	return errRefused
}

// read reads a line, without its end.
func (m *management) read() (string, error) {
	line, err := m.reader.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF):
		return "", io.ErrUnexpectedEOF
	case err != nil: // bufio.ErrBufferFull too
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// command sends a command and reads its answer: the last line. Each line before that goes to lines, if
// it is not nil.
func (m *management) command(text string, lines func(string)) (string, error) {
	if _, err := io.WriteString(m.conn, text+"\n"); err != nil {
		return "", err
	}
	for {
		line, err := m.read()
		switch {
		case err != nil:
			return "", err
		case strings.HasPrefix(line, ">"): // a notification
		case strings.HasPrefix(line, failure):
			if lines != nil {
				return "", errors.New(oneLine(line))
			}
			return line, nil
		case strings.HasPrefix(line, success), line == "END":
			return line, nil
		case lines != nil:
			lines(line)
		}
	}
}
