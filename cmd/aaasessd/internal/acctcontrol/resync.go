package acctcontrol

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"aaasess/accounting"
	"aaasess/accounting/resync"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/sessions"
)

// BeginResync implements control.Accounting.
func (c *Accounting) BeginResync(group string, req api.ResyncRequest) (api.Resync, error) {
	m := accounting.Group(group)
	if _, configured := c.cfg.Methods.Waiting(m); !configured {
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrNoGroup)
	}
	t := sessions.Interim
	if req.Type == api.ResyncStart {
		t = sessions.Start
	}
	s, err := c.cfg.Resyncs.Start(m, t, uint32(cmp.Or(req.Rate, api.DefaultResyncRate)))
	if errors.Is(err, resync.ErrRunning) {
		return api.Resync{}, fmt.Errorf("server group %q: %w: it has come to %d of %d sessions", group, control.ErrResyncRuns, s.Sessions, s.Total)
	}
	return describeResync(s), err
}

// Resync implements control.Accounting.
func (c *Accounting) Resync(group string) (api.Resync, error) {
	s, ok := c.cfg.Resyncs.Status(accounting.Group(group))
	if !ok {
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrNoResync)
	}
	return describeResync(s), nil
}

// CancelResync implements control.Accounting.
func (c *Accounting) CancelResync(ctx context.Context, group string) (api.Resync, error) {
	if _, err := c.Resync(group); err != nil {
		return api.Resync{}, err
	}
	s, err := c.cfg.Resyncs.Cancel(ctx, accounting.Group(group))
	if errors.Is(err, resync.ErrNotRunning) {
		return api.Resync{}, fmt.Errorf("server group %q: %w", group, control.ErrResyncOver)
	}
	return describeResync(s), err
}

// Resyncs returns the latest resync of each group, for the status of the daemon.
func Resyncs(all *resync.Resyncs) []api.Resync {
	out := []api.Resync{}
	for _, s := range all.Statuses() {
		out = append(out, describeResync(s))
	}
	return out
}

func describeResync(s resync.Status) api.Resync {
	out := api.Resync{
		Group: s.Method.Group(), State: s.State.String(), Type: api.ResyncInterim, Rate: int(s.Rate), Began: s.Began.UTC(), Waiting: s.Waiting,
		Total: s.Total, Sessions: s.Sessions, Records: s.Records,
	}
	if s.Type == sessions.Start {
		out.Type = api.ResyncStart
	}
	if !s.Ended.IsZero() {
		out.Ended = s.Ended.UTC()
	}
	out.LeftOut = api.ResyncLeftOut{
		Elsewhere: s.LeftOut[accounting.Elsewhere], StopOnly: s.LeftOut[accounting.StopOnlyList],
		Fallback: s.LeftOut[accounting.Fallback], NullUsername: s.LeftOut[accounting.NullUsername],
	}
	return out
}
