package policy

import (
	"cmp"
	"maps"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// DefaultMinimum is the shortest period of interims by default (R47: "never faster than once a
// minute").
const DefaultMinimum = time.Minute

// MaxPeriod is the longest period of interims: 71582 minutes, as S2 has it for service records.
const MaxPeriod = 71582 * time.Minute

// MaxDelayStart is the longest time that a start waits for an address.
const MaxDelayStart = 10 * time.Minute

// NoInterims as the period of a list, or of services, says that aaasess makes no interims for them,
// except those with an attribute 85 (S2 "action-type start-stop periodic disable").
const NoInterims = time.Duration(-1)

// Update says which interims are made beside those that NASes send (R47; S1 "aaa accounting
// update").
type Update struct {
	// Periodic is how often aaasess makes interims for a session whose NAS sends none; 0 means
	// never. A list may have another period.
	Periodic time.Duration
	// ServicePeriodic is how often aaasess makes interims for a service of a subscriber (S2
	// "subscriber service accounting interim-interval"); 0 means as for other sessions of its list.
	// It may also be NoInterims.
	ServicePeriodic time.Duration
	// Minimum is the shortest of all periods, also of those that attribute 85 asks for; 0 means
	// DefaultMinimum.
	Minimum time.Duration
	// WithoutNewInfo leaves out the interims that second starts of a session become: mostly they add
	// the address (R25).
	WithoutNewInfo bool
}

// minimum returns Minimum or its default.
func (u *Update) minimum() time.Duration { return cmp.Or(u.Minimum, DefaultMinimum) }

// wanted returns the value of attribute 85, Acct-Interim-Interval (RFC 2869 section 5.16), of a
// session; 0 if there is none. That of its Access-Accept counts, because it is what the server
// asked for; else what the NAS reports.
func wanted(s *sessions.Session) time.Duration {
	for _, attrs := range [...]radius.Attributes{s.Granted(), s.Attrs} {
		if seconds, _ := attrs.Uint32(radius.AcctInterimInterval); seconds > 0 {
			return time.Duration(seconds) * time.Second
		}
	}
	return 0
}

// period returns how often aaasess makes interims for a session, 0 for never. wanted is the value of
// its attribute 85, or 0 if there is none. It takes
// precedence over own, the period of services or of its list, which takes precedence over that of
// all lists (R47). own is 0 if there is none, or NoInterims.
func (u *Update) period(wanted, own time.Duration) time.Duration {
	period := u.Periodic
	switch {
	case wanted > 0:
		period = wanted
	case own == NoInterims:
		return 0
	case own > 0:
		period = own
	}
	if period <= 0 {
		return 0
	}
	return min(max(period, u.minimum()), MaxPeriod)
}

// InterimPeriod returns how often aaasess makes interims for a session whose NAS sends none, 0 for
// never. A session keeps its list, but the present policy says how often a list of that name has
// interims. If there is no such list any more, the period of all lists counts. Only start-stop
// lists have interims, and calls have none: S1 has a start and a stop for each.
func (p *Plan) InterimPeriod(s *sessions.Session) time.Duration {
	list, record, ok := accounting.RouteList(s.Route.String())
	if !ok || record != accounting.StartStop || !TypeOf(s.Kind).isOfUsers() {
		return 0
	}
	return p.update.period(wanted(s), cmp.Or(p.servicePeriod(s), p.periods[list]))
}

// servicePeriod returns ServicePeriodic for a service of a subscriber, else 0.
func (p *Plan) servicePeriod(s *sessions.Session) time.Duration {
	if p.update.ServicePeriodic == 0 {
		return 0
	}
	if name, _ := s.Attrs.Service(); name == "" {
		return 0
	}
	return p.update.ServicePeriodic
}

// Minimum is the shortest time between two interims that aaasess makes for a session.
func (p *Plan) Minimum() time.Duration { return p.update.minimum() }

// RelaysNewInfo reports whether a second start of a session becomes an interim.
func (p *Plan) RelaysNewInfo() bool { return !p.update.WithoutNewInfo }

// SamePeriods reports whether InterimPeriod and Minimum of two plans are equal for all sessions.
func (p *Plan) SamePeriods(other *Plan) bool {
	return p.update.Periodic == other.update.Periodic && p.update.ServicePeriodic == other.update.ServicePeriodic &&
		p.Minimum() == other.Minimum() && maps.Equal(p.periods, other.periods)
}
