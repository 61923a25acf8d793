package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"aaasess/mib"
)

// snmpTraps is what the notifications of RFC 3418 are under, all that are sent.
const snmpTraps = "1.3.6.1.6.3.1.1.5"

func (d checker) notifications(raw []rawNotification, responder *Responder) []Notification {
	if len(raw) > 0 && responder == nil {
		d.Fault("snmp.notifications", "are sent by the engine of snmp.responder, which is missing")
	}
	names := d.Unique()
	targets := make([]Notification, 0, len(raw))
	for i, r := range raw {
		path := fmt.Sprintf("snmp.notifications[%d]", i)
		names.Check(path+".name", string(r.Name), "the name of")
		d.checkCommunity(path+".community", r.Community)
		d.checkTargetSource(path+".source-address", &r)
		switch r.Version {
		case "v2c":
			d.checkV2c(path, &r)
		case "v3":
			d.checkV3(path, &r, responder)
		}
		targets = append(targets, Notification{
			Name: string(r.Name), Address: string(r.Address), Version: r.Version, Inform: r.Type == "inform",
			Community: r.Community, User: r.User, EngineID: r.EngineID.octets(), SourceAddress: r.SourceAddress,
			Timeout: r.Timeout, Retries: r.Retries,
		})
	}
	return targets
}

func (d checker) checkV2c(path string, r *rawNotification) {
	if !d.Given(path + ".community") {
		d.Fault(path, "community is missing, which version: v2c needs")
	}
	for _, key := range []string{".user", ".engine-id"} {
		if d.Given(path + key) {
			d.Fault(path+key, "is of no use with version: v2c")
		}
	}
}

func (d checker) checkV3(path string, r *rawNotification, responder *Responder) {
	if d.Given(path + ".community") {
		d.Fault(path+".community", "is of no use with version: v3")
	}
	inform := r.Type == "inform"
	if r.EngineID != "" && !inform && !d.Faulty(path+".type") {
		d.Fault(path+".engine-id", "is of no use with type: trap, which has our own")
	}
	if !d.Given(path + ".user") {
		d.Fault(path, "user is missing, which version: v3 needs")
	}
	if r.User == "" || responder == nil {
		return
	}
	i := slices.IndexFunc(responder.Users, func(u User) bool { return u.Name == r.User })
	switch {
	case i < 0:
		d.Fault(path+".user", "no user is called %s", r.User)
	case inform && (responder.Users[i].Auth.Key != "" || responder.Users[i].Priv.Key != ""):
		d.Fault(path+".user", "user %s has a key for our engine, but informs need one for that of the receiver: they need a password", r.User)
	default:
		d.checkNotifyView(path+".user", &responder.Users[i], responder)
	}
}

// checkNotifyView finds a user to whom no notification may be sent.
func (d checker) checkNotifyView(path string, u *User, r *Responder) {
	i := slices.IndexFunc(r.Groups, func(g AccessGroup) bool { return g.Name == u.Group })
	if i < 0 {
		return // told already
	}
	view := r.Groups[i].Notify
	if view == "" {
		d.Fault(path, "user %s is in group %s, whose notify view is \"\", nothing: it lacks snmpTraps, %s", u.Name, u.Group, snmpTraps)
		return
	}
	j := slices.IndexFunc(r.Views, func(v View) bool { return v.Name == view })
	if j >= 0 && r.Views[j].complete() && !r.Views[j].hasAll(mib.MustOID(snmpTraps)) {
		d.Fault(path, "user %s is in group %s, whose notify view %s lacks snmpTraps, %s, or a part of it", u.Name, u.Group, view, snmpTraps)
	}
}

// complete reports whether no subtree had a fault of its own, which leaves an empty one or none.
func (v *View) complete() bool {
	empty := func(oid mib.OID) bool { return len(oid) == 0 }
	return len(v.Include) > 0 && !slices.ContainsFunc(v.Include, empty) && !slices.ContainsFunc(v.Exclude, empty)
}

// hasAll reports whether a subtree is in the view, and nothing below it is excluded.
func (v *View) hasAll(root mib.OID) bool {
	longest := func(subtrees []mib.OID) (n int) {
		for _, s := range subtrees {
			if root.HasPrefix(s) {
				n = max(n, len(s))
			}
		}
		return n
	}
	below := func(s mib.OID) bool { return s.HasPrefix(root) }
	return longest(v.Include) > longest(v.Exclude) && !slices.ContainsFunc(v.Exclude, below)
}

// checkTargetSource finds a target that can't be reached from the source address. What names stand for is
// known only later.
func (d checker) checkTargetSource(path string, r *rawNotification) {
	host, _, err := net.SplitHostPort(string(r.Address))
	if err != nil || !r.SourceAddress.IsValid() { // an address that is not there is told already
		return
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is4() != r.SourceAddress.Is4() {
		d.Fault(path, "%s is %s, but the target is %s, which is %s", r.SourceAddress, family(r.SourceAddress), addr, family(addr))
	}
}
