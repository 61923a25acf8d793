package sessions

import (
	"net/netip"
	"time"
)

// LocalAddr is the [NAS.Addr] of sessions that programs on this host report (R22): the unspecified
// address, which no datagram comes from. owner is its zone. It says who may report of the session, and
// stays with it.
func LocalAddr(owner string) netip.Addr { return netip.IPv6Unspecified().WithZone(owner) }

// LocalOwner returns the owner in a [LocalAddr]; false if addr is none.
func LocalOwner(addr netip.Addr) (owner string, ok bool) {
	return addr.Zone(), addr.Zone() != "" && addr.WithZone("").IsUnspecified()
}

// IsLocal reports whether addr is a [LocalAddr].
func IsLocal(addr netip.Addr) bool {
	_, ok := LocalOwner(addr)
	return ok
}

// lasted returns how long a session of this host has lasted at an event that does not tell. For others
// it returns 0: only their NAS knows.
func (ev *Event) lasted(s *Session) time.Duration {
	if ev.Type == Start || ev.Sent&SessionTime != 0 || !IsLocal(ev.NAS.Addr) {
		return 0
	}
	return max(0, ev.at.Sub(s.Started))
}

// permit asks whoever made an event whether it may change these sessions.
func (ev *Event) permit(list ...*Session) error {
	if ev.Permit == nil {
		return nil
	}
	for _, s := range list {
		if err := ev.Permit(s); err != nil {
			return err
		}
	}
	return nil
}

// tell tells whoever made an event what it has done.
func (ev *Event) tell(s *Session, isCopy bool) {
	if ev.Outcome != nil {
		*ev.Outcome = Outcome{Session: s, Copy: isCopy}
	}
}
