package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"aaasess/cmd/internal/api"
)

// TestNotification sends a test notification, and yields the outcome at each target when it is known.
// An error ends the outcomes. It is a [ResponseError] with code 404 if there is no such target, or none
// at all.
func (c *Client) TestNotification(ctx context.Context, req api.TestNotificationRequest) iter.Seq2[api.NotificationOutcome, error] {
	return func(yield func(api.NotificationOutcome, error) bool) {
		var none api.NotificationOutcome
		b, err := json.Marshal(req)
		if err != nil {
			yield(none, fmt.Errorf("control: %w", err))
			return
		}
		wait := req.Wait.Duration()
		if wait == 0 {
			wait = api.DefaultNotificationWait
		}
		body, err := c.do(ctx, http.MethodPost, api.PathTestNotification, b, wait)
		if err != nil {
			yield(none, err)
			return
		}
		defer body.Close()
		dec := json.NewDecoder(body)
		for {
			var o api.NotificationOutcome
			err := dec.Decode(&o)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(none, body.explain(err))
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}
