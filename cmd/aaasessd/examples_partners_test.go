//go:build partners

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
)

// example is one RADIUS accounting record of S1, "AAA Accounting Types". Its attributes and values
// are those of the document, under the names of current dictionaries (R46): Client-Port-DNIS is
// Called-Station-Id, and Caller-ID is Calling-Station-Id. The server adds User-Id itself.
type example struct {
	name  string
	attrs string // "Name=value", comma-separated; Acct-Session-Id is what the NAS calls it
}

const who = "NAS-IP-Address=172.16.25.15,NAS-Port=%P,User-Name=username1,Called-Station-Id=4327528,Calling-Station-Id=%C,"

func dialIn(port, caller, rest string) string {
	return strings.NewReplacer("%P", port, "%C", caller).Replace(who) + rest + ",Acct-Delay-Time=0,NAS-Identifier=172.16.25.15"
}

var telnetUser = "NAS-IP-Address=172.16.25.15,NAS-Port=26,User-Name=username1,Calling-Station-Id=10.68.202.158,"

// examples are in the order of S1. Each session has its start before its stop. S2 has the same
// fourteen RADIUS records, identical but for line breaks, so this test covers both.
var examples = []example{
	{"network after exec: exec start", dialIn("5", "562", "Acct-Status-Type=Start,Acct-Authentic=RADIUS,Service-Type=NAS-Prompt-User,Acct-Session-Id=0000000D")},
	{"network after exec: network start", dialIn("5", "562", "Acct-Status-Type=Start,Acct-Authentic=RADIUS,Service-Type=Framed-User,Acct-Session-Id=0000000E,Framed-IP-Address=10.1.1.2,Framed-Protocol=PPP")},
	{"network after exec: network stop", dialIn("5", "562", "Acct-Status-Type=Stop,Acct-Authentic=RADIUS,Service-Type=Framed-User,Acct-Session-Id=0000000E,Framed-IP-Address=10.1.1.2,Framed-Protocol=PPP,Acct-Input-Octets=3075,Acct-Output-Octets=167,Acct-Input-Packets=39,Acct-Output-Packets=9,Acct-Session-Time=171")},
	{"network after exec: exec stop", dialIn("5", "408", "Acct-Status-Type=Stop,Acct-Authentic=RADIUS,Service-Type=NAS-Prompt-User,Acct-Session-Id=0000000D")},
	{"network by autoselect: start", dialIn("3", "562", "Acct-Status-Type=Start,Acct-Authentic=RADIUS,Service-Type=Framed-User,Acct-Session-Id=0000000B,Framed-Protocol=PPP")},
	{"network by autoselect: stop", dialIn("3", "562", "Acct-Status-Type=Stop,Acct-Authentic=RADIUS,Service-Type=Framed-User,Acct-Session-Id=0000000B,Framed-Protocol=PPP,Framed-IP-Address=10.1.1.1,Acct-Input-Octets=8630,Acct-Output-Octets=5722,Acct-Input-Packets=94,Acct-Output-Packets=64,Acct-Session-Time=357")},
	{"telnet connection: start", dialIn("2", "5622329477", "Acct-Status-Type=Start,Acct-Authentic=RADIUS,Service-Type=Login-User,Acct-Session-Id=00000008,Login-Service=Telnet,Login-IP-Host=10.68.202.158")},
	{"telnet connection: stop", dialIn("2", "5622329477", "Acct-Status-Type=Stop,Acct-Authentic=RADIUS,Service-Type=Login-User,Acct-Session-Id=00000008,Login-Service=Telnet,Login-IP-Host=10.68.202.158,Acct-Input-Octets=10774,Acct-Output-Octets=112,Acct-Input-Packets=91,Acct-Output-Packets=99,Acct-Session-Time=39")},
	{"rlogin connection: start", dialIn("2", "5622329477", "Acct-Status-Type=Start,Acct-Authentic=RADIUS,Service-Type=Login-User,Acct-Session-Id=0000000A,Login-Service=Rlogin,Login-IP-Host=10.68.202.158")},
	{"rlogin connection: stop", dialIn("2", "5622329477", "Acct-Status-Type=Stop,Acct-Authentic=RADIUS,Service-Type=Login-User,Acct-Session-Id=0000000A,Login-Service=Rlogin,Login-IP-Host=10.68.202.158,Acct-Input-Octets=18686,Acct-Output-Octets=86,Acct-Input-Packets=90,Acct-Output-Packets=68,Acct-Session-Time=22")},
	{"exec of a dial-in user: start", dialIn("1", "5622329483", "Acct-Status-Type=Start,Acct-Authentic=RADIUS,Service-Type=NAS-Prompt-User,Acct-Session-Id=00000006")},
	{"exec of a dial-in user: stop", dialIn("1", "5622329483", "Acct-Status-Type=Stop,Acct-Authentic=RADIUS,Service-Type=NAS-Prompt-User,Acct-Session-Id=00000006,Acct-Session-Time=62")},
	{"exec of a Telnet user: start", telnetUser + "Acct-Status-Type=Start,Acct-Authentic=RADIUS,Service-Type=NAS-Prompt-User,Acct-Session-Id=00000010,Acct-Delay-Time=0,NAS-Identifier=172.16.25.15"},
	{"exec of a Telnet user: stop", telnetUser + "Acct-Status-Type=Stop,Acct-Authentic=RADIUS,Service-Type=NAS-Prompt-User,Acct-Session-Id=00000010,Acct-Session-Time=14,Acct-Delay-Time=0,NAS-Identifier=172.16.25.15"},
}

