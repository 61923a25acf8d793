package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"aaasess/cmd/internal/api"
)

var (
	// ErrNoDaemon is returned when no daemon listens on the socket.
	ErrNoDaemon = errors.New("no daemon")
	// ErrPermission is returned when the caller may not use the socket.
	ErrPermission = errors.New("permission denied")
	// ErrTimeout is returned when the daemon needs longer than the timeout for the next part of its
	// answer.
	ErrTimeout = errors.New("the daemon does not answer in time")
	// ErrInvalid is returned when an answer cannot be decoded or is incomplete.
	ErrInvalid = errors.New("invalid answer of the daemon")
	// ErrEnded is returned when the daemon ends while it sends events.
	ErrEnded = errors.New("the daemon has ended")
)

// ResponseError is an error that the daemon has answered.
type ResponseError struct {
	Code int    // HTTP status
	Text string // the error in the words of the daemon
}

func (e *ResponseError) Error() string { return e.Text }

// Client sends requests to a daemon. Its methods may be called from any goroutine.
type Client struct {
	socket  string
	timeout time.Duration
	http    *http.Client
}

// New returns a client for the socket at a path. The timeout limits the wait for the start of an
// answer, and for each further part of it; 0 means 10 s.
func New(socket string, timeout time.Duration) *Client {
	c := &Client{socket: socket, timeout: cmp.Or(timeout, 10*time.Second)}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: c.timeout}).DialContext(ctx, "unix", socket)
		},
		DisableCompression: true, DisableKeepAlives: true,
	}}
	return c
}

// Sessions lists the live sessions that match a query. The caller closes the List.
func (c *Client) Sessions(ctx context.Context, q api.Query) (*List, error) {
	return c.list(ctx, http.MethodGet, withQuery(api.PathSessions, q), nil, 0)
}

// Accounted lists the live sessions that match a query and are accounted, for
// [List.AllAccounted]. Sort must be "". The caller closes the List.
func (c *Client) Accounted(ctx context.Context, q api.Query) (*List, error) {
	return c.list(ctx, http.MethodGet, withQuery(api.PathAccounting, q), nil, 0)
}

func withQuery(path string, q api.Query) string {
	if v := q.Values(); len(v) > 0 {
		path += "?" + v.Encode()
	}
	return path
}

// Session returns one live session with its attributes.
func (c *Client) Session(ctx context.Context, id api.ID) (*api.SessionDetail, error) {
	return requestNew[api.SessionDetail](ctx, c, http.MethodGet, api.SessionPath(id), nil)
}

// Logins returns the newest users who were accepted and whose accounting has not started, at
// most limit (1 to [api.MaxPage]).
func (c *Client) Logins(ctx context.Context, limit int) (*api.LoginList, error) {
	return requestNew[api.LoginList](ctx, c, http.MethodGet, api.PathLogins+partQuery("", limit), nil)
}

// Disconnect ends sessions. The caller closes the List. Closing it early does not stop the
// disconnect.
func (c *Client) Disconnect(ctx context.Context, req api.DisconnectRequest) (*List, error) {
	b, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	wait := req.Wait.Duration()
	return c.list(ctx, http.MethodPost, api.PathDisconnect, b, wait)
}

// Clear ends sessions whose NASes are gone, without asking the NASes. The caller closes the List. If
// the daemon needs some time, it calls progress, which may be nil, with how many of the sessions have
// ended, from another goroutine.
func (c *Client) Clear(ctx context.Context, req api.DisconnectRequest, progress func(done, total int)) (*List, error) {
	b, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return c.list(withProgress(ctx, progress), http.MethodPost, api.PathClear, b, 0)
}

// Status returns the status of the daemon.
func (c *Client) Status(ctx context.Context) (*api.Status, error) {
	body, err := c.do(ctx, http.MethodGet, api.PathStatus, nil, 0)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var status api.Status
	if err := json.NewDecoder(body).Decode(&status); err != nil {
		return nil, body.explain(err)
	}
	return &status, nil
}

// do sends a request and returns the body of its answer. Each read of the body may take the timeout
// plus extra.
func (c *Client) do(ctx context.Context, method, path string, body []byte, extra time.Duration) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &answer{ctx: ctx, cancel: cancel, readTimeout: c.timeout + extra}
	a.timer = time.AfterFunc(c.timeout, func() { cancel(ErrTimeout) })
	req, err := http.NewRequestWithContext(a.alive(ctx, c.timeout), method, "http://aaasess"+path, bytes.NewReader(body))
	if err != nil {
		a.stop()
		return nil, fmt.Errorf("control: %w", err)
	}
	req.Header.Set(api.HeaderProgress, "1")
	resp, err := c.http.Do(req)
	if err != nil {
		defer a.stop()
		return nil, c.unreachable(ctx, err)
	}
	a.ReadCloser = resp.Body
	if resp.StatusCode == http.StatusOK {
		return a, nil
	}
	defer a.Close()
	return nil, responseError(resp, a)
}

// unreachable returns the reason why there is no answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
		return dialError(c.socket, op.Err)
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return &invalidError{"it closed the connection without an answer", err}
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}

// dialError returns the error of a connection that could not be made.
func dialError(socket string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &unreachableError{
			ErrPermission, err,
			fmt.Sprintf("permission denied at %s: only root and the members of the socket's group may use it", socket),
		}
	case errors.Is(err, fs.ErrNotExist):
		return &unreachableError{ErrNoDaemon, err, fmt.Sprintf("no daemon at %s: the socket does not exist", socket)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &unreachableError{ErrNoDaemon, err, fmt.Sprintf("no daemon at %s: nothing listens on the socket", socket)}
	}
	return fmt.Errorf("%w at %s: %w", ErrNoDaemon, socket, err)
}

// unreachableError has a text for the operator in place of that of its causes.
type unreachableError struct {
	kind, cause error
	text        string
}

func (e *unreachableError) Error() string   { return e.text }
func (e *unreachableError) Unwrap() []error { return []error{e.kind, e.cause} }

func responseError(resp *http.Response, body io.Reader) error {
	b, _ := io.ReadAll(io.LimitReader(body, api.MaxBody))
	var p api.Problem
	if json.Unmarshal(b, &p) != nil || p.Error == "" {
		p.Error = "status " + resp.Status
	}
	return &ResponseError{Code: resp.StatusCode, Text: p.Error}
}

// answer is the body of an answer, with a timeout for each read.
type answer struct {
	io.ReadCloser
	ctx         context.Context
	cancel      context.CancelCauseFunc
	timer       *time.Timer
	readTimeout time.Duration // 0: none
}

func (a *answer) Read(b []byte) (int, error) {
	if a.readTimeout > 0 {
		a.timer.Reset(a.readTimeout)
	}
	return a.ReadCloser.Read(b)
}

func (a *answer) stop() {
	a.timer.Stop()
	a.cancel(nil)
}

func (a *answer) Close() error {
	a.stop()
	return a.ReadCloser.Close()
}
