package radius

import (
	"errors"
	"fmt"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// Group is the servers of one server group as an [accounting.Method]. Its methods may be called from any goroutine.
type Group struct {
	*client.Group
	name string
}

var _ accounting.Method = (*Group)(nil)

// New makes a group of a client; a wrong GroupConfig is an error that says what is wrong. Records are sent from Run on.
func New(c *client.Client, cfg client.GroupConfig) (*Group, error) {
	g, err := c.NewGroup(cfg)
	if err != nil {
		return nil, err
	}
	return &Group{g, cfg.Name}, nil
}

// String names the group for a log.
func (g *Group) String() string { return "accounting group " + g.name }

// Send sends a record to the group's servers, one after the other, until one answers. See
// [accounting.Method]; done is never called by Send itself. A server whose Schedule has a back-off gets
// its normal transmissions and then one for each Send: between them the record has a
// [retry.Later]. Other errors are [accounting.ErrNoResponse], [accounting.ErrStopped], which
// [client.ErrOverflow] is too, and [ErrUnsendable]. A Progress that no Later of a group of these servers gave is the beginning. The record must not
// change before done.
func (g *Group) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	if !sendable(rec) {
		go done(ErrUnsendable)
		return
	}
	g.Group.Send(&request{rec: rec, done: done}, at)
}

// Announce sends an Accounting-On or Accounting-Off (R63) to each server in the order of the algorithm,
// dead or not, until one answers: by its normal transmissions only, and once. server is the Name of who
// answered. done is called once and not by Announce itself. err is [accounting.ErrNoResponse] when
// nobody answered, [accounting.ErrStopped], or [ErrUnsendable]. It does not count against Window.
func (g *Group) Announce(rec *accounting.Record, done func(server string, err error)) {
	if !sendable(rec) {
		go done("", ErrUnsendable)
		return
	}
	g.Group.Announce(&request{rec: rec, announced: done})
}

// request is a record as an Accounting-Request.
type request struct {
	rec       *accounting.Record
	done      func(error)
	announced func(server string, err error) // in place of done, for Announce
}

// Answers is for package client.
func (r *request) Answers(code radius.Code) bool { return code == radius.CodeAccountingResponse }

// Done is for package client. The attributes of an answer mean nothing (RFC 2866 section 4.2).
func (r *request) Done(server string, _ radius.Packet, err error) {
	if r.announced != nil {
		r.announced(server, translated(err))
		return
	}
	r.done(translated(err))
}

// translated is an error of package client in the terms of an [accounting.Method].
func translated(err error) error {
	var later *retry.Later
	switch {
	case err == nil, errors.As(err, &later):
		return err
	case errors.Is(err, client.ErrNoResponse):
		return accounting.ErrNoResponse
	}
	return fmt.Errorf("%w: %w", accounting.ErrStopped, err) // it is to be tried again
}
