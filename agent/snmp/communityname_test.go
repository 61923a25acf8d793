package snmp

import (
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// sharedPolicy returns a policy that shows everything to everybody, at each level and in each version.
// view is the view of all.
func sharedPolicy(t testing.TB, view *vacm.View) *vacm.Policy {
	t.Helper()
	var members []vacm.Member
	for _, user := range []string{"noc", "helpdesk", "guest"} {
		members = append(members, vacm.Member{Model: wire.ModelUSM, SecurityName: user, Group: "g"})
	}
	models := []wire.SecurityModel{wire.ModelV1, wire.ModelV2c}
	for _, m := range models {
		members = append(members, vacm.Member{Model: m, SecurityName: "reader", Group: "g"})
	}
	p, err := vacm.New([]*vacm.View{view},
		[]vacm.AccessEntry{{Group: "g", Model: vacm.AnyModel, Level: wire.NoAuthNoPriv, Read: view, Write: view, Notify: view}},
		members, []vacm.Community{{Name: "public", SecurityName: "reader", Models: models}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// managers are senders at each level.
var managers = []struct {
	name   string
	secret bool // may read snmpCommunityName
	change func(*gosnmp.GoSNMP)
}{
	{"v1", false, func(g *gosnmp.GoSNMP) { g.Version = gosnmp.Version1 }},
	{"v2c", false, nil},
	{"noAuthNoPriv", false, as("guest")},
	{"authNoPriv", false, as("helpdesk")},
	{"authNoPriv of a user with privacy", false, func(g *gosnmp.GoSNMP) {
		as("noc")(g)
		g.MsgFlags = gosnmp.AuthNoPriv
	}},
	{"authPriv", true, as("noc")},
}

// TestCommunityNameNeedsAuthPriv: below authPriv there is no snmpCommunityName, by GET, GETNEXT and
// GETBULK, whatever the view includes; all else is there.
func TestCommunityNameNeedsAuthPriv(t *testing.T) {
	index := mib.OID{'r', 'e', 'a', 'd', 'e', 'r'}
	name := vacm.CommunityName.Append(index...)
	entry := vacm.CommunityName[:len(vacm.CommunityName)-1]
	securityName := entry.Append(3).Append(index...)
	wide, _, _, _ := views(t)
	exact, err := vacm.NewView("exact", []vacm.Family{{Subtree: name}, {Subtree: securityName}})
	if err != nil {
		t.Fatal(err)
	}
	f := onLoopback(t, "127.0.0.1:0")
	for _, view := range []*vacm.View{wide, exact} {
		f.SetPolicy(sharedPolicy(t, view))
		for _, m := range managers {
			t.Run(view.Name()+" "+m.name, func(t *testing.T) {
				g := f.client(m.change)
				check := func(request string, answer *gosnmp.SnmpPacket, err error) {
					if err != nil {
						t.Fatalf("%s: %v", request, err)
					}
					got := answer.Variables[len(answer.Variables)-1]
					value, _ := got.Value.([]byte)
					if m.secret && (got.Name != name.String() || string(value) != "public") {
						t.Errorf("%s: %s = %v", request, got.Name, got.Value)
					}
					if !m.secret && (strings.HasPrefix(got.Name, vacm.CommunityName.String()) || request != "GET" && got.Name != securityName.String()) {
						t.Errorf("%s: %s = %v, want %s", request, got.Name, got.Value, securityName)
					}
				}
				answer, err := g.Get([]string{name.String()})
				if !m.secret {
					missing := err == nil && (answer.Error == gosnmp.NoSuchName || answer.Variables[0].Type == gosnmp.NoSuchObject)
					if !missing {
						t.Errorf("GET: %v, %v", answer, err)
					}
				} else {
					check("GET", answer, err)
				}
				for _, from := range []mib.OID{entry, entry.Append(1), vacm.CommunityName, vacm.CommunityName.Append(index[:3]...)} {
					answer, err = g.GetNext([]string{from.String()})
					check("GETNEXT", answer, err)
					if m.name != "v1" {
						answer, err = g.GetBulk([]string{from.String()}, 0, 1)
						check("GETBULK", answer, err)
					}
				}
				if answer, err = g.Get([]string{securityName.String()}); err != nil || string(answer.Variables[0].Value.([]byte)) != "reader" {
					t.Errorf("snmpCommunitySecurityName: %v, %v", answer, err)
				}
			})
		}
	}
}

// TestCommunityNameIsNotWritable: a SET at authPriv fails, and tells nothing about other communities.
func TestCommunityNameIsNotWritable(t *testing.T) {
	wide, _, _, _ := views(t)
	f := onLoopback(t, "127.0.0.1:0")
	f.SetPolicy(sharedPolicy(t, wide))
	for _, index := range []mib.OID{{'r', 'e', 'a', 'd', 'e', 'r'}, {'x'}} {
		answer, err := f.client(as("noc")).Set([]gosnmp.SnmpPDU{{Name: vacm.CommunityName.Append(index...).String(), Type: gosnmp.OctetString, Value: "new"}})
		if err != nil || answer.Error != gosnmp.NotWritable || answer.ErrorIndex != 1 {
			t.Errorf("%v: %v, %v", index, answer, err)
		}
	}
}

// TestTargetsChange: the tables show the targets of the last SetTargets. The responder keeps no
// passwords of theirs.
func TestTargetsChange(t *testing.T) {
	secret := usm.Secret{Password: privPassword}
	list := []notify.Target{{
		Name: "nms", Address: "192.0.2.9:162", Version: wire.Version3, Timeout: time.Second,
		User: usm.User{Name: "noc", Auth: usm.HMACSHA256, Priv: usm.AES128, AuthSecret: secret, PrivSecret: secret},
	}}
	f := newFixture(t, func(c *Config) { c.Targets = list })
	f.run()
	user := mib.MustOID("1.3.6.1.6.3.12.1.3.1.4").Append('n', 'm', 's')
	get := func() any {
		answer := f.ask(manager, request(t, "everything", gosnmp.GetRequest, names(user)...))
		if answer.Variables[0].Type == gosnmp.NoSuchInstance {
			return nil
		}
		return string(answer.Variables[0].Value.([]byte))
	}
	if got := get(); got != "noc" {
		t.Errorf("at the start: %v", got)
	}
	f.SetTargets(nil)
	if got := get(); got != nil {
		t.Errorf("without targets: %v", got)
	}
	list[0].User.Name = "clerk"
	f.SetTargets(list)
	list[0].User.Name = "changed later"
	if got := get(); got != "clerk" {
		t.Errorf("with new targets: %v", got)
	}
	if kept := (*f.targets.Load())[0].User; kept.AuthSecret.Password != "" || kept.PrivSecret.Password != "" || f.cfg.Targets != nil {
		t.Error("the responder keeps passwords")
	}
	if list[0].User.AuthSecret.Password != privPassword {
		t.Error("the caller's list has changed")
	}
}
