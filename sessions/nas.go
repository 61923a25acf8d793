package sessions

import (
	"net/netip"
	"slices"
	"strings"
)

// nasNode is a NAS value of sessions, and an entry of the indexes that find sessions by NAS. A
// value has one node, as long as a live or remembered session has or had it.
type nasNode struct {
	NAS
	identifiers  identifierTypes
	keys         [len(keyTypes)]uint64 // hashes of its nasKeys, 0 for identifiers that it does not have
	ids          []ID                  // of its live sessions in order of arrival; some may have ended
	liveCount    int
	endedCount   int        // remembered sessions
	closings     []*closing // Accounting-Ons and -Offs that are not finished
	reportsCalls bool       // its sessions are in Table.calls.users
	// lastOnOff is when the NAS last sent Accounting-On or -Off. It is not stored.
	lastOnOff Stamp
}

// Matches compares the identifiers of a packet with those of a session (R25). It returns how many
// are equal, and whether the packet may belong to the session. Identifiers that both have must be
// equal. If they share none, the source addresses must be equal.
func (n *NAS) Matches(s *NAS) (equal int, ok bool) {
	shared := n.types() & s.types()
	if shared&hasIdentifier != 0 {
		if n.Identifier != s.Identifier {
			return 0, false
		}
		equal++
	}
	if shared&hasIPv4 != 0 {
		if n.IPv4 != s.IPv4 {
			return 0, false
		}
		equal++
	}
	if shared&hasIPv6 != 0 {
		if n.IPv6 != s.IPv6 {
			return 0, false
		}
		equal++
	}
	return equal, equal > 0 || n.Addr == s.Addr
}

// identifierTypes is a set of the identifiers that a NAS may have.
type identifierTypes uint8

const (
	hasIdentifier identifierTypes = 1 << iota
	hasIPv4
	hasIPv6

	allTypes = hasIdentifier | hasIPv4 | hasIPv6
)

func (n *NAS) types() identifierTypes {
	var has identifierTypes
	if n.Identifier != "" {
		has |= hasIdentifier
	}
	if n.IPv4.IsValid() {
		has |= hasIPv4
	}
	if n.IPv6.IsValid() {
		has |= hasIPv6
	}
	return has
}

// nasKey is the key by which nodes and sessions are found: one identifier, or the source address if
// typ is 0, together with the set of identifiers that the NAS has. Because of the set, NASes that
// share a default NAS-Identifier but also have an address do not slow each other down.
type nasKey struct {
	typ, has identifierTypes
	addr     netip.Addr
	text     string
}

// key returns the key of one identifier, for NASes that have this set of identifiers.
func (n *NAS) key(typ, has identifierTypes) nasKey {
	k := nasKey{typ: typ, has: has}
	switch typ {
	case hasIdentifier:
		k.text = n.Identifier
	case hasIPv4:
		k.addr = n.IPv4
	case hasIPv6:
		k.addr = n.IPv6
	default:
		k.addr = n.Addr
	}
	return k
}

func (k *nasKey) hash() uint64 {
	sum := fnvNumber(fnvBasis, uint64(k.typ)|uint64(k.has)<<8)
	octets := k.addr.As16()
	return fnv(fnv(fnv(sum, string(octets[:])), k.addr.Zone()), k.text)
}

var keyTypes = [...]identifierTypes{0, hasIdentifier, hasIPv4, hasIPv6}

// nases has all nodes.
type nases struct {
	byValue map[NAS]*nasNode
	byKey   map[nasKey][]*nasNode
	counts  [allTypes + 1]int // number of nodes by the set of identifiers that they have
}

func newNASes() nases {
	return nases{byValue: map[NAS]*nasNode{}, byKey: map[nasKey][]*nasNode{}}
}

// find returns the nodes that an Accounting-On or -Off matches and that belong to its client.
func (ns *nases) find(ev *Event) (found []*nasNode) {
	own := ev.NAS.types()
	for has := range identifierTypes(len(ns.counts)) {
		if ns.counts[has] == 0 {
			continue
		}
		for _, node := range ns.smallestSet(&ev.NAS, own&has, has) {
			if _, ok := ev.NAS.Matches(&node.NAS); ok && ev.IsFromClient(node.Addr) {
				found = append(found, node)
			}
		}
	}
	return found
}

