package stand

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"aaasess/internal/freeport"
)

// Ending is a running aaasessd whose sessions can be ended in every way, and the server behind it.
type Ending struct {
	*Relay
	SNMP    uint16 // port of its responder, where community "public" may write
	DynAuth uint16 // port for Disconnect-Requests of the server, which has 127.0.0.1
}

// OpenEnding starts the daemon in a new folder without sessions, and an acknowledger, and returns when
// the daemon answers. nas returns the port of all NASes for Disconnect-Requests; it is called with the
// daemon's port for accounting, before the daemon starts. BuildDaemon and BuildCommand must have built
// their programs into h.Dir.
func OpenEnding(ctx context.Context, h Host, nas func(accounting uint16) (uint16, error)) (_ *Ending, err error) {
	e := &Ending{Relay: &Relay{}}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	if e.Dir, err = os.MkdirTemp(h.Dir, "ending-"); err != nil {
		return nil, err
	}
	for _, port := range []*uint16{&e.Port, &e.SNMP, &e.DynAuth} {
		if *port, err = freeport.UDP(); err != nil {
			return nil, err
		}
	}
	d := Daemon{Dir: e.Dir, Port: e.Port, SNMP: e.SNMP, DynAuth: e.DynAuth}
	if d.Disconnect, err = nas(e.Port); err != nil {
		return nil, err
	}
	if d.Upstream, err = e.openUpstream(ctx, h, OursRelaying, LargeBuffer); err != nil {
		return nil, err
	}
	if e.Server, err = d.Start(ctx, h); err != nil {
		return nil, err
	}
	return e, AwaitAnswer(ctx, e.Port, e.Server)
}

// Disconnect has "aaasess disconnect" end all sessions of a NAS.
func (e *Ending) Disconnect(ctx context.Context, h Host, nas string) error {
	_, err := h.Run(ctx, io.Discard, filepath.Join(h.Dir, commandProgram), "--socket", filepath.Join(e.Dir, "control"), "disconnect", "--nas", nas, "--yes")
	return err
}
