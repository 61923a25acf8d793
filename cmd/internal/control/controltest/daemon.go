// Package controltest runs a daemon in memory with a control socket and a scripted NAS, for tests
// of the server and the client of the socket.
package controltest

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"
)

// Daemon is a session table with its terminator and a control socket.
type Daemon struct {
	Socket     string
	Table      *sessions.Table
	Journal    *sessionstest.Journal
	Terminator *termination.Terminator
	Server     *control.Server
	NAS        *NAS
	Commits    chan struct{} // not empty if there was a commit since ClearCommits

	cancel context.CancelFunc
	ended  chan error
}

// Start starts a daemon with its socket in the folder dir. change may alter the configuration of
// the socket; it may be nil.
func Start(dir string, change func(*control.Config)) (*Daemon, error) {
	d := &Daemon{Socket: filepath.Join(dir, "control.sock"), Journal: sessionstest.NewJournal(), ended: make(chan error, 2)}
	d.Commits = make(chan struct{}, 1)
	d.NAS = &NAS{answers: map[string][]Answer{}, unable: map[string]error{}}
	cfg := control.Config{Socket: d.Socket, Version: "1.2.3"}
	if change != nil {
		change(&cfg)
	}
	d.Table = sessions.New(sessions.Config{Now: cfg.Now}, journal{d.Journal, d.Commits})
	d.NAS.table = d.Table
	d.Terminator = termination.New(
		termination.Config{StopWait: 5 * time.Second, RetryMin: 10 * time.Millisecond, RetryMax: 10 * time.Millisecond, CanEnd: d.NAS.canEnd},
		d.Table, d.NAS, slog.New(slog.DiscardHandler))
	var err error
	if d.Server, err = control.New(cfg, d.Table, d.Terminator); err != nil {
		d.Journal.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	go func() { d.ended <- d.Terminator.Run(ctx) }()
	go func() { d.ended <- d.Server.Run(ctx) }()
	return d, nil
}

// journal reports commits.
type journal struct {
	*sessionstest.Journal
	commits chan struct{}
}

// Commit implements sessions.Journal.
func (j journal) Commit(c sessions.Change, done func(error)) {
	j.Journal.Commit(c, done)
	select {
	case j.commits <- struct{}{}:
	default:
	}
}

// ClearCommits empties Commits.
func (d *Daemon) ClearCommits() {
	select {
	case <-d.Commits:
	default:
	}
}

// Stop ends the daemon, and returns the errors of its parts.
func (d *Daemon) Stop() error {
	d.cancel()
	err := errors.Join(<-d.ended, <-d.ended)
	d.Journal.Hold(false)
	d.Journal.Close()
	return err
}

// Begin starts a network session of nas-1 (192.0.2.1) with the Acct-Session-Id "s-" and the name of
// the user. more may alter the event.
func (d *Daemon) Begin(user string, at time.Time, more ...func(*sessions.Event)) error {
	ev := sessions.Event{
		Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "nas-1"},
		AcctSessionID: "s-" + user, Kind: sessions.Network, At: at,
	}
	for _, m := range more {
		m(&ev)
	}
	who := radius.AppendAttribute(radius.AppendAttribute(nil, radius.UserName, user), radius.AcctSessionID, ev.AcctSessionID)
	ev.Attrs = radius.Attributes(who) + ev.Attrs
	return d.Send(ev)
}

// With makes Begin add an attribute.
func With(t radius.Type, value string) func(*sessions.Event) {
	return func(ev *sessions.Event) {
		ev.Attrs = radius.Attributes(radius.AppendAttribute([]byte(ev.Attrs), t, value))
	}
}

// Send applies an event to the table and waits until it is durable.
func (d *Daemon) Send(ev sessions.Event) error {
	durable := make(chan error, 1)
	if err := d.Table.Apply(ev, func(err error) { durable <- err }); err != nil {
		return err
	}
	return <-durable
}

// Answer is how a NAS answers one Disconnect-Request.
type Answer struct {
	termination.Outcome
	Stop bool // the NAS sends the stop before the answer
	Held bool // the NAS does not answer until the daemon ends
}

// NAS is a [termination.Disconnector] with a list of answers for each user. It repeats the last one.
// Without a list it does not answer.
type NAS struct {
	table   *sessions.Table
	mu      sync.Mutex
	answers map[string][]Answer
	unable  map[string]error
}

// Will sets the answers for the sessions of a user.
func (n *NAS) Will(user string, answers ...Answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[user] = answers
}

// Unable sets why nothing can end the sessions of a user.
func (n *NAS) Unable(user string, why error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unable[user] = why
}

func (n *NAS) canEnd(s *sessions.Session) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.unable[s.User()]
}

// Disconnect implements termination.Disconnector.
func (n *NAS) Disconnect(ctx context.Context, s *termination.Attempt) termination.Outcome {
	n.mu.Lock()
	var answer Answer
	if list := n.answers[s.User()]; len(list) > 0 {
		answer = list[0]
		if len(list) > 1 {
			n.answers[s.User()] = list[1:]
		}
	}
	n.mu.Unlock()
	if answer.Held {
		<-ctx.Done()
	}
	if answer.Stop {
		gone := make(chan error, 1)
		ev := sessions.Event{Type: sessions.Stop, NAS: *s.NAS, AcctSessionID: s.AcctSessionID(), Kind: s.Kind, At: n.table.Date(s.LastEvent)}
		if n.table.Apply(ev, func(err error) { gone <- err }) == nil {
			<-gone
		}
	}
	return answer.Outcome
}
