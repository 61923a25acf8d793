package page

import (
	"context"
	"net/http"

	"aaasess/cmd/internal/api"
)

// Blocked tells, by name, which queues and server groups are blocked.
type Blocked struct{ Queues, Groups map[string]bool }

// Source is where a [Page] reads and what it changes. Its functions may be called from any goroutine,
// and must not wait for more than a lock and the disk, unless said otherwise. The caller owns the
// results. Texts of sessions and records come from the network: a page shows them as text only.
type Source struct {
	// Version is the version of the daemon.
	Version string
	// Person returns the name of the person that has sent a request, if the HTTP listener has
	// authenticated one. nil: it authenticates nobody.
	Person func(*http.Request) (name string, ok bool)
	// Status returns the verdict with its reasons, and the counts of the daemon.
	Status func() api.Status
	// Sessions returns the part of the list of live sessions that a query asks for.
	Sessions func(api.Query) (api.SessionsHead, []api.Session)
	// Session returns a live session with its attributes; false: it is not live.
	Session func(api.ID) (api.SessionDetail, bool)
	// Groups returns the configured server groups, and OnOffGroups the acct-on-off-groups, both in any
	// order.
	Groups      func() []api.ServerGroup
	OnOffGroups func() []api.OnOffGroup
	// Blocked returns what is blocked. A group is if aaasessMethodState of AAASESS-MIB says so; a queue
	// is not if only logins have no answer.
	Blocked func() Blocked
	// Spool returns the status of the queues and the disk.
	Spool func() api.SpoolStatus
	// SetAside lists set-aside records with a Seq above after, in the order of Seq, at most limit of them.
	SetAside func(after uint64, limit int) ([]api.SetAside, error)
	// SNMP returns the status of the SNMP responder and its users; nil: nothing is served over SNMP.
	SNMP func() *api.SNMPStatus
	// Disconnect starts to end a live session at its NAS, and returns when it is durable that it will be
	// ended. person is who is authenticated, and from the address of their browser, for the log. It
	// returns an error that a person can read if nothing can end the session or it is not live.
	Disconnect func(ctx context.Context, id api.ID, person, from string) error
}
