package policy

import (
	"cmp"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/internal/prefixtable"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Plan is a checked policy. It never changes.
type Plan struct {
	types   [types]typePlan
	numbers map[string]*Decision // of the DNIS map
	clients prefixtable.Table[string]
	update  Update
	// See SuppressNullUsername, AuthenticationFailures and AuthenticationSuccesses of Policy.
	suppressNullUsername, failures, successes bool
	periods                                   map[string]time.Duration // Periodic of the lists that have one, by name

	acknowledging []accounting.MethodName
	routes        map[string]string // of lists and numbers, by name, without a reason
}

// Decision is the list of a session, and why the session has it.
type Decision struct {
	// Route is the session's route, as [accounting.Route.Text] has it; "" if it is not accounted.
	Route string
	// List is the name that routes and records have, "network/default"; "" if there is no list.
	List string
	// Reason is the conditions of the rule that decided, for people; "" for a default list and for
	// the DNIS map.
	Reason string
}

// noList is the decision for a session or event without a list.
var noList = &Decision{}

// typePlan has the rules and the default list of a type.
type typePlan struct {
	rules    []plannedRule
	fallback *Decision // of the default list; nil for none
}

type plannedRule struct {
	Rule
	decision *Decision
}

// New checks a policy. Its error has every fault, one per line, each with the name of its list, rule
// or number; they wrap [ErrPolicy].
func New(p *Policy) (*Plan, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	plan := &Plan{
		numbers: map[string]*Decision{}, update: p.Update,
		suppressNullUsername: p.SuppressNullUsername, failures: p.AuthenticationFailures, successes: p.AuthenticationSuccesses,
		periods:       map[string]time.Duration{},
		acknowledging: p.Acknowledging, routes: map[string]string{},
	}
	lists := map[string]*List{}
	for i := range p.Lists {
		l := &p.Lists[i]
		name := listName(l.Type, l.Name)
		lists[name] = l
		plan.addPeriod(name, l.Periodic)
		d := p.decision(l.Type, &l.Methods, name, "")
		plan.routes[name] = d.Route
		if l.Name == Default {
			plan.types[l.Type].fallback = d
		}
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		name := listName(r.Type, r.List)
		t := &plan.types[r.Type]
		t.rules = append(t.rules, plannedRule{*r, p.decision(r.Type, &lists[name].Methods, name, r.reason())})
	}
	for i := range p.DNIS {
		n := &p.DNIS[i]
		name := listName(Network, dnisPrefix+n.Number)
		d := p.decision(Network, &n.Methods, name, "")
		plan.numbers[n.Number], plan.routes[name] = d, d.Route
		plan.addPeriod(name, n.Periodic)
	}
	for _, c := range p.Clients {
		plan.clients.Add(c.Prefix, c.Name)
	}
	return plan, nil
}

// addPeriod adds the period of a list that has one.
func (p *Plan) addPeriod(list string, period time.Duration) {
	if period != 0 {
		p.periods[list] = period
	}
}

// decision returns what a list of a type decides. A call has no user before authentication, so
// suppress null-username is not about calls: S1 "for users whose username string is NULL".
func (p *Policy) decision(t Type, m *Methods, list, reason string) *Decision {
	d := &Decision{List: list, Reason: reason}
	if m.Record != accounting.None {
		d.Route = (&accounting.Route{
			List: list, Reason: reason, Record: m.Record, Broadcast: m.Broadcast, InterimsToFirst: m.InterimsToFirst,
			SuppressNullUsername: p.SuppressNullUsername && t.isOfUsers(), DelayStart: m.DelayStart, Methods: m.Methods,
		}).Text()
	}
	return d
}

// Accepting returns the methods that must all accept a record of a route before it counts as
// accepted. Of a broadcast these are the groups that acknowledge broadcasts, or the first method if
// none of its groups does. Without broadcast any method is enough: the result is then nil.
func (p *Plan) Accepting(r *accounting.Route) (all []accounting.MethodName) {
	if !r.Broadcast {
		return nil
	}
	for _, m := range r.Methods {
		if slices.Contains(p.acknowledging, m) {
			all = append(all, m)
		}
	}
	if all == nil {
		all = r.Methods[:1]
	}
	return all
}

// ListRoute returns the text of the route of a list by the name that records have; "" if there is no
// such list, or if it records nothing.
func (p *Plan) ListRoute(list string) string { return p.routes[list] }

// Route returns the route of a session that begins as a session of kind k, or of an event without a
// session; "" if it is not accounted. It is an [accounting.Decide].
func (p *Plan) Route(k sessions.Kind, s *sessions.Session) string {
	t := TypeOf(k)
	if k == sessions.Command {
		level, _ := s.Attrs.Command()
		t = Commands(level)
	}
	return p.Decide(t, s).Route
}

// Decide returns the decision for an event of type t, never nil: a session that begins, a command in a
// session of kind exec, or the end of one before its start ([sessions.OneOff]). s has what is known of
// the session. The caller must not change the decision.
func (p *Plan) Decide(t Type, s *sessions.Session) *Decision {
	if !t.isKnown() || !p.records(s.Unstarted) || (s.Unstarted != 0 || t.IsCommands()) && p.suppressNullUsername && s.User() == "" {
		return noList
	}
	if t == Network && len(p.numbers) > 0 {
		if d, ok := p.numbers[s.Attrs.Text(radius.CalledStationID)]; ok {
			return d
		}
	}
	of := &p.types[t]
	if len(of.rules) > 0 {
		f := p.featuresOf(s)
		for i := range of.rules {
			if r := &of.rules[i]; r.matches(&f) {
				return r.decision
			}
		}
	}
	return cmp.Or(of.fallback, noList)
}

// records reports whether sessions that came so far are recorded.
func (p *Plan) records(u sessions.Unstarted) bool {
	switch u {
	case sessions.AuthenticationFailed:
		return p.failures
	case sessions.AuthenticatedRemotely:
		return p.successes
	}
	return true
}
