package control

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// match reports whether s matches a filter.
func (srv *Server) match(f *api.Filter, s *sessions.Session) bool {
	return (len(f.IDs) == 0 || slices.Contains(f.IDs, api.ID(s.ID))) &&
		(f.User == "" || f.User == s.User()) &&
		(!f.Address.IsValid() || hasAddress(f.Address, s)) &&
		(f.Line == "" || isLine(f.Line, s)) &&
		(f.NAS == "" || isNAS(f.NAS, s.NAS) || f.NAS == srv.cfg.ClientName(s.NAS.Addr)) &&
		(f.CallingStation == "" || sameStation(f.CallingStation, s.Attrs.Text(radius.CallingStationID))) &&
		(f.AcctSessionID == "" || f.AcctSessionID == s.AcctSessionID()) &&
		(f.Kind == "" || f.Kind == s.Kind.String()) &&
		(f.State == "" || f.State == s.State.String() || f.State == "stuck" && srv.isStuck(s))
}

func (srv *Server) isStuck(s *sessions.Session) bool {
	if s.State != sessions.Terminating {
		return false
	}
	t, _ := srv.terminator.Status(s.ID)
	return t.Stuck
}

// hasAddress reports whether an address or prefix of a session overlaps want.
func hasAddress(want netip.Prefix, s *sessions.Session) bool {
	if s.IPv4 != 0 && want.Contains(framedAddress(s)) {
		return true
	}
	if want.Addr().Is4() {
		return false
	}
	for prefix := range ipv6Of(s) {
		if want.Overlaps(prefix) {
			return true
		}
	}
	return false
}

// isLine reports whether a session is on a line: its NAS-Port-Id, or its NAS-Port in decimal.
func isLine(want string, s *sessions.Session) bool {
	if want == s.Attrs.Text(radius.NASPortID) {
		return true
	}
	port, ok := s.Attrs.Uint32(radius.NASPort)
	return ok && want == strconv.FormatUint(uint64(port), 10)
}

func isNAS(want string, nas *sessions.NAS) bool {
	if want == nas.Name() || want == nas.String() {
		return true
	}
	addr, err := netip.ParseAddr(want)
	return err == nil && addr.Unmap() == nas.Addr.Unmap()
}

// sameStation compares Calling-Station-Ids: NASes write MAC addresses in many ways (RFC 3580
// section 3.21).
func sameStation(a, b string) bool {
	if a == b {
		return true
	}
	macA, errA := net.ParseMAC(a)
	macB, errB := net.ParseMAC(b)
	return errA == nil && errB == nil && bytes.Equal(macA, macB)
}

// find returns the sessions of a view that match a filter, in the order of their ids.
func (srv *Server) find(f api.Filter, view *sessions.View) []*sessions.Session {
	return srv.findAlso(f, view, func(*sessions.Session) bool { return true })
}

// findAll returns the sessions of a view that match the filter and the search of a query, in the order
// of their ids.
func (srv *Server) findAll(q api.Query, view *sessions.View) []*sessions.Session {
	if q.Search == "" {
		return srv.find(q.Filter, view)
	}
	return srv.findAlso(q.Filter, view, srv.newSearcher(q.Search).match)
}

func (srv *Server) findAlso(f api.Filter, view *sessions.View, also func(*sessions.Session) bool) []*sessions.Session {
	var list []*sessions.Session
	if len(f.IDs) > 0 {
		ids := slices.Sorted(slices.Values(f.IDs))
		f.IDs = nil
		for _, id := range ids {
			if s := view.Get(sessions.ID(id)); s != nil && srv.match(&f, s) && also(s) {
				list = append(list, s)
			}
		}
		return list
	}
	for s := range view.All() {
		if srv.match(&f, s) && also(s) {
			list = append(list, s)
		}
	}
	return list
}
