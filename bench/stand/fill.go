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

// fillCommand as the first argument makes this program write a daemon's state and die of SIGKILL: what is on disk
// then is what a daemon that is killed leaves.
const fillCommand = "fill"

// runFill writes the state of sessions that have started, with a record each for group isp. They are of one NAS, or in
// turn of as many as the last argument says.
func runFill(args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("bench: fill FOLDER SESSIONS NASES")
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

// OpenTable makes a store in a folder and a table on it, each session of which has a record for group isp.
func OpenTable(folder string) (*store.Store, *sessions.Table, error) {
	st, err := store.Open(folder, store.Config{})
	if err != nil {
		return nil, nil, err
	}
	router := accounting.NewRouter(st, slog.New(slog.DiscardHandler))
	err = router.SetPolicy(&accounting.Policy{Lists: map[sessions.Kind]*accounting.List{
		sessions.Network: {Name: "default", Record: accounting.StartStop, Methods: []accounting.MethodName{accounting.Group("isp")}},
	}})
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	return st, sessions.New(sessions.Config{}, router), nil
}

// fillTable returns when n sessions of so many NASes and their records are durable.
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

// FillState has a process of its own fill the folder of a store.
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

// StartWithState starts the daemon in a new folder, on the state of so many sessions of so many NASes, and returns when it
// answers. Its group's server is not there; its own responder serves SNMP.
func StartWithState(ctx context.Context, h Host, rows, nases int) (d Daemon, p *Process, err error) {
	dir, err := os.MkdirTemp(h.Dir, "daemon-")
	if err != nil {
		return d, nil, err
	}
	d = Daemon{Dir: dir}
	for _, port := range []*uint16{&d.Port, &d.Upstream, &d.SNMP} { // nobody is at upstream
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
