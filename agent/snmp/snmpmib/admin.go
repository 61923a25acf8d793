package snmpmib

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// adminRows has the rows of SNMP-COMMUNITY-MIB, SNMP-TARGET-MIB and SNMP-NOTIFICATION-MIB for one
// policy and one list of targets. It is immutable.
//
// A target of notifications has a row in snmpTargetAddrTable and one in snmpTargetParamsTable, both
// with its name. One of SNMPv2c also has a row in snmpCommunityTable for its community; the security
// name of that row is in no group, so it gives no access. A community whose sources are restricted
// has a row in snmpTargetAddrTable for each source prefix, with a mask, and its
// snmpCommunityTransportTag selects them (RFC 3584 section 5.3).
type adminRows struct {
	policy  *vacm.Policy
	targets *[]notify.Target

	communities table[community]
	addresses   table[address]
	params      table[params]
	notify      table[notifyRow]
}

// community is a row of snmpCommunityTable. name is a secret.
type community struct{ name, securityName, tag string }

// address is a row of snmpTargetAddrTable, with that of snmpTargetAddrExtTable.
type address struct {
	domain   mib.OID
	octets   string
	mask     string // "" means that all bits count
	timeout  int32  // centiseconds
	retries  int32
	tags     string
	paramsOf string
}

// params is a row of snmpTargetParamsTable.
type params struct {
	version      wire.Version
	model        wire.SecurityModel
	securityName string
	level        wire.SecurityLevel
}

// notifyRow is a row of snmpNotifyTable. Its name is its tag.
type notifyRow struct {
	tag    string
	inform bool
}

// The rows of snmpNotifyTable, each with the tag of its name.
const (
	trapTag   = "trap"
	informTag = "inform"
)

// The values of a row that has no answer to wait for: the DEFVALs of RFC 3413.
const (
	defaultTimeout = 1500 // centiseconds
	defaultRetries = 3
)

// admin caches the last adminRows.
type admin struct {
	policy  func() *vacm.Policy
	targets func() *[]notify.Target
	last    atomic.Pointer[adminRows]
}

// get returns the current rows. Goroutines that see a change at the same time may each build them.
func (a *admin) get() *adminRows {
	policy, targets := a.policy(), a.targets()
	if rows := a.last.Load(); rows != nil && rows.policy == policy && rows.targets == targets {
		return rows
	}
	rows := newAdminRows(policy, targets)
	a.last.Store(rows)
	return rows
}

// adminBuilder collects rows. The names of each table are unique.
type adminBuilder struct {
	communities []entry[community]
	addresses   []entry[address]
	params      []entry[params]
	notify      []entry[notifyRow]

	communityNames, addressNames, paramsNames, securityNames names
}

func newAdminRows(policy *vacm.Policy, targets *[]notify.Target) *adminRows {
	b := &adminBuilder{communityNames: names{}, addressNames: names{}, paramsNames: names{}, securityNames: names{}}
	for _, m := range policy.Members() {
		b.securityNames[m.SecurityName] = 1
	}
	for _, c := range policy.Communities() { // also one that is in no group
		b.securityNames[c.SecurityName] = 1
	}
	if targets != nil {
		for i := range *targets {
			b.addTarget(&(*targets)[i])
		}
	}
	secrets := policy.CommunityNames()
	for i, c := range policy.Communities() {
		b.addCommunity(&c, secrets[i])
	}
	return &adminRows{
		policy: policy, targets: targets,
		communities: newTable(communityEntry, b.communities),
		addresses:   newTable(targetAddrEntry, b.addresses),
		params:      newTable(targetParamsEntry, b.params),
		notify:      newTable(notifyEntry, b.notify),
	}
}

// addTarget adds the rows of a target of notifications.
func (b *adminBuilder) addTarget(t *notify.Target) {
	name, tag := b.addressNames.unique(t.Name), trapTag
	if t.Inform {
		tag = informTag
	}
	if !slices.ContainsFunc(b.notify, func(e entry[notifyRow]) bool { return e.row.tag == tag }) {
		b.notify = append(b.notify, entry[notifyRow]{impliedName(tag), notifyRow{tag, t.Inform}})
	}
	p := params{t.Version, wire.ModelUSM, t.User.Name, t.User.Level()}
	tags := tag
	if t.Version == wire.Version2c {
		own := "notify/" + tagOf(name)
		p = params{t.Version, wire.ModelV2c, b.securityNames.unique("notify/" + t.Name), wire.NoAuthNoPriv}
		b.communities = append(b.communities, entry[community]{
			impliedName(b.communityNames.unique("notify/" + t.Name)), community{string(t.Community), p.securityName, own},
		})
		tags += " " + own
	}
	paramsName := b.paramsNames.unique(t.Name)
	b.params = append(b.params, entry[params]{impliedName(paramsName), p})
	timeout := t.Timeout
	if timeout == 0 {
		timeout = notify.DefaultTimeout
	}
	domain, octets := transportAddress(t.Address)
	b.addresses = append(b.addresses, entry[address]{impliedName(name), address{
		domain: domain, octets: octets, tags: tags, paramsOf: paramsName,
		timeout: int32(timeout / (10 * time.Millisecond)), retries: int32(t.Retries),
	}})
}

