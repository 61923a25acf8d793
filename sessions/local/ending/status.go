package ending

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// vpnClient is a client of an OpenVPN server: a line CLIENT_LIST of its status.
type vpnClient struct {
	id         uint64       // Client ID: the number for client-kill
	commonName string       // of the certificate, or the user name with username-as-common-name
	user       string       // "" if it has logged in without one
	real       netip.Addr   // where it comes from
	port       uint16       // likewise; 0 if not known
	virtual    []netip.Addr // its addresses in the tunnel
}

// columns are the columns of CLIENT_LIST that are read. Older versions lack some, and newer ones have
// more, so they are found by name.
type columns struct{ id, commonName, user, real, virtual4, virtual6 int }

// undefined is what OpenVPN writes in place of a name that is not known.
const undefined = "UNDEF"

// statusParser reads the answer to "status 3", line by line.
type statusParser struct {
	columns *columns // nil until the header is read
	clients []vpnClient
}

// line reads a line without its end.
func (p *statusParser) line(line string) error {
	values := strings.Split(line, "\t")
	switch {
	case len(values) > 2 && values[0] == "HEADER" && values[1] == "CLIENT_LIST":
		return p.header(values[1:])
	case values[0] == "CLIENT_LIST":
		return p.client(values)
	}
	return nil // of the routing table, the version, or of a later one
}

// header finds the columns. CLIENT_LIST itself is number 0, as in the lines of clients.
func (p *statusParser) header(names []string) error {
	find := func(name string) int { return slices.Index(names, name) }
	c := columns{
		id: find("Client ID"), commonName: find("Common Name"), user: find("Username"),
		real: find("Real Address"), virtual4: find("Virtual Address"), virtual6: find("Virtual IPv6 Address"),
	}
	if c.id < 0 || c.commonName < 0 {
		return errors.New("its status has no Client ID; OpenVPN 2.4 or newer is needed")
	}
	p.columns = &c
	return nil
}

func (p *statusParser) client(values []string) error {
	if p.columns == nil {
		return errors.New("its status has a client before the header")
	}
	value := func(column int) string {
		if column < 0 || column >= len(values) || values[column] == undefined {
			return ""
		}
		return values[column]
	}
	id, err := strconv.ParseUint(value(p.columns.id), 10, 64)
	if err != nil {
		return fmt.Errorf("its status has a Client ID %q", value(p.columns.id))
	}
	c := vpnClient{id: id, commonName: value(p.columns.commonName), user: value(p.columns.user)}
	c.real, c.port = parseReal(value(p.columns.real))
	for _, column := range [...]int{p.columns.virtual4, p.columns.virtual6} {
		if a, err := netip.ParseAddr(value(column)); err == nil {
			c.virtual = append(c.virtual, a.Unmap())
		}
	}
	p.clients = append(p.clients, c)
	return nil
}

// parseReal reads a Real Address: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT. Newer versions write the
// protocol before it, as in udp4:ADDRESS:PORT.
func parseReal(text string) (netip.Addr, uint16) {
	for rest, more := text, true; more; _, rest, more = strings.Cut(rest, ":") {
		if to, err := netip.ParseAddrPort(rest); err == nil {
			return to.Addr().Unmap(), to.Port()
		}
		if a, err := netip.ParseAddr(rest); err == nil {
			return a.Unmap(), 0
		}
	}
	return netip.Addr{}, 0
}

// isOf reports whether a session may be that of a client: it has the name of the session's user, the
// session's address in the tunnel, and comes from its station, as far as these are known. OpenVPN
// replaces what is not printable in names by "_".
func (c *vpnClient) isOf(s *sessions.Session) bool {
	isName := func(name string) bool {
		return name != "" && (printable(name) == printable(c.user) || printable(name) == printable(c.commonName))
	}
	if !isName(s.User()) && !isName(s.Attrs.Text(radius.UserName)) {
		return false
	}
	if own := addresses(s); len(own) > 0 && !slices.ContainsFunc(own, func(a netip.Addr) bool { return slices.Contains(c.virtual, a) }) {
		return false
	}
	station, port := parseReal(s.Attrs.Text(radius.CallingStationID))
	if !station.IsValid() || !c.real.IsValid() {
		return true
	}
	return station == c.real && (port == 0 || c.port == 0 || port == c.port)
}

func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '_'
		}
		return r
	}, name)
}

// addresses returns the addresses of a session.
func addresses(s *sessions.Session) (list []netip.Addr) {
	if s.IPv4 != 0 {
		list = append(list, netip.AddrFrom4([4]byte{byte(s.IPv4 >> 24), byte(s.IPv4 >> 16), byte(s.IPv4 >> 8), byte(s.IPv4)}))
	}
	if v := s.Attrs.Text(radius.FramedIPv6Address); len(v) == 16 {
		list = append(list, netip.AddrFrom16([16]byte([]byte(v))))
	}
	return list
}
