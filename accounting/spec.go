package accounting

import (
	"context"
	"log/slog"

	"aaasess/internal/radius"
)

// Spec is what a method is configured to be. Each transport has a Spec of its own, and nothing else of it is
// known to who runs methods ([aaasess/accounting/methods]). A Spec does not change once it is given away.
type Spec interface {
	// Name is what method lists call the method.
	Name() MethodName
	// Equal reports whether other makes the same method, whatever both are described as: the one that
	// runs then goes on. A Spec of another transport is never equal.
	Equal(other Spec) bool
	// Delivery is how records are delivered to the method.
	Delivery() MethodConfig
	// OnOff is what its servers are told when accounting begins and ends; nil: nothing.
	OnOff() *OnOff
	// Open makes the method. All that can fail in a change of the configuration fails here, and leaves
	// nothing open. heard is to be called, by any goroutine, when a server answers what nobody waits for
	// any more: then records are tried again at once.
	Open(heard func(), log *slog.Logger) (*Opened, error)
}

// MethodConfig is how records are delivered to one method. Its zero value is the default.
type MethodConfig struct {
	// Rounds is in how many schedules the method must have left a record unanswered, while it answered
	// others, before the record is set aside; 0 means 5. More are needed if so many may be chance,
	// because others too are often answered only after a while.
	Rounds int
	// DrainRate is how many records a second of a backlog are sent at most: of what there is at the
	// start, or gathered while the method was down or held. What comes later stands behind the backlog
	// in memory at least, and is not limited. 0 is no limit but the window, which opens with each answer.
	DrainRate float64
}

// OnOff is what a server group says in its Accounting-On and -Off (R63).
type OnOff struct {
	// Attributes say who we are: NAS-Identifier, NAS-IP-Address or NAS-IPv6-Address, at least one.
	Attributes radius.Attributes
	// Blocks holds the group's records until an Accounting-On is answered.
	Blocks bool
	// Controls is the acct-on-off-group whose other groups wait for the same Accounting-On, or "".
	Controls string
}

// Opened is a method that a [Spec] has opened. Method, Run and Ready are never nil; the other functions are where
// the method has nothing of the kind. Any goroutine may call them.
type Opened struct {
	Method Method
	// Run runs the method until ctx is done, answers what it still has and closes what Open has opened. It
	// is called once, if only with a ctx that is done. An error ends the delivery to all methods.
	Run func(ctx context.Context) error
	// Ready is closed when Run takes records to where they belong. It does not wait for a server to answer.
	Ready <-chan struct{}
	// Announce sends an Accounting-On or -Off, as [aaasess/accounting/onoff.Announce] says. There is one
	// if the Spec has an OnOff.
	Announce func(rec *Record, done func(server string, err error))
	// Abandon gives up the records that are under way with [ErrStopped]: the Accounting-Off that follows
	// is the last that servers hear.
	Abandon func()
	// Reopen opens again what may have been renamed (logrotate).
	Reopen func()
}
