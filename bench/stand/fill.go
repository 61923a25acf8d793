package stand

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aaasess/accounting"
	"aaasess/bench/nasload"
	"aaasess/internal/freeport"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

// fillCommand is the first argument that makes this program write a daemon's state and kill itself
// with SIGKILL, so that the files are those of a killed daemon.
const fillCommand = "fill"

// runFill writes the state of started sessions, each with a record for group isp. The last argument
// is the number of NASes, which have the sessions in turn.
func runFill(args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("bench: usage: fill FOLDER SESSIONS NASES")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	nases, err := strconv.Atoi(args[2])
	if err != nil || nases < 1 {
		return fmt.Errorf("bench: fill: %q is not a number of NASes", args[2])
	}
	_, table, err := OpenTable(args[0])
	if err != nil {
		return err
	}
	if err := fillTable(table, n, nases); err != nil {
		return err
	}
	fmt.Fprintln(out, n)
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// OpenTable opens a store in a folder and a table on it. The table makes start and stop records for
// group isp.
func OpenTable(folder string) (*store.Store, *sessions.Table, error) {
	st, err := store.Open(folder, store.Config{})
	if err != nil {
		return nil, nil, err
	}
	router := accounting.NewRouter(st, slog.New(slog.DiscardHandler))
	route := accounting.Route{List: "network/default", Record: accounting.StartStop, Methods: []accounting.MethodName{accounting.Group("isp")}}
	text := route.Text()
	router.SetPolicy(func(sessions.Kind, *sessions.Session) string { return text })
	return st, sessions.New(sessions.Config{}, router), nil
}

// fillTable starts n sessions, and returns when they and their records are durable. The NASes have
// them in turn.
func fillTable(table *sessions.Table, n, nases int) error {
	w := NewWindow(4096)
	for i := range n {
		m := nasload.AccessRouter
		if nases > 1 {
			m = nasload.NASNumber(i % nases)
		}
		attrs := radius.Attributes(m.Attributes(sessions.Start, i))
		w.Begin()
		err := table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: m.Addr, Local: nasload.Loopback(), Identifier: m.Identifier, IPv4: m.IP},
			Kind: sessions.Network, At: time.Now(), AcctSessionID: attrs.Text(radius.AcctSessionID), Attrs: attrs,
		}, w.Done)
		if err != nil {
			return err
		}
	}
	return w.Wait()
}

// FillState fills the folder of a store with n sessions, in another process.
func (h Host) FillState(ctx context.Context, folder string, n, nases int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var out strings.Builder
	_, err = h.Run(ctx, &out, self, fillCommand, folder, strconv.Itoa(n), strconv.Itoa(nases))
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL && strings.TrimSpace(out.String()) == strconv.Itoa(n) {
		return nil
	}
	return fmt.Errorf("bench: fill: %w", err)
}

// StartWithState starts the daemon in a new folder with the state of rows sessions, and returns
// when it answers. The server of its group does not exist. Its own responder serves SNMP.
func StartWithState(ctx context.Context, h Host, rows, nases int) (d Daemon, p *Process, err error) {
	dir, err := os.MkdirTemp(h.Dir, "daemon-")
	if err != nil {
		return d, nil, err
	}
	d = Daemon{Dir: dir}
	for _, port := range []*uint16{&d.Port, &d.Upstream, &d.SNMP} { // nothing listens at Upstream
		if *port, err = freeport.UDP(); err != nil {
			return d, nil, err
		}
	}
	if err := h.FillState(ctx, filepath.Join(dir, "state"), rows, nases); err != nil {
		return d, nil, err
	}
	if p, err = d.Start(ctx, h); err != nil {
		return d, nil, err
	}
	if err := AwaitAnswer(ctx, d.Port, p); err != nil {
		p.Kill()
		return d, nil, err
	}
	return d, p, nil
}

// OpenRelayWithState starts the daemon in a new folder with the state of rows sessions of one NAS,
// and an acknowledger, and returns when the daemon answers.
func OpenRelayWithState(ctx context.Context, h Host, rows int) (_ *Relay, err error) {
	r := &Relay{}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.Dir, err = os.MkdirTemp(h.Dir, "relay-"); err != nil {
		return nil, err
	}
	if err := h.FillState(ctx, filepath.Join(r.Dir, "state"), rows, 1); err != nil {
		return nil, err
	}
	if r.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	upstream, err := r.openUpstream(ctx, h, OursRelaying, LargeBuffer)
	if err != nil {
		return nil, err
	}
	if err := r.start(ctx, h, OursRelaying, upstream, 0); err != nil {
		return nil, err
	}
	return r, AwaitAnswer(ctx, r.Port, r.Server)
}
