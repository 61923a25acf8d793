package dae

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// Names of profiles with a meaning of their own.
const (
	// ProfileGeneric is for NASes that follow RFC 5176; it is used if a client names no profile.
	ProfileGeneric = "generic"
	// ProfileNone is for NASes that cannot end a session, because they do not have RFC 5176.
	ProfileNone = "none"
)

const (
	rfcPort   = 3799 // RFC 5176 section 2.3
	ciscoPort = 1700 // default of "aaa server radius dynamic-author" and "aaa pod server"
)

// nasProfile says how one kind of NAS is asked to end a session.
type nasProfile struct {
	name       string
	port       uint16
	attributes []string // of the first request, as nasradius.Client.DisconnectAttributes
}

// nasProfiles are the profiles by name. Tests hold hostapd and strongSwan against the real programs;
// accel-ppp is as its source has it (rad_find_session_pack, rad_check_nas_pack). The others are as the
// manuals of their makers describe the NAS, see docs/nas.md.
//
//   - hostapd refuses what is not in its list (NAK 401). It takes the User-Name of the newest
//     Access-Accept, which may differ from that of the accounting start; so its profile has none.
//   - strongSwan finds sessions by User-Name and ignores everything else.
//   - accel-ppp and Cisco require that each attribute they know matches. An old Cisco ("aaa pod
//     server") also requires User-Name, Framed-IP-Address and Acct-Session-Id.
//   - Juniper requires Acct-Session-Id and also compares User-Name. It refuses what it does not know.
var nasProfiles = []nasProfile{
	{ProfileGeneric, rfcPort, []string{
		"User-Name", "NAS-IP-Address", "NAS-IPv6-Address", "NAS-Identifier", "Calling-Station-Id", "Acct-Session-Id",
		"Event-Timestamp", "Message-Authenticator",
	}},
	{"hostapd", rfcPort, []string{
		"NAS-IP-Address", "NAS-IPv6-Address", "NAS-Identifier", "Calling-Station-Id", "Acct-Session-Id",
		"Event-Timestamp", "Message-Authenticator",
	}},
	{"strongswan", rfcPort, []string{"User-Name", "Message-Authenticator"}},
	{"accel-ppp", rfcPort, []string{"User-Name", "NAS-IP-Address", "NAS-Identifier", "Acct-Session-Id"}},
	{"mikrotik", rfcPort, []string{"User-Name", "NAS-IP-Address", "Framed-IP-Address", "Acct-Session-Id", "Message-Authenticator"}},
	{"cisco", ciscoPort, []string{
		"User-Name", "NAS-IP-Address", "Framed-IP-Address", "Calling-Station-Id", "Acct-Session-Id", "Event-Timestamp", "Message-Authenticator",
	}},
	{"juniper", rfcPort, []string{"User-Name", "Acct-Session-Id"}},
	{"huawei", rfcPort, []string{"User-Name", "NAS-IP-Address", "Framed-IP-Address", "Acct-Session-Id"}},
	{ProfileNone, rfcPort, nil},
}

// ProfileNames returns the names of all profiles, [ProfileGeneric] first and [ProfileNone] last.
func ProfileNames() (names []string) {
	for i := range nasProfiles {
		names = append(names, nasProfiles[i].name)
	}
	return names
}

// findProfile returns the profile with a name; "" stands for generic.
func findProfile(name string) (*nasProfile, error) {
	if name == "" {
		name = ProfileGeneric
	}
	i := slices.IndexFunc(nasProfiles, func(p nasProfile) bool { return p.name == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown profile %q, want one of %s", name, strings.Join(ProfileNames(), ", "))
	}
	return &nasProfiles[i], nil
}

// carried returns the types of the attributes that p sends for a session.
func (p profile) carried(s *sessions.Session) (ids []radius.ID) {
	for _, a := range p {
		if a.Type == radius.EventTimestamp || a.Type == radius.MessageAuthenticator || slices.Contains(ids, a.ID) {
			continue
		}
		for range a.values(s) {
			ids = append(ids, a.ID)
			break
		}
	}
	return ids
}

// fitting returns the names of the profiles whose first request for a session would have been right:
// it would have nothing that the accepted request does not have, and it would not be the same as the
// refused one. If the NAS wanted more attributes than the refused request has, it would have some of
// those. A profile without Acct-Session-Id is left out if the NAS has taken that: it could end another
// session of the user.
func fitting(refused, accepted profile, s *sessions.Session) (names []string) {
	before, taken := refused.carried(s), accepted.carried(s)
	within := func(a, b []radius.ID) bool {
		return !slices.ContainsFunc(a, func(id radius.ID) bool { return !slices.Contains(b, id) })
	}
	wantsMore := within(before, taken)
	bySession := slices.Contains(taken, radius.ID{Type: radius.AcctSessionID})
	for i := range nasProfiles {
		p, err := newProfile(radius.Standard(), nasProfiles[i].attributes)
		if err != nil || nasProfiles[i].name == ProfileNone {
			continue
		}
		ids := p.carried(s)
		differs := wantsMore && !within(ids, before) || !wantsMore && !within(before, ids)
		if within(ids, taken) && differs && slices.Contains(ids, radius.ID{Type: radius.AcctSessionID}) == bySession {
			names = append(names, nasProfiles[i].name)
		}
	}
	return names
}

// attributeName returns the name of an attribute in a dictionary.
func attributeName(d *radius.Dictionary, id radius.ID) string {
	if id.Vendor != 0 {
		return id.String()
	}
	return d.Name(id.Type)
}

// checkProfile writes a line if a NAS has ended a session after a request with other attributes than
// its client's.
func (d *Disconnector) checkProfile(c *client, was rung, accepted profile, s *sessions.Session, out termination.Outcome) {
	if out.Answer != termination.ACK || was == first {
		return
	}
	suppressed, ok := c.logged.profile.Allow(time.Now())
	if !ok {
		return
	}
	var names []string
	for _, id := range accepted.carried(s) {
		names = append(names, attributeName(c.Dictionary, id))
	}
	d.log.Warn("disconnect: NAS took other attributes than those of its profile", "client", c.Name, "nas", s.NAS.String(),
		"session", s.ID.String(), "user", s.User(), "profile", c.DisconnectProfile, "attributes", names,
		"fitting", fitting(c.profile, accepted, s), "suppressed", suppressed)
}

// CanEnd returns why nothing can end a session, or nil. The error wraps [termination.ErrNoMeans].
func (d *Disconnector) CanEnd(s *sessions.Session) error {
	c := d.clients.Find(s.NAS.Addr)
	if c == nil {
		return nil // its client may come back
	}
	return c.canEnd()
}