// addCommunity adds the rows of a community that requests may have.
func (b *adminBuilder) addCommunity(c *vacm.Community, secret string) {
	name, tag := b.communityNames.unique(c.SecurityName), ""
	if sources := restrictions(c.From); len(sources) > 0 {
		tag = "from/" + tagOf(name)
		p := params{wire.Version2c, wire.ModelV2c, c.SecurityName, wire.NoAuthNoPriv}
		if len(c.Models) == 1 && c.Models[0] == wire.ModelV1 {
			p.version, p.model = wire.Version1, wire.ModelV1
		}
		paramsName := b.paramsNames.unique(name)
		b.params = append(b.params, entry[params]{impliedName(paramsName), p})
		for i, source := range sources {
			domain, octets, mask := maskedAddress(source)
			row := b.addressNames.unique(fmt.Sprint(name, "/", i+1))
			b.addresses = append(b.addresses, entry[address]{impliedName(row), address{
				domain: domain, octets: octets, mask: mask, tags: tag, paramsOf: paramsName,
				timeout: defaultTimeout, retries: defaultRetries,
			}})
		}
	}
	b.communities = append(b.communities, entry[community]{impliedName(name), community{secret, c.SecurityName, tag}})
}

// names are the names in use in one table, each with the number of the last one that was made of it.
type names map[string]int

const maxRowName = 32 // octets in the name of a row, or in a security name

// unique returns name, cut to 32 octets of UTF-8. If it is taken, it ends in a slash and a number. It is
// taken from then on.
func (n names) unique(name string) string {
	base := cutName(name, maxRowName)
	name = base
	for n[name] > 0 {
		n[base]++
		suffix := "/" + strconv.Itoa(n[base])
		name = cutName(base, maxRowName-len(suffix)) + suffix
	}
	n[name] = 1
	return name
}

// cutName returns the longest beginning of name that has at most size octets and no half characters.
func cutName(name string, size int) string {
	if len(name) <= size {
		return name
	}
	for size > 0 && !utf8.RuneStart(name[size]) {
		size--
	}
	return name[:size]
}

// tagOf returns a name as a tag, in which the delimiters of SnmpTagList are not allowed.
func tagOf(name string) string {
	return strings.NewReplacer(" ", "_", "\t", "_", "\r", "_", "\n", "_").Replace(name)
}

// impliedName returns the index of an IMPLIED string: its octets, without a length (RFC 2578 section
// 7.7).
func impliedName(name string) mib.OID { return appendName(nil, name)[1:] }

// restrictions returns the prefixes that restrict the sources of a community; none if all addresses
// may use it.
func restrictions(from []netip.Prefix) []netip.Prefix {
	var sources []netip.Prefix
	var allOf4, allOf6 bool
	for _, p := range from {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		p = p.Masked()
		allOf4 = allOf4 || p.Bits() == 0 && p.Addr().Is4()
		allOf6 = allOf6 || p.Bits() == 0 && p.Addr().Is6()
		sources = append(sources, p)
	}
	if allOf4 && allOf6 {
		return nil
	}
	return sources
}

// The values of snmpTargetAddrTDomain (RFC 3417 section 2, RFC 3419).
var (
	snmpUDPDomain           = mib.MustOID("1.3.6.1.6.1.1")
	transportDomainUdpIpv6  = mib.MustOID("1.3.6.1.2.1.100.1.2")
	transportDomainUdpIpv6z = mib.MustOID("1.3.6.1.2.1.100.1.4")
	transportDomainUdpDns   = mib.MustOID("1.3.6.1.2.1.100.1.14")
)

// maskedAddress returns the address of a source prefix, with any port, and its mask.
func maskedAddress(p netip.Prefix) (domain mib.OID, octets, mask string) {
	domain = transportDomainUdpIpv6
	if p.Addr().Is4() {
		domain = snmpUDPDomain
	}
	ones := net.CIDRMask(p.Bits(), p.Addr().BitLen())
	return domain, string(p.Addr().AsSlice()) + "\x00\x00", string(ones) + "\x00\x00"
}

// transportAddress returns the domain and the octets of host:port.
func transportAddress(hostPort string) (mib.OID, string) {
	host, port, _ := net.SplitHostPort(hostPort) // valid: package notify has checked it
	n, _ := strconv.ParseUint(port, 10, 16)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return transportDomainUdpDns, hostPort
	}
	addr = addr.Unmap()
	b := addr.AsSlice()
	domain := transportDomainUdpIpv6
	switch {
	case addr.Is4():
		domain = snmpUDPDomain
	case addr.Zone() != "":
		domain = transportDomainUdpIpv6z
		b = binary.BigEndian.AppendUint32(b, mib.ZoneIndex(addr.Zone()))
	}
	return domain, string(binary.BigEndian.AppendUint16(b, uint16(n)))
}
