package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"aaasess/cmd/internal/api"
)

// The errors by which an [Accounting] says what is wrong with a request; it wraps them with the name
// or the number that is meant. All others mean that nothing can be done now (503).
var (
	// ErrNoGroup is returned for a server group that is not configured (404).
	ErrNoGroup = errors.New("no such server group")
	// ErrNoRecord is returned for a record that is not set aside (404).
	ErrNoRecord = errors.New("no such record is set aside")
	// ErrNoAcctOnOff is returned for a group that sends no Accounting-On, or only monitors another (409).
	ErrNoAcctOnOff = errors.New("it sends no Accounting-On or Accounting-Off")
	// ErrAcknowledged is returned for an Accounting-On or -Off that a server has acknowledged already (409).
	ErrAcknowledged = errors.New("acknowledged already: --force")
	// ErrDamaged is returned for the replay of a record that cannot be read: it can only be dropped (409).
	ErrDamaged = errors.New("the record is damaged and cannot be sent")
	// ErrNoQueue is returned for a queue that there is not: it has neither records nor a method (404).
	ErrNoQueue = errors.New("no such queue")
	// ErrNoList is returned for a method list that is not configured, or has the record type none (404).
	ErrNoList = errors.New("no such method list, or one that records nothing")
	// ErrConfigured is returned for a queue whose method is configured: it delivers the records (409).
	ErrConfigured = errors.New("its method is configured and delivers its records")
)

// Accounting is what the command line asks of the daemon's accounting towards servers: their groups
// (R61..R63) and the spool of records that wait (R60). Its methods are called from any goroutine, for
// each request anew; what they return is the caller's. Times are in UTC. Only Perform, Replay and Drop
// may wait for anything but a lock and the disk.
type Accounting interface {
	// ServerGroups are all server groups that are configured, in any order.
	ServerGroups() []api.ServerGroup
	// OnOffGroups are all groups of acct-on-off, in any order.
	OnOffGroups() []api.OnOffGroup
	// Perform has an Accounting-On or -Off sent, and returns when that has begun: what came of it is
	// in the group's AcctOnOff. Errors: ErrNoGroup, ErrNoAcctOnOff, ErrAcknowledged.
	Perform(ctx context.Context, req api.PerformRequest) error
	// Spool is how the queues and their disk are.
	Spool() api.SpoolStatus
	// SetAside lists records that are set aside: those whose Seq is more than after, in its order, at
	// most limit (positive) of them. Attributes and Raw are not used.
	SetAside(after uint64, limit int) ([]api.SetAside, error)
	// SetAsideRecord is one of them with its attributes. Error: ErrNoRecord.
	SetAsideRecord(seq uint64) (api.SetAside, error)
	// Replay puts records back, each into the queue that it came from, and returns when that is
	// durable: seqs, each once (all, or with an error none), or all of them (with an error as many as
	// the number says; those that are damaged stay). Errors: ErrNoRecord, ErrDamaged.
	Replay(seqs []uint64, all bool) (int, error)
	// Drop forgets records for ever, by the rules of Replay. Error: ErrNoRecord.
	Drop(seqs []uint64, all bool) (int, error)
	// Reroute does what [api.RerouteRequest] says, and returns when that is durable, with how many records
	// wait in the queue. It takes the place of what was said of the queue before. Errors: ErrNoQueue,
	// ErrNoList, ErrConfigured.
	Reroute(queue, list string) (records int, err error)
	// ForgetDamage empties the Damage of Spool but for what it tells of the state, and returns how many
	// entries it forgot when that is durable.
	ForgetDamage() (int, error)
}

// refusal is the status for an error of the Accounting.
func refusal(err error) int {
	switch {
	case errors.Is(err, ErrNoGroup), errors.Is(err, ErrNoRecord), errors.Is(err, ErrNoQueue), errors.Is(err, ErrNoList):
		return http.StatusNotFound
	case errors.Is(err, ErrNoAcctOnOff), errors.Is(err, ErrAcknowledged), errors.Is(err, ErrDamaged),
		errors.Is(err, ErrConfigured):
		return http.StatusConflict
	}
	return http.StatusServiceUnavailable
}

// untilEnd is a context that is done when the client goes or the Server ends.
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

// noParameters refuses a request that has any.
func (s *Server) noParameters(w http.ResponseWriter, r *http.Request) (ok bool) {
	if ok = r.URL.RawQuery == ""; !ok {
		s.refuse(w, http.StatusBadRequest, fmt.Errorf("%w: %q takes no parameters", api.ErrQuery, r.URL.Path))
	}
	return ok
}
