package client

import (
	"slices"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// Request is a request that a group sends. Done is called once. The other methods may be called
// concurrently, also with Done and after it: for a transmission that was due, and for late answers.
type Request interface {
	// Append appends to b, which is empty, the packet of a transmission made now. It returns the
	// authenticator for checking the answer. It is called for each transmission; in a group for
	// authentication, once for each server and again when the server's address changes.
	Append(b []byte, identifier byte, secret radius.Secret, now time.Time) ([]byte, radius.Authenticator)
	// Answers reports whether packets with this code answer the request.
	Answers(code radius.Code) bool
	// Session returns the Acct-Session-Id of the request, for the log; "" if it has none.
	Session() string
	// User returns the User-Name of the request, for the log; "" if it has none.
	User() string
	// Done receives the result: the answer, or one of the errors of [Group.Send].
	Done(answer Answer, err error)
}

// Answer is a server's valid answer to a request.
type Answer struct {
	// Server is the Name of the server.
	Server string
	// Packet is valid until Done returns.
	Packet radius.Packet
	// Request is the authenticator of the request that it answers, and Secret that of the server:
	// some attributes of the answer are encrypted with both.
	Request radius.Authenticator
	Secret  radius.Secret
}

// Send sends a request to the group's servers, one after the other, until one answers. It never
// calls Done itself. If a server's Schedule has a back-off, it gets its normal transmissions and
// then one for each Send; in between the result is a [retry.Later]. Other errors are
// [ErrNoResponse], [ErrStopped] and [ErrOverflow]. A Progress that is not from a Later of a group
// with these servers means the start.
func (g *Group) Send(req Request, at retry.Progress) { g.send(newExchange(g, req, at), nil) }

// Announce sends a request to each server in the order of the algorithm, dead or not, until one
// answers. It uses only the normal transmissions, once. Errors are [ErrNoResponse] and
// [ErrStopped]. Announcements do not count against Window.
func (g *Group) Announce(req Request) {
	x := newExchange(g, req, retry.Progress{})
	x.announced, x.plain = true, true
	g.send(x, nil)
}

// AnnounceTo is Announce for the server with this index in the group only.
func (g *Group) AnnounceTo(server int, req Request) {
	x := newExchange(g, req, retry.Progress{})
	x.announced, x.plain, x.excluded = true, true, allBut(server)
	g.send(x, nil)
}

// SendTo sends a request to the server with this Name only: its normal transmissions, whether it is
// dead or not. Errors are those of Send, without a [retry.Later]; [ErrNoResponse] also means that
// the group has no such server.
func (g *Group) SendTo(server string, req Request) { g.sendTo(server, req, nil) }

func (g *Group) sendTo(server string, req Request, batch *Batch) {
	x := newExchange(g, req, retry.Progress{})
	i := g.indexOf(server)
	if i < 0 {
		go x.fail(ErrNoResponse)
		return
	}
	x.plain, x.excluded = true, allBut(i)
	g.send(x, batch)
}

// Has reports whether a server with this Name is in the group.
func (g *Group) Has(server string) bool { return g.indexOf(server) >= 0 }

// indexOf returns the index of the server with this Name, or -1. Names stay the same when the group
// is reconfigured, so this needs no mutex.
func (g *Group) indexOf(server string) int {
	return slices.IndexFunc(g.paths, func(p *path) bool { return p.server.Name == server })
}

// allBut returns the bits of all servers but one.
func allBut(server int) uint64 { return ^uint64(0) ^ 1<<server }

// Abandon gives up all requests in flight, like the end of the group: each gets [ErrStopped], and
// is not sent again. Requests of [Group.Announce] continue.
func (g *Group) Abandon() {
	g.client.mu.Lock()
	var left []*exchange
	for x := range g.deadlines.All() {
		if !x.announced {
			left = append(left, x)
		}
	}
	for _, x := range left {
		g.settle(x)
	}
	g.client.mu.Unlock()
	for _, x := range left {
		x.fail(ErrStopped)
	}
}

func (g *Group) send(x *exchange, batch *Batch) {
	due, err := g.accept(x)
	if err != nil {
		go x.fail(err)
	} else if due {
		g.client.transmit(x, batch)
	}
}

// accept adds a new request. due reports whether the caller must transmit it; before Run, Run does
// that. On error the request was not added.
func (g *Group) accept(x *exchange) (due bool, err error) {
	now := g.client.cfg.Now()
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	switch {
	case g.phase == closed:
		return false, ErrStopped
	case !x.announced && g.deadlines.Len()-g.announcing >= g.cfg.MaxInFlight:
		return false, ErrOverflow
	}
	deadline := now
	if due = g.phase == running; due {
		if err := g.advance(x, now); err != nil {
			return false, err
		}
		deadline = now.Add(g.cfg.Members[x.server].Schedule.Timeout) // until it is sent
	}
	g.schedule(x, deadline)
	if x.announced {
		g.announcing++
	}
	return due, nil
}
