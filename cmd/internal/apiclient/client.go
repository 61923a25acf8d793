package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"aaasess/cmd/internal/api"
)

var (
	// ErrNoDaemon is returned when nobody answers on the socket.
	ErrNoDaemon = errors.New("no daemon")
	// ErrSlow is returned when the daemon takes longer than the timeout for the next piece of its answer.
	ErrSlow = errors.New("control: the daemon does not answer in time")
	// ErrAnswer is returned for an answer that is not as it should be, such as one that breaks off.
	ErrAnswer = errors.New("control: bad answer")
)

// RefusedError is an error that the daemon has answered.
type RefusedError struct {
	Code int    // of HTTP
	Text string // what the daemon says
}

func (e *RefusedError) Error() string { return e.Text }

// Client asks a daemon. Its methods may be called from any number of goroutines.
type Client struct {
	socket  string
	timeout time.Duration
	http    *http.Client
}

// New makes a client for the socket at a path. The daemon may take as long as the timeout to
// begin its answer, and again for each piece of it; 0 means 10 s.
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

// Sessions lists the live sessions that a query means. The caller closes the List.
func (c *Client) Sessions(ctx context.Context, q api.Query) (*List, error) {
	path := api.PathSessions
	if v := q.Values(); len(v) > 0 {
		path += "?" + v.Encode()
	}
	return c.list(ctx, http.MethodGet, path, nil, 0)
}

// Disconnect ends sessions. The caller closes the List; what it has been told to end ends even so.
func (c *Client) Disconnect(ctx context.Context, req api.DisconnectRequest) (*List, error) {
	b, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	wait := req.Wait.Duration()
	return c.list(ctx, http.MethodPost, api.PathDisconnect, b, wait)
}

// Status asks how the daemon is.
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

// do sends a request and gives the body of its answer. Pieces of the body may take the timeout and
// extra.
func (c *Client) do(ctx context.Context, method, path string, body []byte, extra time.Duration) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &answer{ctx: ctx, cancel: cancel, patience: c.timeout + extra}
	a.timer = time.AfterFunc(c.timeout, func() { cancel(ErrSlow) })
	req, err := http.NewRequestWithContext(ctx, method, "http://aaasess"+path, bytes.NewReader(body))
	if err != nil {
		a.stop()
		return nil, fmt.Errorf("control: %w", err)
	}
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
	return nil, refused(resp, a)
}

// unreachable says why there is no answer at all.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("%w at %s: %w", ErrNoDaemon, c.socket, op.Err)
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("%w: %w", ErrAnswer, err)
}

func refused(resp *http.Response, body io.Reader) error {
	b, _ := io.ReadAll(io.LimitReader(body, api.MaxBody))
	var p api.Problem
	if json.Unmarshal(b, &p) != nil || p.Error == "" {
		p.Error = "status " + resp.Status
	}
	return &RefusedError{Code: resp.StatusCode, Text: p.Error}
}

// answer is a body whose reads are limited in time.
type answer struct {
	io.ReadCloser
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	patience time.Duration
}

func (a *answer) Read(b []byte) (int, error) {
	a.timer.Reset(a.patience)
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

// explain says why an answer could not be read.
func (a *answer) explain(err error) error {
	if cause := context.Cause(a.ctx); cause != nil {
		return cause
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrAnswer, err)
}
