// Package controltest is a daemon in memory with a control socket, and a NAS that answers as a test
// wants, for tests of both ends of the socket.
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
)

// Daemon is a session table with its terminator and a control socket.
type Daemon struct {
	Socket     string
	Table      *sessions.Table
	Journal    *sessionstest.Journal
	Terminator *sessions.Terminator
	Server     *control.Server
	NAS        *NAS
	Commits    chan struct{} // has something if there was a commit since ClearCommits

	cancel context.CancelFunc
	ended  chan error
}

// Start starts a daemon whose socket is in a folder. change alters the configuration of the socket.
func Start(dir string, change func(*control.Config)) (*Daemon, error) {
	d := &Daemon{Socket: filepath.Join(dir, "control.sock"), Journal: sessionstest.NewJournal(), ended: make(chan error, 2)}
	d.Commits = make(chan struct{}, 1)
	d.NAS = &NAS{answers: map[string][]Answer{}}
	outcomes := control.NewOutcomes(d.NAS)
	cfg := control.Config{Socket: d.Socket, Version: "1.2.3", Outcomes: outcomes}
	if change != nil {
		change(&cfg)
	}
	d.Table = sessions.New(sessions.Config{Now: cfg.Now}, journal{d.Journal, d.Commits})
	d.NAS.table = d.Table
	var nas sessions.Disconnector = d.NAS
	if cfg.Outcomes != nil {
		nas = cfg.Outcomes
	}
	d.Terminator = sessions.NewTerminator(
		sessions.TerminatorConfig{StopWait: 5 * time.Second, RetryMin: 10 * time.Millisecond, RetryMax: 10 * time.Millisecond},
		d.Table, nas, slog.New(slog.DiscardHandler))
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

// journal tells that there was a commit.
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

// ClearCommits forgets that there were commits.
func (d *Daemon) ClearCommits() {
	select {
	case <-d.Commits:
	default:
	}
}

// Stop ends the daemon, and gives the errors of its parts.
func (d *Daemon) Stop() error {
	d.cancel()
	err := errors.Join(<-d.ended, <-d.ended)
	d.Journal.Hold(false)
	d.Journal.Close()
	return err
}

// Begin is a start of a network session of nas-1, 192.0.2.1, whose Acct-Session-Id is "s-" and the
// user's name. more alters it.
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

// With is a change for Begin: one more attribute.
func With(t radius.Type, value string) func(*sessions.Event) {
	return func(ev *sessions.Event) {
		ev.Attrs = radius.Attributes(radius.AppendAttribute([]byte(ev.Attrs), t, value))
	}
}

// Send gives an event to the table and waits until it is durable.
func (d *Daemon) Send(ev sessions.Event) error {
	durable := make(chan error, 1)
	if err := d.Table.Apply(ev, func(err error) { durable <- err }); err != nil {
		return err
	}
	return <-durable
}

// Answer is how a NAS answers one Disconnect-Request.
type Answer struct {
	sessions.Outcome
	Stop bool // the stop comes, before the answer
	Held bool // there is no answer before the daemon ends
}

// NAS is a [sessions.Disconnector] that has a list of answers for each user; the last holds for
// ever. Who has none gets no answer.
type NAS struct {
	table   *sessions.Table
	mu      sync.Mutex
	answers map[string][]Answer
}

// Will sets the answers for the sessions of a user.
func (n *NAS) Will(user string, answers ...Answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[user] = answers
}

// Disconnect implements sessions.Disconnector.
func (n *NAS) Disconnect(ctx context.Context, s *sessions.Attempt) sessions.Outcome {
	n.mu.Lock()
	var answer Answer
	if list := n.answers[s.User]; len(list) > 0 {
		answer = list[0]
		if len(list) > 1 {
			n.answers[s.User] = list[1:]
		}
	}
	n.mu.Unlock()
	if answer.Held {
		<-ctx.Done()
	}
	if answer.Stop {
		gone := make(chan error, 1)
		ev := sessions.Event{Type: sessions.Stop, NAS: *s.NAS, AcctSessionID: s.AcctSessionID, Kind: s.Kind, At: n.table.Date(s.LastEvent)}
		if n.table.Apply(ev, func(err error) { gone <- err }) == nil {
			<-gone
		}
	}
	return answer.Outcome
}
