package accounting

import (
	"context"
	"log/slog"

	"aaasess/internal/radius"
)

// Spec is the configuration of a method. Each transport has its own Spec. Package
// [aaasess/accounting/methods], which runs methods, knows nothing else of a transport. A Spec must
// not change after it was passed on.
type Spec interface {
	// Name returns the name of the method in method lists.
	Name() MethodName
	// Equal reports whether other gives the same method, so that the running method can continue.
	// If not, Opened.Reconfigure may still change the running method.
	// Descriptions do not matter. A Spec of another transport is never equal.
	Equal(other Spec) bool
	// Delivery returns how records are delivered to the method.
	Delivery() MethodConfig
	// Hosts identifies each of its servers by a text. A server that stays in a change of the Spec has
	// the same text. nil: it has none.
	Hosts() []string
	// OnOff returns what its servers are told when accounting begins and ends; nil: nothing.
	OnOff() *OnOff
	// Open creates the method. Everything in a change of the configuration that can fail fails
	// here, and then nothing stays open. The method calls answered, from any goroutine, when a
	// server sends an answer that no record waits for any more. Then records are tried again at
	// once.
	Open(answered func(), log *slog.Logger) (*Opened, error)
}

// MethodConfig sets how records are delivered to one method. Its zero value is the default.
type MethodConfig struct {
	// Rounds is in how many schedules the method must have left a record unanswered, while it
	// answered others, before the record is set aside. 0 means 5. If other records are often
	// answered only after retransmissions, more schedules are needed, because the misses may be
	// chance.
	Rounds int
	// DrainRate is the most records of a backlog that are sent per second. The backlog is what the
	// queue holds at the start, and what gathers while the method is down or held. Newer records
	// have no rate limit, but they are read only after the backlog. 0 means no limit but the
	// window, which opens with each answer.
	DrainRate float64
}

// OnOff is the content and effect of the Accounting-On and -Off of a method (R52, R63).
type OnOff struct {
	// Attributes identify this NAS: NAS-Identifier, NAS-IP-Address or NAS-IPv6-Address, at least
	// one. Records of TACACS+ do not have them, but the next method of the list may be of RADIUS.
	Attributes radius.Attributes
	// Blocks holds the method's records until an Accounting-On is answered.
	Blocks bool
	// Controls is the acct-on-off-group whose other groups wait for the same Accounting-On, or "".
	Controls string
	// OnlyOff leaves out the Accounting-On, as a list with record type stop-only does.
	OnlyOff bool
	// HostConfig says that a change of the servers is announced: each added server gets an
	// Accounting-On, and each removed one an Accounting-Off.
	HostConfig bool
}

// Opened is a method that a [Spec] has opened. Method, Run and Ready are never nil. The other
// functions are nil if the method has nothing of the kind. Any goroutine may call them.
type Opened struct {
	Method Method
	// Run runs the method until ctx is done. Then it calls done for the records that it still has,
	// and closes what Open has opened. It is called exactly once, even if ctx is done already. An
	// error ends the delivery to all methods.
	Run func(ctx context.Context) error
	// Ready is closed when Run sends records. It does not wait for a server to answer.
	Ready <-chan struct{}
	// Announce sends an Accounting-On or -Off, see [aaasess/accounting/onoff.Announce]. It is set
	// if the Spec has an OnOff.
	Announce func(rec *Record, done func(server string, err error))
	// AnnounceTo is Announce for one server only, by its index in Hosts of the Spec. It is set if the
	// Spec has Hosts.
	AnnounceTo func(server int, rec *Record, done func(server string, err error))
	// Abandon ends the records in flight with [ErrStopped], so that the Accounting-Off that follows
	// is the last packet that the servers get.
	Abandon func()
	// Reconfigure prepares a change of the Spec while the method runs. apply makes the change and
	// cannot fail. apply is nil if the change needs a new method. If the OnOff changes too, the
	// method runs on after the Off of the former one.
	Reconfigure func(spec Spec) (apply func(), err error)
	// Reopen opens files again that may have been renamed (logrotate).
	Reopen func()
}
