package policy

import (
	"cmp"
	"time"

	"aaasess/accounting"
	"aaasess/internal/prefixtable"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Plan is a checked policy. It never changes.
type Plan struct {
	kinds   [sessions.Connection + 1]kindPlan
	numbers map[string]*Decision // of the DNIS map
	clients prefixtable.Table[string]
	update  Update
	periods map[string]time.Duration // Periodic of the lists that have one, by name
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

// noList is the decision for a session without a list.
var noList = &Decision{}

// kindPlan has the rules and the default list of a kind.
type kindPlan struct {
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
	plan := &Plan{numbers: map[string]*Decision{}, update: p.Update, periods: map[string]time.Duration{}}
	lists := map[string]*List{}
	for i := range p.Lists {
		l := &p.Lists[i]
		name := listName(l.Kind, l.Name)
		lists[name] = l
		plan.addPeriod(name, l.Periodic)
		if l.Name == Default {
			plan.kinds[l.Kind].fallback = p.decision(&l.Methods, name, "")
		}
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		name := listName(r.Kind, r.List)
		k := &plan.kinds[r.Kind]
		k.rules = append(k.rules, plannedRule{*r, p.decision(&lists[name].Methods, name, r.reason())})
	}
	for i := range p.DNIS {
		n := &p.DNIS[i]
		name := listName(sessions.Network, dnisPrefix+n.Number)
		plan.numbers[n.Number] = p.decision(&n.Methods, name, "")
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

// decision returns what a list decides.
func (p *Policy) decision(m *Methods, list, reason string) *Decision {
	d := &Decision{List: list, Reason: reason}
	if m.Record != accounting.None {
		d.Route = (&accounting.Route{
			List: list, Reason: reason, Record: m.Record, Broadcast: m.Broadcast, InterimsToFirst: m.InterimsToFirst,
			SuppressNullUsername: p.SuppressNullUsername, DelayStart: m.DelayStart, Methods: m.Methods,
		}).Text()
	}
	return d
}

// Route returns the route of a session that begins as a session of kind k; "" if it is not
// accounted. It is an [accounting.Decide].
func (p *Plan) Route(k sessions.Kind, s *sessions.Session) string { return p.Decide(k, s).Route }

// Decide returns the decision for a session that begins as a session of kind k, never nil. The
// caller must not change it.
func (p *Plan) Decide(k sessions.Kind, s *sessions.Session) *Decision {
	if int(k) >= len(p.kinds) {
		return noList
	}
	if k == sessions.Network && len(p.numbers) > 0 {
		if d, ok := p.numbers[s.Attrs.Text(radius.CalledStationID)]; ok {
			return d
		}
	}
	kind := &p.kinds[k]
	if len(kind.rules) > 0 {
		f := p.featuresOf(s)
		for i := range kind.rules {
			if r := &kind.rules[i]; r.matches(&f) {
				return r.decision
			}
		}
	}
	return cmp.Or(kind.fallback, noList)
}
