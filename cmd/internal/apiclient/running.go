package apiclient

import (
	"context"
	"encoding/json"
	"net/http"

	"aaasess/cmd/internal/api"
)

// RunningConfig returns the configuration in effect.
func (c *Client) RunningConfig(ctx context.Context) (*api.RunningConfig, error) {
	body, err := c.do(ctx, http.MethodGet, api.PathRunningConfig, nil, 0)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var running api.RunningConfig
	if err := json.NewDecoder(body).Decode(&running); err != nil {
		return nil, body.explain(err)
	}
	return &running, nil
}