// smallestSet returns nodes with this set of identifiers, among them all that may match n. It looks
// under the shared identifier that the fewest nodes have, or under the address if none is shared.
func (ns *nases) smallestSet(n *NAS, shared, has identifierTypes) (least []*nasNode) {
	if shared == 0 {
		return ns.byKey[n.key(0, has)]
	}
	first := true
	for _, typ := range keyTypes[1:] {
		if shared&typ == 0 {
			continue
		}
		if set := ns.byKey[n.key(typ, has)]; first || len(set) < len(least) {
			least, first = set, false
		}
	}
	return least
}

// appendKeys appends the hashes of all keys under which a session of a NAS may be known: for each set
// of identifiers that NASes have, those that n shares with it, or the address if it shares none.
func (ns *nases) appendKeys(keys []uint64, n *NAS) []uint64 {
	own := n.types()
	for has := range identifierTypes(len(ns.counts)) {
		for _, typ := range keyTypes {
			if ns.counts[has] > 0 && typ&^(own&has) == 0 && (typ != 0 || own&has == 0) {
				k := n.key(typ, has)
				keys = append(keys, k.hash())
			}
		}
	}
	return keys
}

// nodeOf returns the node of a NAS, and makes it if there is none.
func (ns *nases) nodeOf(n NAS) *nasNode {
	node := ns.byValue[n]
	if node != nil {
		return node
	}
	n.Identifier = strings.Clone(n.Identifier) // part of a packet, whose memory must not be kept
	node = &nasNode{NAS: n, identifiers: n.types()}
	ns.byValue[n] = node
	ns.counts[node.identifiers]++
	for i, typ := range keyTypes {
		if typ&^node.identifiers == 0 {
			k := n.key(typ, node.identifiers)
			ns.byKey[k] = append(ns.byKey[k], node)
			node.keys[i] = k.hash()
		}
	}
	return node
}

// release removes a node that no session needs any more.
func (ns *nases) release(node *nasNode) {
	if node.liveCount > 0 || node.endedCount > 0 || ns.byValue[node.NAS] != node {
		return
	}
	delete(ns.byValue, node.NAS)
	ns.counts[node.identifiers]--
	for _, typ := range keyTypes {
		if typ&^node.identifiers != 0 {
			continue
		}
		k := node.key(typ, node.identifiers)
		if ns.byKey[k] = without(ns.byKey[k], node); len(ns.byKey[k]) == 0 {
			delete(ns.byKey, k)
		}
	}
}

func without(nodes []*nasNode, node *nasNode) []*nasNode {
	i := slices.Index(nodes, node)
	nodes[i] = nodes[len(nodes)-1]
	nodes[len(nodes)-1] = nil
	return nodes[:len(nodes)-1]
}

// IsFromClient reports whether a source address belongs to the client entry of the event.
func (ev *Event) IsFromClient(addr netip.Addr) bool {
	return addr == ev.NAS.Addr || ev.SameClient != nil && ev.SameClient(addr)
}

// updatedFrom returns what is known of a NAS after a packet. Its address is the packet's, but the owner
// of a session of this host stays. Identifiers that the packet does not have stay.
func (n NAS) updatedFrom(packet *NAS) NAS {
	if !IsLocal(n.Addr) {
		n.Addr = packet.Addr
	}
	if packet.Local.IsValid() {
		n.Local = packet.Local
	}
	if packet.Identifier != "" {
		n.Identifier = packet.Identifier
	}
	if packet.IPv4.IsValid() {
		n.IPv4 = packet.IPv4
	}
	if packet.IPv6.IsValid() {
		n.IPv6 = packet.IPv6
	}
	return n
}

// updateNAS gives a session the NAS value of an event. Identifiers that the event lacks stay.
func (t *Table) updateNAS(s *Session, ev *Event) *Session {
	is := s.node.updatedFrom(&ev.NAS)
	if is == s.node.NAS {
		return s
	}
	node := t.nases.nodeOf(is)
	before := s.formerNodes()
	former := make([]*nasNode, 0, len(before)+1)
	for _, n := range append(before[:len(before):len(before)], s.node) {
		if n != node {
			former = append(former, n)
		}
	}
	s.setFormerNodes(former[max(0, len(former)-maxFormer):])
	s.node, s.NAS = node, &node.NAS
	return s
}

// maxFormer is how many former NAS values a session keeps.
const maxFormer = 7
