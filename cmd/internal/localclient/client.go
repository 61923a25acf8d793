package localclient

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	localreport "aaasess/sessions/local/report"
)

var (
	// ErrNoDaemon is returned when no daemon listens on the socket.
	ErrNoDaemon = errors.New("no daemon")
	// ErrPermission is returned when the caller may not use the socket.
	ErrPermission = errors.New("permission denied")
	// ErrTimeout is returned when there is no complete answer before the deadline. The daemon may have
	// carried out the request.
	ErrTimeout = errors.New("the daemon does not answer in time")
	// ErrInvalid is returned when an answer is not valid HTTP, is incomplete or too long.
	ErrInvalid = errors.New("invalid answer of the daemon")
	// ErrKey is returned when a text cannot be an Idempotency-Key.
	ErrKey = errors.New("an idempotency key is 1 to 128 printable ASCII characters, without a space at an end")
)

// maxAnswer is the maximum size of an answer to a report: one session with its attributes.
const maxAnswer = 1 << 20

// Request is what is asked of the daemon.
type Request struct {
	Method, Path string
	Key          string // Idempotency-Key, "" for none
	Body         []byte // JSON, nil for none
}

// Do sends a request to the daemon at a socket, and returns the body of its answer. An answer that
// is an error is a [localreport.Problem]. The timeout limits everything: the connection, the request and the
// answer.
func Do(ctx context.Context, socket string, timeout time.Duration, req Request) ([]byte, error) {
	if req.Key != "" && !validKey(req.Key) {
		return nil, ErrKey
	}
	deadline := time.Now().Add(timeout)
	conn, err := dial(ctx, socket, deadline)
	if err != nil {
		return nil, explain(ctx, socket, err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("local: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_, writeErr := conn.Write(appendRequest(nil, req))
	// A daemon that rejects a request may do so, and close, before it has read it all.
	in := &recorder{r: conn}
	body, err := readAnswer(in)
	if err == nil {
		return body, nil
	}
	return nil, explain(ctx, socket, cmp.Or(in.err, problemOnly(err), writeErr, err))
}

// recorder keeps the error of a reader, apart from the end of its input: a line that a timeout has cut
// is not the fault of the daemon.
type recorder struct {
	r   io.Reader
	err error
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// problemOnly returns an error if it is an answer of the daemon.
func problemOnly(err error) error {
	if problem := (*localreport.Problem)(nil); errors.As(err, &problem) {
		return err
	}
	return nil
}

// busyWait is the time between two attempts to connect while the backlog of the socket is full: then
// the kernel refuses a connection without waiting.
const busyWait = 5 * time.Millisecond

func dial(ctx context.Context, socket string, deadline time.Time) (net.Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if !errors.Is(err, syscall.EAGAIN) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(busyWait):
		}
	}
}

// validKey reports whether a text can be the value of a header field as it is (RFC 9110 section 5.5).
func validKey(key string) bool {
	hidden := func(r rune) bool { return r < ' ' || r > '~' }
	return len(key) <= localreport.MaxKey && strings.IndexFunc(key, hidden) < 0 && strings.TrimSpace(key) == key
}

func appendRequest(b []byte, req Request) []byte {
	b = fmt.Appendf(b, "%s %s HTTP/1.1\r\nHost: aaasess\r\nConnection: close\r\n", req.Method, req.Path)
	if req.Key != "" {
		b = fmt.Appendf(b, localreport.KeyHeader+": %s\r\n", req.Key)
	}
	if req.Body != nil {
		b = fmt.Appendf(b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(req.Body))
	}
	return append(append(b, "\r\n"...), req.Body...)
}

// readAnswer reads an answer, and returns its body, or the problem that it is.
func readAnswer(r io.Reader) ([]byte, error) {
	resp, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("%w: it has more than %d octets", ErrInvalid, maxAnswer)
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return body, nil
	}
	p := &localreport.Problem{}
	if json.Unmarshal(body, p) != nil {
		p = &localreport.Problem{}
	}
	p.Status, p.Title = resp.StatusCode, cmp.Or(p.Title, http.StatusText(resp.StatusCode))
	return nil, p
}

// explain returns the reason why a request has no answer, in words for an operator.
func explain(ctx context.Context, socket string, err error) error {
	switch {
	case problemOnly(err) != nil, errors.Is(err, ErrInvalid):
		return err
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout
	case errors.Is(err, fs.ErrPermission):
		return &reasoned{ErrPermission, err, fmt.Sprintf("permission denied at %s", socket)}
	case errors.Is(err, fs.ErrNotExist):
		return &reasoned{ErrNoDaemon, err, fmt.Sprintf("no daemon at %s: the socket does not exist", socket)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &reasoned{ErrNoDaemon, err, fmt.Sprintf("no daemon at %s: nothing listens on the socket", socket)}
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &reasoned{ErrNoDaemon, err, fmt.Sprintf("the daemon at %s closed the connection without an answer", socket)}
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}

// reasoned is an error with a text for the operator in place of that of its causes.
type reasoned struct {
	kind, cause error
	text        string
}

func (e *reasoned) Error() string   { return e.text }
func (e *reasoned) Unwrap() []error { return []error{e.kind, e.cause} }
