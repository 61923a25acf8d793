package config

import (
	"fmt"
	"os"
	"slices"

	"aaasess/agent/snmp"
	"aaasess/agent/snmp/snmpmib"
)

// responder returns the configuration of the responder, or nil if the file has none.
func (d checker) responder(raw *rawSNMP) *Responder {
	r := raw.Responder
	if r == nil {
		if len(raw.Notifications) > 0 {
			d.Fault("snmp.notifications", "need snmp.responder, which is missing: its engine sends them")
		}
		d.targets(raw, nil, nil)
		return nil
	}
	const path = "snmp.responder"
	if len(r.System.ObjectID) < 2 {
		d.Fault(path+".system.object-id", "an OID of one number cannot be encoded")
	}
	views := d.views(r.Views)
	d.checkAccessGroups(r.Groups, views)
	d.checkCommunities(r.Communities, r.Groups)
	out := &Responder{
		Config: snmp.Config{
			Listen: d.listen(path+".listen", r.Listen), MaxMessageSize: r.MaxMessageSize,
			System: snmpmib.System{
				Descr: string(r.System.Description), ObjectID: r.System.ObjectID, Contact: string(r.System.Contact),
				Name: systemName(string(r.System.Name), os.Hostname), Location: string(r.System.Location),
				AuthenTraps: r.AuthenticationFailure, Fixed: d.fixed(path),
			},
			Limits: snmp.Limits{
				Requests: r.Limits.Requests, ResponseOctets: int(r.Limits.ResponseOctets),
				TotalResponseOctets: int(r.Limits.TotalResponseOctets), Failures: r.Limits.Failures,
			},
		},
		EngineID: r.EngineID,
		Users:    d.users(r),
	}
	out.Targets = d.targets(raw, out.Users, views)
	if d.Err() == nil {
		var err error
		if out.Policy, err = newPolicy(r, views); err != nil {
			d.Fault(path, "%v", err)
		}
	}
	return out
}

// fixed returns the names of the objects that the file gives a value, so that no SET may change
// them.
func (d checker) fixed(responder string) (objects []string) {
	for _, o := range []struct{ key, object string }{
		{".system.contact", "sysContact"},
		{".system.name", "sysName"},
		{".system.location", "sysLocation"},
		{".authentication-failure", "snmpEnableAuthenTraps"},
	} {
		if d.Given(responder + o.key) {
			objects = append(objects, o.object)
		}
	}
	return objects
}

// systemName returns sysName: the name in the file, or else the name of the host. "" means that it
// is unknown (RFC 3418).
func systemName(given string, hostname func() (string, error)) string {
	if given != "" {
		return given
	}
	name, err := hostname()
	if err != nil {
		return ""
	}
	return name
}

// checkAccessGroups checks the groups of communities and users.
func (d checker) checkAccessGroups(raw []rawAccessGroup, views []view) {
	names := d.Unique()
	for i, r := range raw {
		path := groupPath(i)
		names.Check(path+".name", string(r.Name), "the name of")
		for _, access := range []struct {
			key  string
			view viewText
		}{{".read", r.Read}, {".write", r.Write}, {".notify", r.Notify}} {
			if access.view != "" && indexOf(views, access.view) < 0 {
				d.Fault(path+access.key, "no view is called %s", access.view)
			}
		}
	}
}

func groupPath(i int) string { return fmt.Sprintf("snmp.responder.groups[%d]", i) }

// groupOf returns the index of the group of a community or user, or -1 if it does not exist.
func (d checker) groupOf(path string, name shortName, groups []rawAccessGroup) int {
	i := slices.IndexFunc(groups, func(g rawAccessGroup) bool { return g.Name == name })
	if i < 0 && name != "" {
		d.Fault(path, "no group is called %s", name)
	}
	return i
}
