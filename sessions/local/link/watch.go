package link

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/sessions"
)

// news is what the socket for notifications has told.
type news struct {
	gone *sessions.Sample // an interface has disappeared; these are its last counters
	err  error            // the socket has failed; notifications may be lost
}

const (
	// receiveBuffer is the size of the kernel's queue of notifications, some hundred of them.
	receiveBuffer = 1 << 20
	// redial is the time after which a socket that has failed is opened again.
	redial = time.Second
)

// watch begins to listen to notifications, once.
func (r *Reader) watch(ctx context.Context) {
	if r.watcher != nil {
		return
	}
	ctx, r.watcher = context.WithCancel(ctx)
	r.waiting.Go(func() {
		for ctx.Err() == nil {
			r.tell(ctx, news{err: r.listen(ctx)})
			select {
			case <-ctx.Done():
			case <-time.After(redial):
			}
		}
	})
}

func (r *Reader) tell(ctx context.Context, n news) {
	select {
	case <-ctx.Done():
	case r.news <- n:
	}
}

// listen passes on notifications until the socket fails or ctx is done.
func (r *Reader) listen(ctx context.Context) error {
	conn, err := r.cfg.Dial(1 << (unix.RTNLGRP_LINK - 1))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	_ = conn.SetReadBuffer(receiveBuffer) // a smaller one works, too
	for {
		messages, err := conn.Receive()
		if errors.Is(err, unix.ENOBUFS) {
			r.tell(ctx, news{err: err})
			continue
		}
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.Header.Type != unix.RTM_DELLINK {
				continue
			}
			if gone, err := parseLink(m.Data); err != nil {
				return err
			} else if !gone.bridge {
				r.tell(ctx, news{gone: &gone.Sample})
			}
		}
	}
}

// hear handles what the socket for notifications has told.
func (r *Reader) hear(n news) {
	if n.gone != nil {
		r.table.LinkLost(r.cfg.Host, n.gone.IfIndex, &n.gone.Traffic)
		r.endSoon()
		return
	}
	if suppressed, ok := r.lostLine.Allow(time.Now()); ok {
		r.cfg.Logger.Warn("notifications about network interfaces were lost; all interfaces are read", "suppressed", suppressed, "err", n.err)
	}
	r.readAll()
}

// endSoon ends sessions of lost interfaces when their time has come. An interface that is lost now is
// due after those for which that is already arranged.
func (r *Reader) endSoon() {
	if r.ending {
		return
	}
	if next := r.table.NextLost(grace); next > 0 {
		r.endings.Reset(next)
		r.ending = true
	}
}

// end ends sessions whose interface has disappeared, in groups, and waits until each is durable.
func (r *Reader) end(ctx context.Context) {
	r.ending = false
	for {
		durable := make(chan error, 1)
		ended, err := r.table.EndLost(grace, func(err error) { durable <- err })
		if err != nil {
			r.endings.Reset(redial)
			r.ending = true
			return
		}
		select {
		case <-ctx.Done():
			return
		case err = <-durable:
		}
		if err != nil || len(ended) == 0 {
			break
		}
		for _, s := range ended {
			r.cfg.Logger.Info("the network interface of a session has disappeared, making the stop record",
				"session", s.ID.String(), "user", s.User(), "nas", s.NAS.String(), "ifindex", s.IfIndex())
		}
	}
	r.endSoon()
}

// save makes the newest counters durable, so that they are not lost if interfaces disappear while the
// daemon is down.
func (r *Reader) save() {
	if !r.table.HasLinks() {
		return
	}
	r.readAll()
	durable := make(chan error, 1)
	if err := r.table.SaveTraffic(func(err error) { durable <- err }); err != nil {
		return
	}
	select {
	case <-durable:
	case <-time.After(saveTimeout):
	}
}
