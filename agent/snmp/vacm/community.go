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
)

const maxCommunity = 255 // octets

// Community lets SNMPv2c in: who sends its name is the user SecurityName (RFC 3584 section 5.2). One name
// may stand in several communities, with other sources. Its methods hide the name from fmt, slog and
// encoders, as long as it is in no unexported field: fmt calls no methods there.
type Community struct {
	Name         string         // a secret of 1 to 255 octets
	SecurityName string         // 1 to 32 octets
	From         []netip.Prefix // the sources it is good for; none: all
}

// String tells all but the name.
func (c Community) String() string {
	return fmt.Sprintf("community <secret> of %s from %v", c.SecurityName, c.From)
}

// Format is String for each verb: %x would tell the name otherwise.
func (c Community) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue is String.
func (c Community) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String: JSON and YAML do not tell the name either.
func (c Community) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Format tells how much there is, and no digests.
func (p Policy) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "policy of %d views, %d access entries, %d members, %d communities",
		len(p.views), len(p.entries), len(p.members), len(p.communities.list))
}

// communities finds a name by its digest, SHA-256 over a random key and the name. The time that this takes
// tells nothing of the names: hashing depends on the guess alone, and how many octets of a digest the
// search of the map compares is chance to all who do not know the key, which never leaves the process. So
// a guess cannot be improved octet by octet, and none is shown to be of the right length. What is left to
// measure is that a name was found: the answer tells that anyway, and where the source is wrong there is
// no answer whose time could be taken.
type communities struct {
	key   [16]byte // with it, names up to 39 octets are one block of SHA-256
	known map[digest][]grant
	list  []Community // without names
}

type digest [sha256.Size]byte

// grant is one source of a name.
type grant struct {
	from         netip.Prefix
	securityName string
}

func newCommunities(list []Community) (communities, error) {
	cs := communities{known: make(map[digest][]grant, len(list))}
	rand.Read(cs.key[:]) // never fails
	var errs []error
	for i, c := range list {
		if err := cs.add(c); err != nil {
			errs = append(errs, fmt.Errorf("vacm: community %d, of %q: %w", i+1, c.SecurityName, err))
		}
	}
	return cs, errors.Join(errs...)
}

func (cs *communities) add(c Community) error {
	if n := len(c.Name); n == 0 || n > maxCommunity {
		return fmt.Errorf("a name of %d octets, want 1 to %d", n, maxCommunity)
	}
	if err := checkName(c.SecurityName); err != nil {
		return fmt.Errorf("security name: %w", err)
	}
	from := slices.Clone(c.From)
	if len(from) == 0 {
		from = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
	}
	d := cs.digest([]byte(c.Name))
	for i, f := range from {
		if !f.IsValid() {
			return fmt.Errorf("source %d is not a prefix", i+1)
		}
		g := grant{unmapped(f).Masked(), c.SecurityName}
		if j := slices.IndexFunc(cs.known[d], func(o grant) bool { return o.from == g.from }); j < 0 {
			cs.known[d] = append(cs.known[d], g)
		} else if o := cs.known[d][j]; o.securityName != g.securityName {
			return fmt.Errorf("the same name from %s is %q already", g.from, o.securityName)
		}
	}
	slices.SortStableFunc(cs.known[d], func(a, b grant) int { return cmp.Compare(b.from.Bits(), a.from.Bits()) })
	cs.list = append(cs.list, Community{SecurityName: c.SecurityName, From: slices.Clone(c.From)})
	return nil
}

// unmapped makes an IPv4 prefix of one that is within ::ffff:0:0/96.
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

// Community is whom a message of SNMPv2c comes from. known tells that there is this name, from anywhere;
// allowed that it is good for this source, and only then there is a security name: that of the longest
// prefix that the source lies in. An IPv4-mapped address is its IPv4 address. It does not allocate.
func (p *Policy) Community(community []byte, from netip.Addr) (securityName string, known, allowed bool) {
	if len(community) > maxCommunity {
		return "", false, false
	}
	grants, known := p.communities.known[p.communities.digest(community)]
	from = from.Unmap().WithZone("")
	for i := range grants { // longest first
		if grants[i].from.Contains(from) {
			return grants[i].securityName, true, true
		}
	}
	return "", known, false
}
