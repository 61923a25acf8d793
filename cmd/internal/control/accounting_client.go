package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// ServerGroups lists all server groups, in the order of their names.
func (c *Client) ServerGroups(ctx context.Context) ([]ServerGroup, error) {
	var all []ServerGroup
	for after := ""; ; {
		var list ServerGroupList
		if err := c.ask(ctx, http.MethodGet, "/v1/server-groups"+partQuery(after, maxPage), nil, &list); err != nil {
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
func (c *Client) OnOffGroups(ctx context.Context) ([]OnOffGroup, error) {
	var all []OnOffGroup
	for after := ""; ; {
		var list OnOffGroupList
		if err := c.ask(ctx, http.MethodGet, "/v1/acct-on-off-groups"+partQuery(after, maxPage), nil, &list); err != nil {
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
func (c *Client) ServerGroup(ctx context.Context, name string) (*ServerGroup, error) {
	return askFor[ServerGroup](ctx, c, http.MethodGet, groupPath(name), nil)
}

// Perform has an Accounting-On or -Off sent, and gives the group as it is when that has begun.
func (c *Client) Perform(ctx context.Context, req PerformRequest) (*ServerGroup, error) {
	return askFor[ServerGroup](ctx, c, http.MethodPost, groupPath(req.Group)+"/"+string(req.Action), req)
}

// Spool asks how the queues and their disk are.
func (c *Client) Spool(ctx context.Context) (*SpoolStatus, error) {
	return askFor[SpoolStatus](ctx, c, http.MethodGet, "/v1/spool", nil)
}

// SetAside lists records that are set aside: those with a Seq of more than after, at most limit of
// them (1..1000).
func (c *Client) SetAside(ctx context.Context, after uint64, limit int) (*SetAsideList, error) {
	text := ""
	if after > 0 {
		text = strconv.FormatUint(after, 10)
	}
	return askFor[SetAsideList](ctx, c, http.MethodGet, "/v1/spool/set-aside"+partQuery(text, limit), nil)
}

// SetAsideRecord is one of them with its attributes.
func (c *Client) SetAsideRecord(ctx context.Context, seq uint64) (*SetAside, error) {
	return askFor[SetAside](ctx, c, http.MethodGet, "/v1/spool/set-aside/"+strconv.FormatUint(seq, 10), nil)
}

// Replay puts records that are set aside back into their queues, and says how many.
func (c *Client) Replay(ctx context.Context, req RecordsRequest) (int, error) {
	answer := RecordsAnswer{}
	err := c.ask(ctx, http.MethodPost, "/v1/spool/replay", req, &answer)
	return answer.Records, err
}

// Drop forgets records that are set aside for ever, and says how many.
func (c *Client) Drop(ctx context.Context, req RecordsRequest) (int, error) {
	answer := RecordsAnswer{}
	err := c.ask(ctx, http.MethodPost, "/v1/spool/drop", req, &answer)
	return answer.Records, err
}

// Reroute has the records of a queue go by a method list, and says how many wait there now.
func (c *Client) Reroute(ctx context.Context, req RerouteRequest) (int, error) {
	answer := RecordsAnswer{}
	err := c.ask(ctx, http.MethodPost, "/v1/spool/reroute", req, &answer)
	return answer.Records, err
}

// ForgetDamage forgets what the spool tells of damage, and says how many entries that were.
func (c *Client) ForgetDamage(ctx context.Context) (int, error) {
	answer := ForgetAnswer{}
	err := c.ask(ctx, http.MethodPost, "/v1/spool/forget-damage", nil, &answer)
	return answer.Entries, err
}

func groupPath(name string) string { return "/v1/server-groups/" + url.PathEscape(name) }

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
