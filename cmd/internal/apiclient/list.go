package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"aaasess/cmd/internal/api"
)

// List is an answer with sessions, read while it arrives.
type List struct {
	Total   int // live sessions; set by Sessions
	Matched int // sessions that match; the list may be shorter because of a limit
	Marked  int // sessions that were not already being ended; set by Disconnect
	// Unable is how many sessions a Disconnect has left as they were, because nothing can end them.
	// UnableReason is why the first of them cannot be ended.
	Unable       int
	UnableReason string
	Cleared      int // sessions that were ended; set by Clear
	// Accounted is the number of sessions that match and are accounted; set by Accounted.
	Accounted int

	body *answer
	dec  *json.Decoder
}

// errMissing is the error of a field that an answer must have.
var errMissing = errors.New("it is missing")

func (c *Client) list(ctx context.Context, method, path string, body []byte, extra time.Duration) (*List, error) {
	a, err := c.do(ctx, method, path, body, extra)
	if err != nil {
		return nil, err
	}
	l := &List{body: a, dec: json.NewDecoder(a)}
	if err := l.readHead(); err != nil {
		defer a.Close()
		return nil, a.explain(err)
	}
	return l, nil
}

// readHead reads up to the first session.
func (l *List) readHead() error {
	if err := l.expect(json.Delim('{')); err != nil {
		return err
	}
	for {
		key, err := l.dec.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok { // the end of the object
			return &fieldError{"sessions", errMissing}
		}
		switch name {
		case "total":
			err = l.dec.Decode(&l.Total)
		case "matched":
			err = l.dec.Decode(&l.Matched)
		case "marked":
			err = l.dec.Decode(&l.Marked)
		case "unable":
			err = l.dec.Decode(&l.Unable)
		case "unableReason":
			err = l.dec.Decode(&l.UnableReason)
		case "cleared":
			err = l.dec.Decode(&l.Cleared)
		case "accounted":
			err = l.dec.Decode(&l.Accounted)
		case "sessions":
			return inField(name, l.expect(json.Delim('[')))
		default:
			var ignored json.RawMessage
			err = l.dec.Decode(&ignored)
		}
		if err != nil {
			return inField(name, err)
		}
	}
}

func (l *List) expect(want json.Delim) error {
	got, err := l.dec.Token()
	if err == nil && got != want {
		err = &kindError{got, want}
	}
	return err
}

// All yields the sessions in the order of the answer. It can be used once. After an error it yields
// nothing more.
func (l *List) All() iter.Seq2[api.Session, error] { return items[api.Session](l) }

// AllAccounted is All for the answer to Accounted.
func (l *List) AllAccounted() iter.Seq2[api.AccountedSession, error] {
	return items[api.AccountedSession](l)
}

func items[T any](l *List) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for l.dec.More() {
			var s, none T
			if err := l.dec.Decode(&s); err != nil {
				yield(none, l.body.explain(inField("sessions", err)))
				return
			}
			if !yield(s, nil) {
				return
			}
		}
		err := l.expect(json.Delim(']'))
		if err == nil {
			err = l.expect(json.Delim('}'))
		}
		if err != nil {
			var none T
			yield(none, l.body.explain(err))
		}
	}
}

// Close ends the request, even if the answer is not read to its end.
func (l *List) Close() error { return l.body.Close() }
