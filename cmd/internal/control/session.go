package control

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// describeRow returns the JSON form of a session of the table, without its termination.
func (srv *Server) describeRow(s *sessions.Session) api.Session {
	table := srv.table
	used, _ := s.Used()
	out := api.Session{
		ID: s.ID.String(), Number: uint32(s.ID), Kind: s.Kind.String(), State: s.State.String(),
		User: api.ValidText(s.User()), NASIdentifier: api.ValidText(s.NAS.Name()), AcctSessionID: api.ValidText(s.AcctSessionID()),
		CallingStation: api.ValidText(s.Attrs.Text(radius.CallingStationID)),
		CalledStation:  api.ValidText(s.Attrs.Text(radius.CalledStationID)),
		NASPortID:      api.ValidText(s.Attrs.Text(radius.NASPortID)),
		IfIndex:        s.IfIndex(),
		Started:        table.Date(s.Started).UTC().Truncate(time.Second), Heard: table.Date(s.LastEvent).UTC().Truncate(time.Second),
		Idle: s.IdleTime(table.Clock()), SessionTime: used.SessionTime,
		InputOctets: used.InputOctets, OutputOctets: used.OutputOctets,
		InputPackets: used.InputPackets, OutputPackets: used.OutputPackets,
	}
	srv.describeAdmission(&out, s)
	out.NAS = cmp.Or(srv.cfg.ClientName(s.NAS.Addr), out.NASIdentifier)
	for prefix, t := range ipv6Of(s) {
		switch t {
		case radius.FramedIPv6Address:
			out.IPv6Addresses = append(out.IPv6Addresses, prefix.Addr().String())
		case radius.FramedIPv6Prefix:
			out.IPv6Prefixes = append(out.IPv6Prefixes, prefix.String())
		case radius.DelegatedIPv6Prefix:
			out.DelegatedPrefixes = append(out.DelegatedPrefixes, prefix.String())
		}
	}
	if s.NAS.Addr.IsValid() {
		out.NASAddress = s.NAS.Addr.String()
	}
	if s.IPv4 != 0 {
		out.Address = framedAddress(s).String()
	}
	if port, ok := s.Attrs.Uint32(radius.NASPort); ok {
		out.NASPort = &port
	}
	return out
}

// describeAdmission adds what authentication has said of a session.
func (srv *Server) describeAdmission(out *api.Session, s *sessions.Session) {
	if name := s.Name(); name != out.ID {
		out.Upstream = api.ValidText(name)
	}
	granted := s.Granted()
	if user := granted.Text(radius.UserName); user != "" {
		out.UserFrom = api.FromAccept
		if own := s.Attrs.Text(radius.UserName); own != user {
			out.NASUser = api.ValidText(own)
		}
	}
	if own, _ := s.Attrs.Get(radius.FramedIPAddress); s.IPv4 != 0 && (own == "" || radius.IsUnassigned(own)) {
		out.AddressFrom = api.FromAccept
	}
}

func framedAddress(s *sessions.Session) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], s.IPv4)
	return netip.AddrFrom4(b)
}

// showSession is GET /v1/sessions/{id}.
func (srv *Server) showSession(w http.ResponseWriter, r *http.Request) {
	if !srv.noParameters(w, r) {
		return
	}
	id, err := api.ParseID(r.PathValue("id"))
	if err != nil {
		srv.writeError(w, http.StatusBadRequest, err)
		return
	}
	detail, ok := srv.Detail(id)
	if !ok {
		srv.writeError(w, http.StatusNotFound, fmt.Errorf("session %s is not live", id))
		return
	}
	srv.writeJSON(w, http.StatusOK, detail)
}

// Detail returns a live session with its attributes; false: it is not live.
func (srv *Server) Detail(id api.ID) (api.SessionDetail, bool) {
	srv.table.RefreshLinks()
	session := srv.table.View().Get(sessions.ID(id))
	if session == nil {
		return api.SessionDetail{}, false
	}
	detail := api.SessionDetail{Session: srv.describe(session), Attributes: []api.Attribute{}}
	name, parent := session.Attrs.Service()
	detail.Service, detail.ParentSession = api.ValidText(name), api.ValidText(parent)
	detail.Attributes = srv.printed(session.Attrs)
	if granted := session.Granted(); granted != "" {
		detail.Granted = srv.printed(granted)
	}
	if err := srv.terminator.CanEnd(session); err != nil {
		detail.UnableReason = api.ValidText(err.Error())
	}
	return detail, true
}

// printed returns attributes by their names.
func (srv *Server) printed(attrs radius.Attributes) []api.Attribute {
	out := []api.Attribute{}
	for p := range srv.cfg.Names().Print(attrs) {
		out = append(out, api.Attribute{Name: p.Name, Value: api.ValidText(p.Text)})
	}
	return out
}

// ipv6Of yields the IPv6 addresses and prefixes of a session with their attributes:
// Framed-IPv6-Address (RFC 6911 section 3.1), Framed-IPv6-Prefix (RFC 3162 section 2.3) and
// Delegated-IPv6-Prefix (RFC 4818 section 3). It leaves out values that are not valid. Those that the
// user's Access-Accept grants count if the NAS sends none of their type, as in records.
func ipv6Of(s *sessions.Session) iter.Seq2[netip.Prefix, radius.Type] {
	return func(yield func(netip.Prefix, radius.Type) bool) {
		for t, value := range s.Attrs.All() {
			if p := ipv6Prefix(t, value); p.IsValid() && !yield(p, t) {
				return
			}
		}
		for t, value := range s.Granted().All() {
			if _, own := s.Attrs.Get(t); own {
				continue
			}
			if p := ipv6Prefix(t, value); p.IsValid() && !yield(p, t) {
				return
			}
		}
	}
}

// ipv6Prefix returns the address or prefix in an attribute; the zero Prefix if it has none.
func ipv6Prefix(t radius.Type, value string) (p netip.Prefix) {
	switch {
	case t == radius.FramedIPv6Address && len(value) == 16:
		p = netip.PrefixFrom(netip.AddrFrom16([16]byte([]byte(value))), 128)
	// An octet that is reserved, the length in bits, and up to 16 octets of the prefix.
	case (t == radius.FramedIPv6Prefix || t == radius.DelegatedIPv6Prefix) && len(value) >= 2 && len(value) <= 18:
		var b [16]byte
		copy(b[:], value[2:])
		p = netip.PrefixFrom(netip.AddrFrom16(b), int(value[1])).Masked()
	}
	return p
}

// describeTermination returns the JSON form of a termination.
func describeTermination(t termination.Progress) *api.Termination {
	out := &api.Termination{Attempts: t.Attempts, Stuck: t.Stuck}
	if t.Attempts > 1 || t.Attempts == 1 && !t.Asking { // there is an outcome
		out.Last = api.ValidText(t.Last.String())
		out.ErrorCause = uint32(t.Last.ErrorCause)
	}
	if !t.Next.IsZero() {
		next := t.Next.UTC().Truncate(time.Millisecond)
		out.Next = &next
	}
	return out
}
