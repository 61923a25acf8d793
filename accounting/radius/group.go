package radius

import (
	"errors"
	"fmt"
	"sync/atomic"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// Group is the servers of one server group as an [accounting.Method]. Its methods may be called
// from any goroutine.
type Group struct {
	*client.Group
	name string
	adds atomic.Pointer[additions] // of the Spec; a reload may change them
}

var _ accounting.Batcher = (*Group)(nil)

// New returns a group of a client. A wrong GroupConfig is an error that says what is wrong. Records
// are sent once Run runs.
func New(c *client.Client, cfg client.GroupConfig) (*Group, error) {
	g, err := c.NewGroup(cfg)
	if err != nil {
		return nil, err
	}
	group := &Group{Group: g, name: cfg.Name}
	group.adds.Store(&additions{})
	return group, nil
}

// String names the group for logs.
func (g *Group) String() string { return "accounting group " + g.name }

// Send sends a record to the group's servers, one after the other, until one answers. See
// [accounting.Method]. Send itself never calls done. A server whose Schedule has a back-off gets
// its normal transmissions, and then one transmission for each call of Send; between them the
// result is a [retry.Later]. Other errors are [accounting.ErrNoResponse]; [accounting.ErrStopped],
// also for [client.ErrOverflow]; [ErrCommand]; and [ErrUnsendable]. A Progress that is not from a Later of a
// group with the same servers counts as the start. The record must not change before done is
// called.
func (g *Group) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	if r := g.request(rec, done); r != nil {
		g.Group.Send(r, at)
	}
}

// SendAll implements [accounting.Batcher].
func (g *Group) SendAll(batch []accounting.Sending) {
	b := g.Batch()
	defer b.Flush()
	for _, s := range batch {
		if r := g.request(s.Record, s.Done); r != nil {
			b.Send(r, s.At)
		}
	}
}

// request returns the request for a record, or nil if that can never be sent; then it reports this to
// done.
func (g *Group) request(rec *accounting.Record, done func(error)) *request {
	switch {
	case rec.IsCommand():
		go done(ErrCommand)
	case !isSendable(rec):
		go done(ErrUnsendable)
	default:
		return &request{rec: rec, adds: *g.adds.Load(), done: done}
	}
	return nil
}

// Announce sends an Accounting-On or Accounting-Off (R63) to each server in the order of the
// algorithm, dead or not, until one answers. Each server gets only its normal transmissions, once.
// server is the Name of the server that answered. done is called once, but not by Announce itself.
// err is [accounting.ErrNoResponse] when no server answered, [accounting.ErrStopped], or
// [ErrUnsendable]. An announcement does not count against Window.
func (g *Group) Announce(rec *accounting.Record, done func(server string, err error)) {
	if !isSendable(rec) {
		go done("", ErrUnsendable)
		return
	}
	g.Group.Announce(&request{rec: rec, announced: done})
}

// AnnounceTo is Announce for the server with this index in the group only.
func (g *Group) AnnounceTo(server int, rec *accounting.Record, done func(server string, err error)) {
	if !isSendable(rec) {
		go done("", ErrUnsendable)
		return
	}
	g.Group.AnnounceTo(server, &request{rec: rec, announced: done})
}

// request is a record as an Accounting-Request.
type request struct {
	rec       *accounting.Record
	adds      additions
	done      func(error)
	announced func(server string, err error) // instead of done, for Announce
}

// Answers implements [client.Request].
func (r *request) Answers(code radius.Code) bool { return code == radius.CodeAccountingResponse }

// Session implements [client.Request].
func (r *request) Session() string { return r.rec.SessionText() }

// User implements [client.Request].
func (r *request) User() string { return r.rec.Attrs.Text(radius.UserName) }

// Done implements [client.Request]. The attributes of a response are ignored (RFC 2866 section
// 4.2).
func (r *request) Done(answer client.Answer, err error) {
	if r.announced != nil {
		r.announced(answer.Server, toMethodError(err))
		return
	}
	r.done(toMethodError(err))
}

// toMethodError converts an error of package client to one of [accounting.Method].
func toMethodError(err error) error {
	var later *retry.Later
	switch {
	case err == nil, errors.As(err, &later):
		return err
	case errors.Is(err, client.ErrNoResponse):
		return accounting.ErrNoResponse
	}
	return fmt.Errorf("%w: %w", accounting.ErrStopped, err) // it must be sent again
}
