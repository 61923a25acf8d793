package api

import (
	"fmt"
	"net/url"
	"time"
)

// DisconnectRequest selects sessions to end. Exactly one of IDs, Filter and All is set.
type DisconnectRequest struct {
	// IDs are session IDs as ParseID reads them. If one of them is not live, no session is ended.
	IDs []string `json:"ids,omitempty"`
	// Filter has the parameters of a [Filter], without id. It selects among the sessions that are
	// live when the daemon carries out the request.
	Filter map[string]string `json:"filter,omitempty"`
	// All selects every session.
	All bool `json:"all,omitempty"`
	// Most is how many sessions Filter may match; if more match, none is ended. 0: any number. It keeps
	// a caller who has confirmed a number from ending more.
	Most int `json:"most,omitempty"`
	// Wait is how long to wait for the sessions to end, at most MaxWait. The answer has each
	// session as soon as it has ended, and at the end of the wait those that have not. With 0, the
	// answer comes as soon as it is durable that the sessions will be ended.
	Wait Seconds `json:"wait,omitempty"`
}

// flatten converts the values of a URL to the filter of a DisconnectRequest.
func flatten(values url.Values) map[string]string {
	flat := map[string]string{}
	for key, list := range values {
		flat[key] = list[0]
	}
	return flat
}

// NewDisconnectRequest returns the request to end the sessions that match a filter. The filter has
// either IDs or other fields. An empty filter is an error: set All to end every session.
func NewDisconnectRequest(f Filter, wait time.Duration) (DisconnectRequest, error) {
	req := DisconnectRequest{Wait: InSeconds(wait)}
	for _, id := range f.IDs {
		req.IDs = append(req.IDs, id.String())
	}
	f.IDs = nil
	req.Filter = flatten(f.values())
	if (len(req.IDs) > 0) == (len(req.Filter) > 0) {
		return DisconnectRequest{}, fmt.Errorf("%w: give either IDs or a filter", ErrQuery)
	}
	return req, nil
}
