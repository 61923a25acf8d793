package control

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// privilegeOf returns the privilege level of a user, from the user's sessions on a line. RADIUS
// has no such level: an Administrative user has 15, the others have 1, as in the example of S1.
func privilegeOf(list []accounted) int {
	for i := range list {
		if list[i].session.Attrs.IsAdministrative() {
			return 15
		}
	}
	return 1
}

// pairsOf describes a session in the order and with the names of S1's "show accounting" and
// TACACS+ records. A pair whose value the NAS has not sent is left out.
func pairsOf(s *sessions.Session) []api.Attribute {
	p := pairs{{Name: "task_id", Value: strconv.FormatUint(uint64(s.ID), 10)}}
	switch s.Kind {
	case sessions.Network:
		p.addNetwork(s)
	case sessions.Exec:
		p.add("service", "shell")
	case sessions.Connection:
		p.addConnection(s)
	}
	used, known := s.Used()
	for _, counter := range []struct {
		is    sessions.UsageFields
		name  string
		value uint64
	}{
		{sessions.InputOctets, "bytes_in", used.InputOctets},
		{sessions.OutputOctets, "bytes_out", used.OutputOctets},
		{sessions.InputPackets, "paks_in", used.InputPackets},
		{sessions.OutputPackets, "paks_out", used.OutputPackets},
	} {
		if known&counter.is != 0 {
			p.add(counter.name, strconv.FormatUint(counter.value, 10))
		}
	}
	return p
}

// pairs are the attributes and values of a session.
type pairs []api.Attribute

func (p *pairs) add(name, value string) { *p = append(*p, api.Attribute{Name: name, Value: value}) }

// addNetwork adds the service, and a protocol with its addresses for IPv4 and for IPv6.
func (p *pairs) addNetwork(s *sessions.Session) {
	service, _ := s.Attrs.FramedService()
	p.add("service", service)
	if s.IPv4 != 0 {
		p.add("protocol", "ip")
		p.add("address", framedAddress(s).String())
	}
	first := true
	for prefix, t := range ipv6Of(s) {
		if first {
			p.add("protocol", "ipv6")
			first = false
		}
		switch t {
		case radius.FramedIPv6Address:
			p.add("address", prefix.Addr().String())
		case radius.FramedIPv6Prefix:
			p.add("prefix", prefix.String())
		case radius.DelegatedIPv6Prefix:
			p.add("delegated-prefix", prefix.String())
		}
	}
}

// addConnection adds the service, the protocol and the host. A Login-IP-Host of all zeros or all
// ones is no host: the NAS or the user chooses one (RFC 2865 section 5.14).
func (p *pairs) addConnection(s *sessions.Session) {
	p.add("service", "connection")
	if protocol, ok := s.Attrs.LoginProtocol(); ok {
		p.add("protocol", protocol)
	}
	if host, ok := s.Attrs.Uint32(radius.LoginIPHost); ok && host != 0 && host != 1<<32-1 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], host)
		p.add("address", netip.AddrFrom4(b).String())
	}
	if host, ok := s.Attrs.Get(radius.LoginIPv6Host); ok && len(host) == 16 {
		p.add("address", netip.AddrFrom16([16]byte([]byte(host))).String())
	}
	if node := s.Attrs.Text(radius.LoginLATNode); node != "" {
		p.add("address", api.ValidText(node))
	}
}
