package tacacs

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// Group is the servers of one server group as an [accounting.Method]. Its methods may be called
// from any goroutine.
type Group struct {
	*tacclient.Group
	name      string
	arguments atomic.Pointer[Arguments] // of the Spec; a reload may change them
}

var _ accounting.Method = (*Group)(nil)

// New returns a group of a client. A wrong GroupConfig is an error that says what is wrong. Records
// are sent once Run runs. The arguments must not change afterwards.
func New(c *tacclient.Client, cfg tacclient.GroupConfig, arguments *Arguments) (*Group, error) {
	g, err := c.NewGroup(cfg)
	if err != nil {
		return nil, err
	}
	group := &Group{Group: g, name: cfg.Name}
	group.arguments.Store(arguments)
	return group, nil
}

// String names the group for logs.
func (g *Group) String() string { return "accounting group " + g.name }

// Send sends a record to the group's servers, one after the other, until one accepts it. See
// [accounting.Method]. Send itself never calls done. A server whose Schedule has a back-off gets
// its normal transmissions, and then one transmission for each call of Send; between them the
// result is a [retry.Later]. Other errors are [accounting.ErrNoResponse];
// [accounting.ErrNotAccepted] if servers answered ERROR or FOLLOW (R42) and are not dead; [accounting.ErrStopped], also for [tacclient.ErrOverflow]; and
// [tacclient.ErrUnsendable]. A Progress that is not from a Later of a group with the same servers
// counts as the start. The record must not change before done is called.
func (g *Group) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	g.Group.Send(&request{rec: rec, arguments: g.arguments.Load(), done: done}, at)
}

// Announce sends a system record (R52, R63) to each server in order, dead or not, until one accepts
// it. Each server gets only its normal transmissions, once. server is the Name of the server that
// accepted it. done is called once, but not by Announce itself. err is [accounting.ErrNoResponse]
// when no server accepted it, [accounting.ErrNotAccepted] if one answered all the same,
// [accounting.ErrStopped], or [tacclient.ErrUnsendable]. An announcement does not count against
// Window.
func (g *Group) Announce(rec *accounting.Record, done func(server string, err error)) {
	g.Group.Announce(&request{rec: rec, arguments: g.arguments.Load(), announced: done})
}

// AnnounceTo is Announce for the server with this index in the group only.
func (g *Group) AnnounceTo(server int, rec *accounting.Record, done func(server string, err error)) {
	g.Group.AnnounceTo(server, &request{rec: rec, arguments: g.arguments.Load(), announced: done})
}

// request is a record as an accounting REQUEST.
type request struct {
	rec       *accounting.Record
	arguments *Arguments
	done      func(error)
	announced func(server string, err error) // instead of done, for Announce
}

// Accounting implements [tacclient.Request].
func (r *request) Accounting(now time.Time) tacacs.AcctRequest {
	return r.arguments.Request(r.rec, now)
}

// Session implements [tacclient.Request].
func (r *request) Session() string { return r.rec.SessionText() }

// Record implements [tacclient.Request].
func (r *request) Record() any {
	return recordID{uint32(r.rec.Session), uint8(r.rec.Type), r.rec.At.UnixNano()}
}

// recordID identifies a record among those that are sent at the same time.
type recordID struct {
	session uint32
	typ     uint8
	at      int64
}

// Done implements [tacclient.Request].
func (r *request) Done(server string, err error) {
	if r.announced != nil {
		r.announced(server, toMethodError(err))
		return
	}
	r.done(toMethodError(err))
}

// toMethodError converts an error of package client to one of [accounting.Method].
func toMethodError(err error) error {
	var later *retry.Later
	switch {
	case err == nil, errors.As(err, &later), errors.Is(err, tacclient.ErrUnsendable):
		return err
	case errors.Is(err, tacclient.ErrRefused):
		return accounting.ErrNotAccepted
	case errors.Is(err, tacclient.ErrNoResponse):
		return accounting.ErrNoResponse
	}
	return fmt.Errorf("%w: %w", accounting.ErrStopped, err) // it must be sent again
}
