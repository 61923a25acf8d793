package cas

import (
	"cmp"
	"log/slog"
	"sync/atomic"
	"time"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// moduleID is ciscoAAAServerMIB.
var moduleID = mib.MustOID("1.3.6.1.4.1.9.10.56")

// Root is cAAAServerMIBObjects.
var Root = moduleID.Append(1)

// identity is what sysORTable says of us. There is no capabilities statement (AGENT-CAPABILITIES) whose
// OID could stand there.
var identity = mib.Identity{
	ID:    moduleID,
	Descr: "CISCO-AAA-SERVER-MIB: the RADIUS and TACACS+ servers",
}

// The values of TruthValue (SNMPv2-TC).
const (
	truthTrue  = 1
	truthFalse = 2
)

// Config configures the module. All functions may be called from any goroutine.
type Config struct {
	// View returns the servers of the moment. It does not block. Once Apply has returned, View has the
	// servers that were created, and no longer those that were destroyed.
	View func() *servers.View
	// Writable reports whether casConfigTable may be SET now; nil means never.
	Writable func() bool
	// Overlay returns what managers have changed until now. It does not block. Nobody changes the slices
	// of an overlay, here or in Apply.
	Overlay func() servers.Overlay
	// Check returns an error if the configuration is not valid with an overlay: for example, if a group
	// that is used has no server left. It changes nothing. nil: each overlay is valid.
	Check func(next servers.Overlay) error
	// Apply makes an overlay durable and in use, or returns an error and changes nothing. It returns
	// within limit. Only one Apply or Restore is in progress at a time.
	Apply func(next servers.Overlay, limit time.Duration) error
	// Restore makes an overlay of before in use again, however long that takes, even if it cannot be made
	// durable; then it returns an error.
	Restore func(before servers.Overlay) error
	// GlobalKey reports whether a server of the protocol without a key of its own has one.
	GlobalKey func(servers.Protocol) bool
	// StateChangeEnabled is casServerStateChangeEnable.
	StateChangeEnabled func() bool
	// SetStateChangeEnabled sets it. It is durable when the function returns.
	SetStateChangeEnabled func(bool) error
	// Now is the clock by which rows that are not active end; nil means [time.Now].
	Now func() time.Time
	// Logger receives a line for each row and each value that a SET has changed; nil discards them.
	Logger *slog.Logger
}

// New creates the module.
func New(cfg Config) *mib.Module[*state] {
	m := &module{Config: cfg, turn: make(chan struct{}, 1)}
	m.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if m.Now == nil {
		m.Now = time.Now
	}
	m.making.Store(&[]making{})
	return &mib.Module[*state]{
		Name: "CISCO-AAA-SERVER-MIB", Root: Root, Identity: identity,
		Pin: m.pin, Objects: m.objects(), Writer: m,
	}
}

// module is the state of the module between requests. It is also its [mib.Writer].
type module struct {
	Config

	// turn has an element while a commit or an undo is in progress. Whoever has put it there changes the
	// fields below; they are read at any time.
	turn chan struct{}
	// making are the rows that are not active, sorted by key, some perhaps too old. The slice is
	// immutable.
	making atomic.Pointer[[]making]
	// enables counts the commits that have SET casServerStateChangeEnable; only the turn has it.
	enables uint64

	pinned atomic.Pointer[state] // the last state that was read
}

// objects returns the scalar and the columns of both tables.
func (m *module) objects() []mib.Object[*state] {
	enable := mib.Scalar[*state]{
		Def: mib.Def{Name: enableName, OID: Root.Append(1, 1), Type: mib.Integer32, Access: mib.ReadWrite},
		Get: func(_ *state, v *mib.Value) {
			v.SetInteger32(truthFalse)
			if m.StateChangeEnabled() {
				v.SetInteger32(truthTrue)
			}
		},
	}
	objects := []mib.Object[*state]{enable}
	for _, c := range configColumns {
		c.OID = configEntry.Append(c.OID...)
		objects = append(objects, c)
	}
	for _, c := range statisticsColumns {
		c.OID = statisticsEntry.Append(c.OID...)
		objects = append(objects, c)
	}
	return objects
}
