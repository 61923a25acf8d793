package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// isOurs reports whether a request is for this host, see the package comment. It logs one that is not.
func (s *Server) isOurs(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if isHost(r.Host, local, s.settings.Load().Hosts) {
		return true
	}
	if suppressed, ok := s.foreign.Allow(time.Now()); ok {
		s.cfg.Logger.Warn("http request refused: its Host header has another name than those of http.hosts", "from", r.RemoteAddr,
			"err", fmt.Errorf("the Host is %.100q", r.Host), "suppressed", suppressed)
	}
	return false
}

// isHost reports whether a Host header (RFC 9110 section 7.2) names this host: by the address that the
// request was sent to, as localhost, or by one of further names.
func isHost(header string, local net.Addr, further []string) bool {
	name := hostOf(header)
	if addr, err := netip.ParseAddr(name); err == nil {
		addr = addr.Unmap().WithZone("")
		return local != nil && addr == addrPort(local).Addr() || slices.Contains(further, addr.String())
	}
	return name == "localhost" || name != "" && slices.Contains(further, name)
}

// hostOf returns the host of a Host header, without the port, in lower case and without the dot of the
// root; "" if the header is invalid.
func hostOf(header string) string {
	name := header
	switch {
	case strings.HasPrefix(name, "["):
		end := strings.IndexByte(name, ']')
		if end < 0 || end+1 < len(name) && name[end+1] != ':' {
			return ""
		}
		name = name[1:end]
	case strings.Count(name, ":") == 1:
		name, _, _ = strings.Cut(name, ":")
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
