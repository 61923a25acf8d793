package admission

import "hash/maphash"

// index finds logins by what they say of the user and the line. A login has one link for each. Links
// with the same hash are a chain, the newest first. The caller must compare what it finds.
type index struct {
	seed   maphash.Seed
	chains map[uint64]ref // the newest link of each hash
	links  slab[link]
}

type link struct {
	hash         uint64
	login        ref
	newer, older ref // links of the same hash
	next         ref // link of the same login
}

// aspect is what a login is found by, the surest first. A call is found without its user.
type aspect byte

const (
	bySession aspect = iota
	byStation
	byPort
	byPortID
	byUser
	aspects
)

// maxChain is how many logins of one chain are looked at: thousands of users may be "anonymous" on
// port 0. Of those, only their stations tell one from another.
const maxChain = 1024

func newIndex() index { return index{seed: maphash.MakeSeed(), chains: map[uint64]ref{}} }

// hash returns the hash of an aspect for one of the user's names; ok is false if w does not have it.
func (x *index) hash(w *who, a aspect, user string) (sum uint64, ok bool) {
	if w.call || a == bySession {
		user = ""
	} else if user == "" {
		return 0, false
	}
	if !w.has(a) {
		return 0, false
	}
	v := ""
	switch a {
	case bySession:
		v = w.sid
	case byStation:
		v = w.station
	case byPort:
		v = w.port
	case byPortID:
		v = w.portID
	}
	const multiplier = 0x9e3779b97f4a7c15 // so that exchanged or equal texts do not cancel out
	sum = maphash.String(x.seed, v) + multiplier*(maphash.String(x.seed, user)^uint64(a))
	if w.call {
		sum = ^sum
	}
	return sum, true
}

// maxLinks is how many links a login has at most.
const maxLinks = 8

// hashes returns all hashes of a login, each once. A login with an Acct-Session-Id has only that, because
// each session has one, and both must be equal (see matches); but users' requests look for calls.
func (x *index) hashes(w *who) (sums [maxLinks]uint64, n int) {
	for a := range aspects {
		if a != bySession && w.sid != "" && !w.call {
			break
		}
		if sum, ok := x.hash(w, a, w.user); ok {
			sums[n] = sum
			n++
		}
		if a == bySession || w.also == "" || w.also == w.user || w.call {
			continue
		}
		if sum, ok := x.hash(w, a, w.also); ok && n < maxLinks {
			sums[n] = sum
			n++
		}
	}
	return sums, n
}

// add enters a login as the newest of its chains. It returns the first of its links.
func (x *index) add(login ref, w *who) (first ref) {
	sums, n := x.hashes(w)
	for _, sum := range sums[:n] {
		older := x.chains[sum]
		first = x.links.add(link{hash: sum, login: login, older: older, next: first})
		if older != 0 {
			x.links.at(older).newer = first
		}
		x.chains[sum] = first
	}
	return first
}

// remove undoes add.
func (x *index) remove(first ref) {
	for r := first; r != 0; {
		k := *x.links.at(r)
		x.links.remove(r)
		if k.older != 0 {
			x.links.at(k.older).newer = k.newer
		}
		switch {
		case k.newer != 0:
			x.links.at(k.newer).older = k.older
		case k.older != 0:
			x.chains[k.hash] = k.older
		default:
			delete(x.chains, k.hash)
		}
		r = k.next
	}
}

// count returns how many links a login has.
func (x *index) count(first ref) (n int) {
	for r := first; r != 0; r = x.links.at(r).next {
		n++
	}
	return n
}

// has reports whether w has what an aspect compares.
func (w *who) has(a aspect) bool {
	switch a {
	case bySession:
		return w.sid != ""
	case byStation:
		return w.station != "" && !w.call
	case byPort:
		return w.port != ""
	case byPortID:
		return w.portID != ""
	}
	return !w.call
}
