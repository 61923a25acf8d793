package policy

import (
	"time"

	"aaasess/accounting"
	"aaasess/internal/prefixtable"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Plan is a checked policy. It never changes.
type Plan struct {
	kinds   [sessions.Connection + 1]kindPlan
	numbers map[string]string // route texts of the DNIS map
	clients prefixtable.Table[string]
	update  Update
	periods map[string]time.Duration // Periodic of the lists that have one, by name
}

// kindPlan has the rules and the default list of a kind.
type kindPlan struct {
	rules    []plannedRule
	fallback string // route text of the default list
}

type plannedRule struct {
	Rule
	route string // text
}

// New checks a policy. Its error has every fault, one per line, each with the name of its list, rule
// or number; they wrap [ErrPolicy].
func New(p *Policy) (*Plan, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	plan := &Plan{numbers: map[string]string{}, update: p.Update, periods: map[string]time.Duration{}}
	lists := map[string]*List{}
	for i := range p.Lists {
		l := &p.Lists[i]
		name := listName(l.Kind, l.Name)
		lists[name] = l
		plan.addPeriod(name, l.Periodic)
		if l.Name == Default {
			plan.kinds[l.Kind].fallback = p.route(&l.Methods, name, "")
		}
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		name := listName(r.Kind, r.List)
		k := &plan.kinds[r.Kind]
		k.rules = append(k.rules, plannedRule{*r, p.route(&lists[name].Methods, name, r.reason())})
	}
	for i := range p.DNIS {
		n := &p.DNIS[i]
		name := listName(sessions.Network, dnisPrefix+n.Number)
		plan.numbers[n.Number] = p.route(&n.Methods, name, "")
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

// route returns the text of the route that a list gives; "" if it records nothing.
func (p *Policy) route(m *Methods, list, reason string) string {
	if m.Record == accounting.None {
		return ""
	}
	return (&accounting.Route{
		List: list, Reason: reason, Record: m.Record, Broadcast: m.Broadcast, InterimsToFirst: m.InterimsToFirst,
		SuppressNullUsername: p.SuppressNullUsername, Methods: m.Methods,
	}).Text()
}

// Decide returns the route of a session that begins as a session of kind k, as
// [accounting.Route.Text] has it; "" if it is not accounted.
func (p *Plan) Decide(k sessions.Kind, s *sessions.Session) string {
	if int(k) >= len(p.kinds) {
		return ""
	}
	if k == sessions.Network && len(p.numbers) > 0 {
		if route, ok := p.numbers[s.Attrs.Text(radius.CalledStationID)]; ok {
			return route
		}
	}
	kind := &p.kinds[k]
	if len(kind.rules) > 0 {
		f := p.featuresOf(s)
		for i := range kind.rules {
			if r := &kind.rules[i]; r.matches(&f) {
				return r.route
			}
		}
	}
	return kind.fallback
}
