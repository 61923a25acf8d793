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
		if err := c.ask(ctx, http.MethodGet, api.PathServerGroups+partQuery(after, api.MaxPage), nil, &list); err != nil {
			return nil, err
		}
		all = append(all, list.Groups...)
		if list.Next <= after { // also if the daemon should turn in a circle
			return all, nil
		}
		after = list.Next
	}
}

// OnOffGroups lists all groups of acct-on-off, in the order of their names.
func (c *Client) OnOffGroups(ctx context.Context) ([]api.OnOffGroup, error) {
	var all []api.OnOffGroup
	for after := ""; ; {
		var list api.OnOffGroupList
		if err := c.ask(ctx, http.MethodGet, api.PathOnOffGroups+partQuery(after, api.MaxPage), nil, &list); err != nil {
			return nil, err
		}
		all = append(all, list.Groups...)
		if list.Next <= after {
			return all, nil
		}
		after = list.Next
	}
}

// ServerGroup is one server group; the error is a RefusedError with 404 if there is none of the name.
func (c *Client) ServerGroup(ctx context.Context, name string) (*api.ServerGroup, error) {
	return askFor[api.ServerGroup](ctx, c, http.MethodGet, api.GroupPath(name), nil)
}

// Perform has an Accounting-On or -Off sent, and gives the group as it is when that has begun.
func (c *Client) Perform(ctx context.Context, req api.PerformRequest) (*api.ServerGroup, error) {
	return askFor[api.ServerGroup](ctx, c, http.MethodPost, api.PerformPath(req), req)
}

// Spool asks how the queues and their disk are.
func (c *Client) Spool(ctx context.Context) (*api.SpoolStatus, error) {
	return askFor[api.SpoolStatus](ctx, c, http.MethodGet, api.PathSpool, nil)
}

// SetAside lists records that are set aside: those with a Seq of more than after, at most limit of
// them (1..1000).
func (c *Client) SetAside(ctx context.Context, after uint64, limit int) (*api.SetAsideList, error) {
	text := ""
	if after > 0 {
		text = strconv.FormatUint(after, 10)
	}
	return askFor[api.SetAsideList](ctx, c, http.MethodGet, api.PathSetAside+partQuery(text, limit), nil)
}

// SetAsideRecord is one of them with its attributes.
func (c *Client) SetAsideRecord(ctx context.Context, seq uint64) (*api.SetAside, error) {
	return askFor[api.SetAside](ctx, c, http.MethodGet, api.RecordPath(seq), nil)
}

// Replay puts records that are set aside back into their queues, and says how many.
func (c *Client) Replay(ctx context.Context, req api.RecordsRequest) (int, error) {
	answer := api.RecordsAnswer{}
	err := c.ask(ctx, http.MethodPost, api.PathReplay, req, &answer)
	return answer.Records, err
}

// Drop forgets records that are set aside for ever, and says how many.
func (c *Client) Drop(ctx context.Context, req api.RecordsRequest) (int, error) {
	answer := api.RecordsAnswer{}
	err := c.ask(ctx, http.MethodPost, api.PathDrop, req, &answer)
	return answer.Records, err
}

// Reroute has the records of a queue go by a method list, and says how many wait there now.
func (c *Client) Reroute(ctx context.Context, req api.RerouteRequest) (int, error) {
	answer := api.RecordsAnswer{}
	err := c.ask(ctx, http.MethodPost, api.PathReroute, req, &answer)
	return answer.Records, err
}

// ForgetDamage forgets what the spool tells of damage, and says how many entries that were.
func (c *Client) ForgetDamage(ctx context.Context) (int, error) {
	answer := api.ForgetAnswer{}
	err := c.ask(ctx, http.MethodPost, api.PathForgetDamage, nil, &answer)
	return answer.Entries, err
}

func partQuery(after string, limit int) string {
	v := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		v.Set("after", after)
	}
	return "?" + v.Encode()
}

// askFor is ask for an answer of its own.
func askFor[T any](ctx context.Context, c *Client, method, path string, req any) (*T, error) {
	out := new(T)
	if err := c.ask(ctx, method, path, req, out); err != nil {
		return nil, err
	}
	return out, nil
}

// ask sends a request, whose body is req unless that is nil, and reads the answer into out.
func (c *Client) ask(ctx context.Context, method, path string, req, out any) error {
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
