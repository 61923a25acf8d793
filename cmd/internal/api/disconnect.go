package api

import (
	"fmt"
	"net/url"
	"time"
)

// DisconnectRequest says which sessions to end: by IDs, by Filter, or All. Exactly one is given.
type DisconnectRequest struct {
	// IDs as ParseID reads them. All are ended, or none if one of them is not live.
	IDs []string `json:"ids,omitempty"`
	// Filter has the parameters of [Filter]; those are ended that it means when the request is worked on.
	Filter map[string]string `json:"filter,omitempty"`
	// All ends every session.
	All bool `json:"all,omitempty"`
	// Wait is how many seconds (at most MaxWait, parts allowed) to wait for the sessions to be gone. The
	// answer then has each session when it is gone, and at the end those that are not. 0 answers at
	// once, when it is durable that they will be ended.
	Wait Seconds `json:"wait,omitempty"`
}

// flatten makes the filter of a DisconnectRequest of the values of a URL.
func flatten(values url.Values) map[string]string {
	flat := map[string]string{}
	for key, list := range values {
		flat[key] = list[0]
	}
	return flat
}

// NewDisconnectRequest is the request that ends what a filter means: by IDs only if it has nothing
// else, and then all or nothing. A filter that means everybody gives an error: set All for that.
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
