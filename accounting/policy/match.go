package policy

import (
	"fmt"
	"slices"
	"strings"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// features are the values of a session that rules ask for.
type features struct {
	client               string
	port, protocol       uint32 // NAS-Port, Framed-Protocol
	hasPort, hasProtocol bool
	portID               string
}

// featuresOf returns the features of a session.
func (p *Plan) featuresOf(s *sessions.Session) (f features) {
	if s.NAS != nil {
		f.client, _ = p.clients.Find(s.NAS.Addr)
	}
	f.port, f.hasPort = s.Attrs.Uint32(radius.NASPort)
	f.protocol, f.hasProtocol = s.Attrs.Uint32(radius.FramedProtocol)
	f.portID = s.Attrs.Text(radius.NASPortID)
	return f
}

// matches reports whether all conditions of the rule are met.
func (r *Rule) matches(f *features) bool {
	return (len(r.Clients) == 0 || slices.Contains(r.Clients, f.client)) &&
		(len(r.Ports) == 0 || f.hasPort && slices.ContainsFunc(r.Ports, func(p PortRange) bool { return p.First <= f.port && f.port <= p.Last })) &&
		(len(r.Protocols) == 0 || f.hasProtocol && slices.Contains(r.Protocols, f.protocol)) &&
		(len(r.PortIDs) == 0 || f.portID != "" && slices.ContainsFunc(r.PortIDs, func(pattern string) bool { return matchesPattern(pattern, f.portID) }))
}

// matchesPattern reports whether a pattern matches all of a text. An asterisk stands for any
// octets, a question mark for one. It takes at most len(pattern) * len(text) steps.
func matchesPattern(pattern, text string) bool {
	star, retry := -1, 0 // the last asterisk, and where the text after its octets begins
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, retry = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == text[j]):
			i, j = i+1, j+1
		case star >= 0: // the asterisk takes one octet more
			retry++
			i, j = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// String returns the conditions for people, "client bras-1, NAS-Port 1-16".
func (r *Rule) String() string {
	var conditions []string
	if len(r.Clients) > 0 {
		conditions = append(conditions, "client "+strings.Join(r.Clients, " or "))
	}
	if len(r.Ports) > 0 {
		conditions = append(conditions, "NAS-Port "+join(r.Ports))
	}
	if len(r.PortIDs) > 0 {
		conditions = append(conditions, "NAS-Port-Id "+strings.Join(r.PortIDs, " or "))
	}
	if len(r.Protocols) > 0 {
		names := make([]string, len(r.Protocols))
		for i, n := range r.Protocols {
			if names[i] = radius.Standard().ValueName(radius.FramedProtocol, n); names[i] == "" {
				names[i] = fmt.Sprint(n)
			}
		}
		conditions = append(conditions, "Framed-Protocol "+strings.Join(names, " or "))
	}
	return strings.Join(conditions, ", ")
}

// reason is String, cut to what fits into a route.
func (r *Rule) reason() string {
	const most, cut = 255, "..."
	text := r.String()
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(cut)], "") + cut
}

func join(ranges []PortRange) string {
	texts := make([]string, len(ranges))
	for i, r := range ranges {
		texts[i] = r.String()
	}
	return strings.Join(texts, " or ")
}

// String returns "7" or "1-16".
func (r PortRange) String() string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}
