package sessions

import "slices"

// nameIndex finds sessions by name: by a hash of one identifier or the address of a NAS, and the
// Acct-Session-Id or another attribute. The caller must compare what it finds, because hashes can be
// equal by chance.
type nameIndex struct {
	first map[hashedName]ID
	more  map[hashedName][]ID // other sessions with the same hash
}

// hashedName is such a hash. A session has up to four, and a map needs 9 octets for each; with 64
// bits it needs 17. Of the hashes of a million sessions, about a thousand are equal by chance.
type hashedName uint32

func newNameIndex(size int) nameIndex {
	return nameIndex{first: make(map[hashedName]ID, size), more: map[hashedName][]ID{}}
}

// sidHash returns the same hash for an Acct-Session-Id and its shortened form.
func sidHash(sid string) uint64 { return fnv(fnvBasis, shortened(sid)) }

// nameHash combines the hashes of a NAS key and an Acct-Session-Id.
func nameHash(key, sid uint64) hashedName {
	sum := fnvNumber(key, sid)
	return hashedName(sum ^ sum>>32)
}

// add enters a session under all keys of a node.
func (n *nameIndex) add(node *nasNode, sid uint64, id ID) {
	for _, key := range node.keys {
		if key == 0 {
			continue
		}
		name := nameHash(key, sid)
		if _, taken := n.first[name]; taken {
			n.more[name] = append(n.more[name], id)
		} else {
			n.first[name] = id
		}
	}
}

// remove undoes add.
func (n *nameIndex) remove(node *nasNode, sid uint64, id ID) {
	for _, key := range node.keys {
		if key == 0 {
			continue
		}
		name := nameHash(key, sid)
		more := n.more[name]
		switch i := slices.Index(more, id); {
		case i >= 0:
			more = slices.Delete(more, i, i+1)
		case n.first[name] != id:
			continue
		case len(more) > 0:
			n.first[name], more = more[0], more[1:]
		default:
			delete(n.first, name)
			continue
		}
		if len(more) > 0 {
			n.more[name] = more
		} else {
			delete(n.more, name)
		}
	}
}

// find appends the sessions of the event's NAS under this hash. For each set of identifiers that
// NASes have, it looks under the shared identifier with the fewest sessions, or under the address if
// none is shared. Some sessions have other names, and one may be found twice.
func (n *nameIndex) find(t *nases, ev *Event, sid uint64, ids []ID) []ID {
	own := ev.NAS.types()
	for has := range identifierTypes(len(t.counts)) {
		if t.counts[has] == 0 {
			continue
		}
		var least hashedName
		count := -1
		for _, typ := range keyTypes {
			if typ&^(own&has) != 0 || typ == 0 && own&has != 0 {
				continue
			}
			k := ev.NAS.key(typ, has)
			name := nameHash(k.hash(), sid)
			if c := n.count(name); count < 0 || c < count {
				least, count = name, c
			}
			if count <= 1 {
				break // each look-up reads memory that is in no cache
			}
		}
		if count > 0 {
			ids = append(append(ids, n.first[least]), n.more[least]...)
		}
	}
	return ids
}

func (n *nameIndex) count(name hashedName) int {
	if _, ok := n.first[name]; !ok {
		return 0
	}
	return 1 + len(n.more[name])
}

// findByAddr appends the sessions that have the event's name and source address.
func (n *nameIndex) findByAddr(t *nases, ev *Event, ids []ID) []ID {
	sid := sidHash(ev.AcctSessionID)
	for has := range identifierTypes(len(t.counts)) {
		if t.counts[has] == 0 {
			continue
		}
		k := ev.NAS.key(0, has)
		name := nameHash(k.hash(), sid)
		if n.count(name) > 0 {
			ids = append(append(ids, n.first[name]), n.more[name]...)
		}
	}
	return ids
}
