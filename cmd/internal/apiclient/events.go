package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"syscall"

	"aaasess/cmd/internal/api"
)

// Debug yields the lines of the log that match a filter, from now on. It ends only with an error:
// [ErrEnded] if the daemon ends. started is called when the daemon has accepted the request.
func (c *Client) Debug(ctx context.Context, f api.DebugFilter, started func()) iter.Seq2[api.DebugLine, error] {
	return func(yield func(api.DebugLine, error) bool) {
		a, err := c.do(ctx, http.MethodGet, api.PathDebug+"?"+f.URL().Encode(), nil, 0)
		if err != nil {
			yield(api.DebugLine{}, err)
			return
		}
		a.timer.Stop()
		a.readTimeout = 0
		stream := &EventStream{a}
		defer stream.Close()
		started()
		dec := json.NewDecoder(a)
		for {
			var line api.DebugLine
			if err := dec.Decode(&line); err != nil {
				yield(api.DebugLine{}, stream.explain(err))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// EventStream is an answer with accountable events, read while they occur.
type EventStream struct{ body *answer }

// Events shows the accountable events that match a filter, from now on. The caller closes the
// EventStream. The timeout of the Client is for the start of the answer only, because the next event
// may be long in coming.
func (c *Client) Events(ctx context.Context, f api.EventFilter) (*EventStream, error) {
	path := api.PathEvents
	if v := f.Values(); len(v) > 0 {
		path += "?" + v.Encode()
	}
	a, err := c.do(ctx, http.MethodGet, path, nil, 0)
	if err != nil {
		return nil, err
	}
	a.timer.Stop()
	a.readTimeout = 0
	return &EventStream{a}, nil
}

// All yields the lines of the answer. It ends only with an error: [ErrEnded] if the daemon ends.
func (s *EventStream) All() iter.Seq2[api.EventLine, error] {
	return func(yield func(api.EventLine, error) bool) {
		dec := json.NewDecoder(s.body)
		for {
			var line api.EventLine
			if err := dec.Decode(&line); err != nil {
				yield(api.EventLine{}, s.explain(err))
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// explain returns the reason why there is no further line.
func (s *EventStream) explain(err error) error {
	isEnd := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
	if isEnd && context.Cause(s.body.ctx) == nil {
		return ErrEnded
	}
	return s.body.explain(err)
}

// Close ends the request.
func (s *EventStream) Close() error { return s.body.Close() }
