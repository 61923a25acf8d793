package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// An [Accounting] returns these errors, wrapped with the name or number of the request. Any other
// error means that the request cannot be carried out now (503).
var (
	// ErrNoGroup is returned when a server group is not configured (404).
	ErrNoGroup = errors.New("no such server group")
	// ErrNoRecord is returned when a record is not set aside (404).
	ErrNoRecord = errors.New("not set aside")
	// ErrNothingToExplain is returned when a session is not live and has no record (404).
	ErrNothingToExplain = errors.New("not live, and no record of it waits")
	// ErrNotWaiting is returned when a record neither waits nor is set aside (404).
	ErrNotWaiting = errors.New("does not wait: it was delivered, dropped or never made")
	// ErrNoAcctOnOff is returned when a group sends no Accounting-On and -Off, or only monitors
	// another group (409).
	ErrNoAcctOnOff = errors.New("sends neither Accounting-On nor Accounting-Off")
	// ErrAcknowledged is returned when a server has already acknowledged the Accounting-On or -Off
	// (409).
	ErrAcknowledged = errors.New("already acknowledged; --force sends another one")
	// ErrResyncRuns is returned when a resync of a group is running (409).
	ErrResyncRuns = errors.New("a resync is running")
	// ErrNoResync is returned when there was no resync of a group yet (404).
	ErrNoResync = errors.New("no resync was begun")
	// ErrResyncOver is returned when no resync of a group is running that could be canceled (409).
	ErrResyncOver = errors.New("no resync is running")
	// ErrDamaged is returned when a record cannot be replayed because it is damaged: it can only be
	// dropped (409).
	ErrDamaged = errors.New("damaged, so it cannot be replayed")
	// ErrNoQueue is returned when a queue has neither records nor a method (404).
	ErrNoQueue = errors.New("no such queue")
	// ErrNoList is returned when a method list is not configured, or has the record type none
	// (404).
	ErrNoList = errors.New("no such method list, or its record type is none")
	// ErrConfigured is returned when a queue cannot be rerouted because its method is configured
	// (409).
	ErrConfigured = errors.New("its method is configured, so it cannot be rerouted")
)

// Accounting is the daemon's accounting as the control socket needs it: the server groups (R61 to
// R63) and the spool of records that wait for them (R60). Its methods may be called from any
// goroutine. The caller owns the results. Times are in UTC. Only Perform, BeginResync, CancelResync,
// Replay and Drop may wait for more than a lock and the disk.
type Accounting interface {
	// ServerGroups returns the configured server groups, in any order.
	ServerGroups() []api.ServerGroup
	// ManagedServers returns what SNMP managers have changed of the servers.
	ManagedServers() api.ManagedServers
	// OnOffGroups returns the acct-on-off-groups, in any order.
	OnOffGroups() []api.OnOffGroup
	// Perform has an Accounting-On or -Off sent, and returns as soon as the sending has started.
	// The AcctOnOff of the group has the result. Errors: ErrNoGroup, ErrNoAcctOnOff,
	// ErrAcknowledged.
	Perform(ctx context.Context, req api.PerformRequest) error
	// BeginResync begins an [api.ResyncRequest] and returns when that is durable. Errors: ErrNoGroup,
	// ErrResyncRuns.
	BeginResync(group string, req api.ResyncRequest) (api.Resync, error)
	// Resync returns the latest resync of a group. Error: ErrNoResync.
	Resync(group string) (api.Resync, error)
	// CancelResync ends the resync of a group and returns when that is durable. Errors: ErrNoResync,
	// ErrResyncOver.
	CancelResync(ctx context.Context, group string) (api.Resync, error)
	// Spool returns the status of the queues and the disk.
	Spool() api.SpoolStatus
	// SetAside lists set-aside records with a Seq above after, in the order of Seq, at most limit
	// (at least 1) of them. Attributes and Raw may be empty.
	SetAside(after uint64, limit int) ([]api.SetAside, error)
	// SetAsideRecord returns one set-aside record with its attributes. Error: ErrNoRecord.
	SetAsideRecord(seq uint64) (api.SetAside, error)
	// Replay puts records back into the queues that they came from, and returns their number when
	// that is durable. It replays the records of seqs (each number once), all or none of them; with
	// all, every record that can be replayed, and with an error some of these. Errors: ErrNoRecord,
	// ErrDamaged.
	Replay(seqs []uint64, all bool) (int, error)
	// Drop deletes records, by the rules of Replay. Error: ErrNoRecord.
	Drop(seqs []uint64, all bool) (int, error)
	// Reroute carries out an [api.RerouteRequest], in place of any earlier one for the queue. It
	// returns the number of records in the queue when that is durable. Errors: ErrNoQueue,
	// ErrNoList, ErrConfigured.
	Reroute(queue, list string) (records int, err error)
	// Explain returns the decision about a session, the state of its methods, and its records. live
	// is nil if no live session has the number. Error: ErrNothingToExplain. The Session of the answer
	// is not set.
	Explain(ctx context.Context, id sessions.ID, live *sessions.Session) (api.Explanation, error)
	// ExplainRecord returns one record and the state of its methods, and the number of its session,
	// 0 if it has none. Error: ErrNotWaiting.
	ExplainRecord(ctx context.Context, name api.RecordName) (api.Explanation, sessions.ID, error)
	// Decision describes the decision that a session keeps as its route; nil is a session without
	// one. It must return at once.
	Decision(route *sessions.Route) api.Decision
	// ForgetDamage removes the entries from the Damage of Spool that concern records, not those
	// that concern the state. It returns their number when that is durable.
	ForgetDamage() (int, error)
}

// statusCode returns the HTTP status for an error of the Accounting.
func statusCode(err error) int {
	switch {
	case errors.Is(err, ErrNoGroup), errors.Is(err, ErrNoRecord), errors.Is(err, ErrNoQueue), errors.Is(err, ErrNoList),
		errors.Is(err, ErrNoResync), errors.Is(err, ErrNothingToExplain), errors.Is(err, ErrNotWaiting):
		return http.StatusNotFound
	case errors.Is(err, ErrNoAcctOnOff), errors.Is(err, ErrAcknowledged), errors.Is(err, ErrDamaged),
		errors.Is(err, ErrConfigured), errors.Is(err, ErrResyncRuns), errors.Is(err, ErrResyncOver):
		return http.StatusConflict
	}
	return http.StatusServiceUnavailable
}

// untilEnd returns a context that is done when the client has gone or the Server ends.
func (s *Server) untilEnd(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(r.Context())
	go func() {
		select {
		case <-s.ending:
			cancel(errEnding)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// noParameters rejects a request with query parameters.
func (s *Server) noParameters(w http.ResponseWriter, r *http.Request) (ok bool) {
	if ok = r.URL.RawQuery == ""; !ok {
		s.writeError(w, http.StatusBadRequest, fmt.Errorf("%w: %q has no parameters", api.ErrQuery, r.URL.Path))
	}
	return ok
}
