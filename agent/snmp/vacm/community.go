package vacm

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"

	"aaasess/agent/snmp/wire"
)

const maxCommunity = 255 // octets

// Community accepts messages of SNMPv1 and SNMPv2c: a sender that uses Name is the user
// SecurityName (RFC 3584 section 5.2). Several communities may have the same name with different
// sources. Its methods hide the name from fmt, slog and encoders. They do not if it is in an
// unexported field: fmt calls no methods there.
type Community struct {
	Name         string         // a secret of 1 to 255 octets
	SecurityName string         // 1 to 32 octets
	From         []netip.Prefix // sources that may use it; none means all
	// Models are the security models, ModelV1 and ModelV2c, of the messages that may use it. None
	// means ModelV2c.
	Models []wire.SecurityModel
}

// String returns everything except the name.
func (c Community) String() string {
	return fmt.Sprintf("community <secret> of %s from %v", c.SecurityName, c.From)
}

// Format is String for every verb: otherwise %x would reveal the name.
func (c Community) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue is String.
func (c Community) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String, so that JSON and YAML do not reveal the name either.
func (c Community) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Format prints counts only, no digests.
func (p Policy) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "policy of %d views, %d access entries, %d members, %d communities",
		len(p.views), len(p.entries), len(p.members), len(p.communities.list))
}

// communities finds a name by its digest, SHA-256 over a random key and the name. The time of a
// look-up reveals nothing about the names. The hash depends only on the guess, and how many octets
// of a digest the map compares is random for anybody without the key, which never leaves the
// process. So a guess cannot be improved octet by octet, and its length reveals nothing. An
// attacker can measure that a name exists, but the answer says so anyway; from a wrong source there
// is no answer to measure.
type communities struct {
	key   [16]byte // with the key, names up to 39 octets fit one block of SHA-256
	known map[digest][]grant
	list  []Community // without names
	// names are those of list, for snmpCommunityTable. It is a pointer so that fmt cannot print them.
	names *[]string
	hasV1 bool // one of them has ModelV1
	// sources are the prefixes of all communities, in order of their addresses, without those
	// inside another one. So none overlaps another.
	sources []netip.Prefix
}

type digest [sha256.Size]byte

// grant is one source prefix that may use a name.
type grant struct {
	from         netip.Prefix
	securityName string
	v1, v2c      bool // the security models that may use it
}

// allows reports whether messages of a security model may use the grant.
func (g *grant) allows(model wire.SecurityModel) bool {
	return model == wire.ModelV1 && g.v1 || model == wire.ModelV2c && g.v2c
}

func newCommunities(list []Community) (communities, error) {
	cs := communities{known: make(map[digest][]grant, len(list)), names: new([]string)}
	rand.Read(cs.key[:]) // never fails
	var errs []error
	for i, c := range list {
		if err := cs.add(c); err != nil {
			errs = append(errs, fmt.Errorf("vacm: community %d, of %q: %w", i+1, c.SecurityName, err))
		}
	}
	cs.setSources()
	return cs, errors.Join(errs...)
}

func (cs *communities) setSources() {
	var all []netip.Prefix
	for _, grants := range cs.known {
		for _, g := range grants {
			all = append(all, g.from)
		}
	}
	slices.SortFunc(all, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	for _, f := range all { // prefixes are nested or disjoint, and the outer one is first
		if n := len(cs.sources); n == 0 || !cs.sources[n-1].Contains(f.Addr()) {
			cs.sources = append(cs.sources, f)
		}
	}
}

func (cs *communities) add(c Community) error {
	if n := len(c.Name); n == 0 || n > maxCommunity {
		return fmt.Errorf("name has %d octets, want 1 to %d", n, maxCommunity)
	}
	if err := checkName(c.SecurityName); err != nil {
		return fmt.Errorf("security name: %w", err)
	}
	for _, m := range c.Models {
		if m != wire.ModelV1 && m != wire.ModelV2c {
			return fmt.Errorf("security model %s has no communities", m)
		}
	}
	v1 := slices.Contains(c.Models, wire.ModelV1)
	v2c := len(c.Models) == 0 || slices.Contains(c.Models, wire.ModelV2c)
	from := slices.Clone(c.From)
	if len(from) == 0 {
		from = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
	}
	d := cs.digest([]byte(c.Name))
	for i, f := range from {
		if !f.IsValid() {
			return fmt.Errorf("source %d is not a prefix", i+1)
		}
		g := grant{unmapped(f).Masked(), c.SecurityName, v1, v2c}
		if j := slices.IndexFunc(cs.known[d], func(o grant) bool { return o.from == g.from }); j < 0 {
			cs.known[d] = append(cs.known[d], g)
		} else if o := cs.known[d][j]; o.securityName != g.securityName {
			return fmt.Errorf("the same community from %s already has the security name %q", g.from, o.securityName)
		} else if o != g {
			return fmt.Errorf("the same community from %s already has other security models", g.from)
		}
	}
	slices.SortStableFunc(cs.known[d], func(a, b grant) int { return cmp.Compare(b.from.Bits(), a.from.Bits()) })
	cs.hasV1 = cs.hasV1 || v1
	*cs.names = append(*cs.names, c.Name)
	cs.list = append(cs.list, Community{SecurityName: c.SecurityName, From: slices.Clone(c.From), Models: slices.Clone(c.Models)})
	return nil
}

// unmapped converts a prefix inside ::ffff:0:0/96 to IPv4.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

func (cs *communities) digest(name []byte) digest {
	var b [len(cs.key) + maxCommunity]byte
	n := copy(b[:], cs.key[:])
	n += copy(b[n:], name)
	return sha256.Sum256(b[:n])
}

// Community identifies the sender of a message of SNMPv1 or SNMPv2c; model is ModelV1 or ModelV2c.
// known reports whether the community name exists, for any source and model. allowed reports
// whether this source may use it with this model; only then securityName is set, to that of the
// longest matching prefix. An IPv4-mapped address is its IPv4 address. Community does not allocate.
func (p *Policy) Community(model wire.SecurityModel, community []byte, from netip.Addr) (securityName string, known, allowed bool) {
	if len(community) > maxCommunity {
		return "", false, false
	}
	grants, known := p.communities.known[p.communities.digest(community)]
	from = from.Unmap().WithZone("")
	for i := range grants { // longest prefix first
		switch g := &grants[i]; {
		case !g.from.Contains(from):
		case !g.allows(model):
			return "", true, false
		default:
			return g.securityName, true, true
		}
	}
	return "", known, false
}

// HasSource reports whether some community accepts messages from this address. It does not allocate.
func (p *Policy) HasSource(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	i, exact := slices.BinarySearchFunc(p.communities.sources, from, func(f netip.Prefix, a netip.Addr) int { return f.Addr().Compare(a) })
	return exact || i > 0 && p.communities.sources[i-1].Contains(from)
}

// HasV1 reports whether a community accepts SNMPv1.
func (p *Policy) HasV1() bool { return p.communities.hasV1 }