func attributesOf(e example) map[string]string {
	m := map[string]string{}
	for pair := range strings.SplitSeq(e.attrs, ",") {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return m
}

// TestExamples sends each example as a NAS would, and reads the detail file of FreeRADIUS. The
// record upstream equals the example, attribute by attribute, under our session id.
func TestExamples(t *testing.T) {
	d := start(t, setup{})
	var nasID []string // by our session id, from 1
	for _, e := range examples {
		a := attributesOf(e)
		if a["Acct-Status-Type"] == "Start" {
			nasID = append(nasID, a["Acct-Session-Id"])
		}
		var lines []string
		for name, value := range a {
			lines = append(lines, name+" = \""+value+"\"")
		}
		d.account(strings.Join(lines, "\n"))
	}
	var got []partner.DetailRecord
	eventually(t, "all records arrive", func() bool { got = d.servers[0].Detail(); return len(got) >= len(examples) })

	// Sessions are independent of each other upstream, so records are found by session and status.
	byKey := map[string]map[string]string{}
	for _, r := range got {
		m := map[string]string{}
		for _, attr := range r {
			if _, twice := m[attr.Name]; twice {
				t.Errorf("%s comes twice in %v", attr.Name, r)
			}
			m[attr.Name] = attr.Value
		}
		// Attributes that the server adds, and those that we add for current servers (R46).
		for _, own := range []string{"Timestamp", "Event-Timestamp", "Acct-Unique-Session-Id", "Tmp-String-9", "FreeRADIUS-Acct-Session-Start-Time"} {
			delete(m, own)
		}
		byKey[m["Acct-Status-Type"]+" "+m["Acct-Session-Id"]] = m
	}
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			want := attributesOf(e)
			for i, nas := range nasID {
				if nas == want["Acct-Session-Id"] {
					want["Acct-Session-Id"] = []string{"", "00000001", "00000002", "00000003", "00000004", "00000005", "00000006", "00000007"}[i+1]
				}
			}
			m := byKey[want["Acct-Status-Type"]+" "+want["Acct-Session-Id"]]
			if delay := m["Acct-Delay-Time"]; delay == "1" { // the record may have crossed a second
				m["Acct-Delay-Time"] = "0"
			}
			if diff := cmp.Diff(want, m); diff != "" {
				t.Errorf("example (-) and record upstream (+):\n%s", diff)
			}
		})
	}
}
