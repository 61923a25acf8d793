package acctcontrol

import (
	"aaasess/accounting"
	"aaasess/accounting/methods"
	"aaasess/accounting/policy"
	"aaasess/accounting/resync"
	"aaasess/cmd/aaasessd/internal/authgroups"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/store"
)

// Config has the parts of the daemon that an [Accounting] needs.
type Config struct {
	Methods *methods.Set
	Resyncs *resync.Resyncs
	Plan    func() *policy.Plan // of sessions that begin now
	Store   *store.Store
	Folder  string                    // of the store
	Names   func() *radius.Dictionary // the names of attributes and values
	// Authentication returns the groups that Access-Requests are relayed to; nil means none.
	Authentication func() []authgroups.Status
	// Managed returns what SNMP managers have changed of the servers; nil means nothing.
	Managed func() Managed
}

// Accounting implements control.Accounting.
type Accounting struct {
	cfg   Config
	spool *accounting.Spool
	// searching has room for one explanation, the one that searches the queues. Several at once
	// would keep the processors from the packets of NASes.
	searching chan struct{}
}

var _ control.Accounting = (*Accounting)(nil)

// New returns an Accounting of these parts.
func New(cfg Config) *Accounting {
	return &Accounting{cfg: cfg, spool: accounting.NewSpool(cfg.Store), searching: make(chan struct{}, 1)}
}
