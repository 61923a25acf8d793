package page

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/rates"
)

// sessionData is what the page of a session shows.
type sessionData struct {
	Now                   time.Time
	Session               *api.SessionDetail
	Row                   sessionRow
	InPackets, OutPackets string // a second
	SameUser, SameNAS     string // links to lists; "": none
	MayDisconnect         bool
}

// fact is a line of a list of facts. Its Value comes from the network.
type fact struct{ Name, Value string }

func loadSession(p *Page, r *request) (content, error) {
	detail, err := p.session(r.value("id"))
	if err != nil {
		return content{}, err
	}
	seen := p.samples.observe(&detail.Session, r.now)
	data := sessionData{
		Now: clock(r.now), Session: &detail, Row: p.newRow(&detail.Session, r.now),
		InPackets: packetsPerSecond(seen.rate, rates.InputPackets), OutPackets: packetsPerSecond(seen.rate, rates.OutputPackets),
		MayDisconnect: r.mayDisconnect,
	}
	if detail.User != "" && !strings.Contains(detail.User, `\x`) { // else it may not be what the NAS has sent: see api.ValidText
		data.SameUser = listLink(api.Query{Filter: api.Filter{User: detail.User}})
	}
	if detail.NAS != "" && !strings.Contains(detail.NAS, `\x`) {
		data.SameNAS = listLink(api.Query{Filter: api.Filter{NAS: detail.NAS}})
	}
	return content{title: "Session " + detail.ID, data: data}, nil
}

// session returns a live session by the ID in an address.
func (p *Page) session(text string) (api.SessionDetail, error) {
	id, err := api.ParseID(text)
	if err != nil {
		return api.SessionDetail{}, &problem{http.StatusNotFound, strings.TrimPrefix(err.Error(), api.ErrQuery.Error()+": ")}
	}
	detail, ok := p.cfg.Source.Session(id)
	if !ok {
		return detail, &problem{http.StatusNotFound, fmt.Sprintf("Session %s is not live.", id)}
	}
	return detail, nil
}

// Facts returns who the user is and where.
func (d sessionData) Facts() []fact {
	s := d.Session
	nas := s.NAS
	if s.NASIdentifier != s.NAS {
		nas = fmt.Sprintf("%s, calls itself %s", s.NAS, s.NASIdentifier)
	}
	return set([]fact{
		{"User", withOrigin(s.User, s.UserFrom)},
		{"User-Name of the NAS", s.NASUser},
		{"Kind", s.Kind},
		{"Service", s.Service},
		{"Session of the subscriber", s.ParentSession},
		{"Address", withOrigin(s.Address, s.AddressFrom)},
		{"IPv6 addresses", strings.Join(s.IPv6Addresses, ", ")},
		{"IPv6 prefixes", strings.Join(s.IPv6Prefixes, ", ")},
		{"Delegated prefixes", strings.Join(s.DelegatedPrefixes, ", ")},
		{"NAS", nas},
		{"Address of the NAS", s.NASAddress},
		{"Line", d.Row.Line},
		{"Calling-Station-Id", s.CallingStation},
		{"Called-Station-Id", s.CalledStation},
		{"Acct-Session-Id at the NAS", s.AcctSessionID},
		{"Acct-Session-Id upstream", s.Upstream},
		{"Number (casnSessionId)", number(s.Number)},
	})
}

// set returns the facts that have a value.
func set(facts []fact) (out []fact) {
	for _, f := range facts {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

func withOrigin(value, from string) string {
	if from == api.FromAccept {
		return value + " (from the Access-Accept)"
	}
	return value
}

// Spent returns the session time as the NAS last reported it.
func (d sessionData) Spent() string {
	return human.Span(time.Duration(d.Session.SessionTime) * time.Second)
}

func packetsPerSecond(r rates.Rate, c rates.Counter) string {
	n, known := r.PerSecond(c)
	if !known {
		return dash("")
	}
	if n < 10 {
		return fmt.Sprintf("%.1f/s", n)
	}
	return number(uint64(math.Round(n))) + "/s"
}
