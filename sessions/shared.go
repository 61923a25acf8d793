package sessions

import "bytes"

// sharedNASes has NAS values that sessions share while they are read, so that not each has its own. nil
// shares none.
type sharedNASes struct {
	last   *NAS   // mostly that of the next session too
	octets []byte // of last, as appendNAS writes it
	all    map[NAS]*NAS
}

// maxShared is how many values are shared at most. If every session has a NAS of its own, there is
// nothing to share.
const maxShared = 4096

// of returns a value that is equal to nas.
func (ns *sharedNASes) of(nas NAS) *NAS {
	if ns == nil {
		return new(nas)
	}
	if ns.last != nil && *ns.last == nas {
		return ns.last
	}
	if ns.last = ns.all[nas]; ns.last == nil {
		ns.last = new(nas)
		if len(ns.all) < maxShared {
			ns.all[nas] = ns.last
		}
	}
	ns.octets = appendNAS(ns.octets[:0], ns.last)
	return ns.last
}

// read returns the value that d has next. If it is the last one, its octets need not be decoded.
func (ns *sharedNASes) read(d *decoder) *NAS {
	if ns != nil && ns.last != nil && bytes.HasPrefix(d.Rest(), ns.octets) {
		d.Octets(uint64(len(ns.octets)))
		return ns.last
	}
	return ns.of(d.nas())
}
