package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// snmpTraps is the subtree of the notifications of SNMPv2-MIB (RFC 3418), which we always send.
const snmpTraps = "1.3.6.1.6.3.1.1.5"

// targets returns the targets of notifications. users and views are those of the responder.
func (d checker) targets(raw *rawSNMP, users []usm.User, views []view) []notify.Target {
	names := d.Unique()
	targets := make([]notify.Target, 0, len(raw.Notifications))
	for i, r := range raw.Notifications {
		path := fmt.Sprintf("snmp.notifications[%d]", i)
		names.Check(path+".name", string(r.Name), "the name of")
		d.checkCommunity(path+".community", r.Community)
		d.checkTargetSource(path+".source-address", &r)
		target := notify.Target{
			Name: string(r.Name), Address: string(r.Address), Version: r.Version, Inform: r.Type == "inform",
			Community: notify.Community(r.Community), EngineID: r.EngineID, SourceAddress: r.SourceAddress,
			Timeout: r.Timeout, Retries: r.Retries,
		}
		switch r.Version {
		case wire.Version2c:
			d.checkV2c(path)
		case wire.Version3:
			d.checkV3(path, &r)
			if r.User != "" && raw.Responder != nil {
				target.User, target.View = d.targetUser(path+".user", &r, raw.Responder, users, views)
			}
		}
		targets = append(targets, target)
	}
	return targets
}

func (d checker) checkV2c(path string) {
	if !d.Given(path + ".community") {
		d.Fault(path, "community is missing, which version: v2c needs")
	}
	for _, key := range []string{".user", ".engine-id"} {
		if d.Given(path + key) {
			d.Fault(path+key, "is not allowed with version: v2c")
		}
	}
}

func (d checker) checkV3(path string, r *rawNotification) {
	if d.Given(path + ".community") {
		d.Fault(path+".community", "is not allowed with version: v3")
	}
	if r.EngineID != nil && r.Type != "inform" && !d.Faulty(path+".type") {
		d.Fault(path+".engine-id", "is not allowed with type: trap: traps have our own engine id")
	}
	if !d.Given(path + ".user") {
		d.Fault(path, "user is missing, which version: v3 needs")
	}
}

// targetUser returns the user of a target and its notify view, and checks that it may receive
// notifications.
func (d checker) targetUser(path string, r *rawNotification, responder *rawResponder, users []usm.User, views []view) (usm.User, notify.View) {
	i := slices.IndexFunc(users, func(u usm.User) bool { return u.Name == r.User })
	if i < 0 {
		d.Fault(path, "no user is called %s", r.User)
		return usm.User{}, nil
	}
	if r.Type == "inform" && (users[i].AuthSecret.LocalizedKey != nil || users[i].PrivSecret.LocalizedKey != nil) {
		d.Fault(path, "user %s has a key localized for our engine, but informs need one for the receiver's engine: give the user a password", r.User)
		return users[i], nil
	}
	return users[i], d.notifyView(path, &responder.Users[i], responder.Groups, views)
}

// notifyView returns the notify view of a user, nil if that is not valid. It checks that the user may
// receive the notifications of SNMPv2-MIB; others are left out if they are not in the view.
func (d checker) notifyView(path string, u *rawUser, groups []rawAccessGroup, views []view) notify.View {
	i := slices.IndexFunc(groups, func(g rawAccessGroup) bool { return g.Name == u.Group })
	if i < 0 {
		return nil // reported already
	}
	name := groups[i].Notify
	if name == "" {
		d.Fault(path, "the notify view of group %s is empty: user %s needs one that has all of snmpTraps, %s", u.Group, u.Name, snmpTraps)
		return nil
	}
	j := indexOf(views, name)
	if j < 0 || views[j].View == nil {
		return nil // reported already
	}
	if !views[j].Covers(mib.MustOID(snmpTraps)) {
		d.Fault(path, "the notify view %s of group %s lacks snmpTraps, %s, or a part of it, which user %s needs", name, u.Group, snmpTraps, u.Name)
	}
	return views[j].View
}

// checkTargetSource checks that a target has the family of the source address. It does not check
// host names, which are resolved later.
func (d checker) checkTargetSource(path string, r *rawNotification) {
	host, _, err := net.SplitHostPort(string(r.Address))
	if err != nil || !r.SourceAddress.IsValid() { // the fault of the address is reported already
		return
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is4() != r.SourceAddress.Is4() {
		d.Fault(path, "%s is %s, but the target is %s, which is %s", r.SourceAddress, family(r.SourceAddress), addr, family(addr))
	}
}
