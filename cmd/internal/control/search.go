package control

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// searcher is an [api.Query.Search]. It is for one request: it remembers which NASes have the text.
type searcher struct {
	clientName func(*sessions.NAS) string
	text       string           // as it was given
	lower      string           // in lower case
	ascii      bool             // text is ASCII
	number     bool             // text can be in a number
	hex        bool             // text can be in a session ID
	address    bool             // text can be in an address or a prefix
	station    net.HardwareAddr // text is a MAC address; nil: it is not
	nases      map[*sessions.NAS]bool
}

func (srv *Server) newSearcher(text string) *searcher {
	onlyOf := func(set string) bool { return strings.Trim(strings.ToLower(text), set) == "" }
	const digits, hexDigits = "0123456789", "0123456789abcdef"
	station, _ := net.ParseMAC(text)
	return &searcher{
		clientName: func(nas *sessions.NAS) string { return srv.cfg.ClientName(nas.Addr) },
		text:       text, lower: strings.ToLower(text), ascii: isASCII(text),
		number: onlyOf(digits), hex: onlyOf(hexDigits), address: onlyOf(hexDigits + ".:/"),
		station: station, nases: map[*sessions.NAS]bool{},
	}
}

// match reports whether a session has the text.
func (f *searcher) match(s *sessions.Session) bool {
	return f.in(s.User()) || f.in(s.AcctSessionID()) || f.inNAS(s.NAS) || f.inID(s) || f.inAddress(s) || f.inAttributes(s)
}

// in reports whether a text has the one that is searched, in upper or lower case. Octets that are not
// UTF-8 have no case.
func (f *searcher) in(s string) bool {
	switch {
	case len(s) < len(f.text) && f.ascii: // some letters have fewer octets in the other case
		return false
	case f.ascii:
		return containsFold(s, f.lower)
	case strings.Contains(s, f.text):
		return true
	}
	return utf8.ValidString(f.text) && strings.Contains(strings.ToLower(s), f.lower)
}

// containsFold reports whether s contains lower, which is ASCII in lower case, in any case.
func containsFold(s, lower string) bool {
	for i := 0; i+len(lower) <= len(s); i++ {
		n := 0
		for n < len(lower) && toLower(s[i+n]) == lower[n] {
			n++
		}
		if n == len(lower) {
			return true
		}
	}
	return false
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// inNAS looks at the names and the address of a NAS, once for all its sessions.
func (f *searcher) inNAS(nas *sessions.NAS) bool {
	found, known := f.nases[nas]
	if !known {
		found = f.in(nas.Name()) || f.in(f.clientName(nas)) || nas.Addr.IsValid() && f.in(nas.Addr.Unmap().String())
		f.nases[nas] = found
	}
	return found
}

// inID looks at the ID, and at the Acct-Session-Id that goes upstream.
func (f *searcher) inID(s *sessions.Session) bool {
	if s.Admission != nil && f.in(s.Name()) {
		return true
	}
	return f.hex && len(f.text) <= 8 && f.in(s.ID.String())
}

func (f *searcher) inAddress(s *sessions.Session) bool {
	if !f.address {
		return false
	}
	var text [64]byte
	if s.IPv4 != 0 && bytes.Contains(framedAddress(s).AppendTo(text[:0]), []byte(f.lower)) {
		return true
	}
	for prefix, t := range ipv6Of(s) {
		b := prefix.AppendTo(text[:0])
		if t == radius.FramedIPv6Address {
			b = prefix.Addr().AppendTo(text[:0])
		}
		if bytes.Contains(b, []byte(f.lower)) {
			return true
		}
	}
	return false
}

// inAttributes looks at the Calling-Station-Id and the line.
func (f *searcher) inAttributes(s *sessions.Session) bool {
	for t, value := range s.Attrs.All() {
		found := false
		switch t {
		case radius.CallingStationID:
			found = f.in(value) || f.isStation(value)
		case radius.NASPortID:
			found = f.in(value)
		case radius.NASPort:
			if port, ok := s.Attrs.Uint32(t); ok && f.number {
				found = strings.Contains(strconv.FormatUint(uint64(port), 10), f.text)
			}
		}
		if found {
			return true
		}
	}
	return false
}

// isStation reports whether a Calling-Station-Id is the MAC address that is searched, in any notation.
func (f *searcher) isStation(value string) bool {
	if f.station == nil {
		return false
	}
	mac, err := net.ParseMAC(value)
	return err == nil && bytes.Equal(mac, f.station)
}
