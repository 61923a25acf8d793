package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"aaasess/cmd/internal/api"
)

// ServerGroups lists all server groups, in the order of their names.
func (c *Client) ServerGroups(ctx context.Context) ([]api.ServerGroup, error) {
	var all []api.ServerGroup
	for after := ""; ; {
		var list api.ServerGroupList
		if err := c.request(ctx, http.MethodGet, api.PathServerGroups+partQuery(after, api.MaxPage), nil, &list); err != nil {
			return nil, err
		}
		all = append(all, list.Groups...)
		if list.Next <= after { // "" in the last part; a smaller one would be an endless loop
			return all, nil
		}
		after = list.Next
	}
}

// OnOffGroups lists all acct-on-off-groups, in the order of their names.
func (c *Client) OnOffGroups(ctx context.Context) ([]api.OnOffGroup, error) {
	var all []api.OnOffGroup
	for after := ""; ; {
		var list api.OnOffGroupList
		if err := c.request(ctx, http.MethodGet, api.PathOnOffGroups+partQuery(after, api.MaxPage), nil, &list); err != nil {
			return nil, err
		}
		all = append(all, list.Groups...)
		if list.Next <= after {
			return all, nil
		}
		after = list.Next
	}
}

// ManagedServers returns what SNMP managers have changed of the servers.
func (c *Client) ManagedServers(ctx context.Context) (*api.ManagedServers, error) {
	return requestNew[api.ManagedServers](ctx, c, http.MethodGet, api.PathManaged, nil)
}

// ServerGroup returns one server group. If it does not exist, the error is a [ResponseError] with
// code 404.
func (c *Client) ServerGroup(ctx context.Context, name string) (*api.ServerGroup, error) {
	return requestNew[api.ServerGroup](ctx, c, http.MethodGet, api.GroupPath(name), nil)
}

// Perform has an Accounting-On or -Off sent, and returns the group as it is after the sending has
// started.
func (c *Client) Perform(ctx context.Context, req api.PerformRequest) (*api.ServerGroup, error) {
	return requestNew[api.ServerGroup](ctx, c, http.MethodPost, api.PerformPath(req), req)
}

// Simulate reports an event without a session, and returns when it is durable.
func (c *Client) Simulate(ctx context.Context, req *api.SimulateRequest) (*api.SimulateAnswer, error) {
	return requestNew[api.SimulateAnswer](ctx, c, http.MethodPost, api.PathSimulate, req)
}

// Resync returns the latest resync of a server group.
func (c *Client) Resync(ctx context.Context, group string) (*api.Resync, error) {
	return requestNew[api.Resync](ctx, c, http.MethodGet, api.ResyncPath(group), nil)
}

// BeginResync begins a resync of a server group.
func (c *Client) BeginResync(ctx context.Context, group string, req api.ResyncRequest) (*api.Resync, error) {
	return requestNew[api.Resync](ctx, c, http.MethodPost, api.ResyncPath(group)+"/begin", req)
}

// CancelResync ends the resync of a server group.
func (c *Client) CancelResync(ctx context.Context, group string) (*api.Resync, error) {
	return requestNew[api.Resync](ctx, c, http.MethodPost, api.ResyncPath(group)+"/cancel", nil)
}

// Spool returns the status of the queues and their disk.
func (c *Client) Spool(ctx context.Context) (*api.SpoolStatus, error) {
	return requestNew[api.SpoolStatus](ctx, c, http.MethodGet, api.PathSpool, nil)
}

// SetAside lists set-aside records with a Seq above after, at most limit (1 to 1000) of them.
func (c *Client) SetAside(ctx context.Context, after uint64, limit int) (*api.SetAsideList, error) {
	text := ""
	if after > 0 {
		text = strconv.FormatUint(after, 10)
	}
	return requestNew[api.SetAsideList](ctx, c, http.MethodGet, api.PathSetAside+partQuery(text, limit), nil)
}

// SetAsideRecord returns one set-aside record with its attributes.
func (c *Client) SetAsideRecord(ctx context.Context, seq uint64) (*api.SetAside, error) {
	return requestNew[api.SetAside](ctx, c, http.MethodGet, api.RecordPath(seq), nil)
}

// Replay puts set-aside records back into their queues, and returns their number.
func (c *Client) Replay(ctx context.Context, req api.RecordsRequest) (int, error) {
	answer := api.RecordsAnswer{}
	err := c.request(ctx, http.MethodPost, api.PathReplay, req, &answer)
	return answer.Records, err
}

// Drop deletes set-aside records for good, and returns their number.
func (c *Client) Drop(ctx context.Context, req api.RecordsRequest) (int, error) {
	answer := api.RecordsAnswer{}
	err := c.request(ctx, http.MethodPost, api.PathDrop, req, &answer)
	return answer.Records, err
}

// Reroute has the records of a queue delivered by a method list, and returns the number of records
// in the queue.
func (c *Client) Reroute(ctx context.Context, req api.RerouteRequest) (int, error) {
	answer := api.RecordsAnswer{}
	err := c.request(ctx, http.MethodPost, api.PathReroute, req, &answer)
	return answer.Records, err
}

// ForgetDamage clears the report of damaged records, and returns the number of entries cleared.
func (c *Client) ForgetDamage(ctx context.Context) (int, error) {
	answer := api.ForgetAnswer{}
	err := c.request(ctx, http.MethodPost, api.PathForgetDamage, nil, &answer)
	return answer.Entries, err
}

// Explain returns the explanation of a session ID or record name.
func (c *Client) Explain(ctx context.Context, name string) (*api.Explanation, error) {
	return requestNew[api.Explanation](ctx, c, http.MethodGet, api.ExplainPath(name), nil)
}

func partQuery(after string, limit int) string {
	v := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		v.Set("after", after)
	}
	return "?" + v.Encode()
}

// requestNew is request with a new value for the answer.
func requestNew[T any](ctx context.Context, c *Client, method, path string, req any) (*T, error) {
	out := new(T)
	if err := c.request(ctx, method, path, req, out); err != nil {
		return nil, err
	}
	return out, nil
}

// request sends a request and decodes the answer into out. The body is req as JSON, or empty if req
// is nil.
func (c *Client) request(ctx context.Context, method, path string, req, out any) error {
	var b []byte
	if req != nil {
		var err error
		if b, err = json.Marshal(req); err != nil {
			return fmt.Errorf("control: %w", err)
		}
	}
	body, err := c.do(ctx, method, path, b, 0)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return body.explain(err)
	}
	return nil
}
