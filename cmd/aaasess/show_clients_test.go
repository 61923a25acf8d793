package main

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/show"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control/controltest"
)

// emptyDaemon starts a daemon without sessions whose status has these sections.
func emptyDaemon(t *testing.T, sections map[string]any) *controltest.Daemon {
	t.Helper()
	d := startDaemon(t)
	for name, section := range sections {
		d.Server.RegisterStatus(name, func() any { return section })
	}
	return d
}

func clientSections() map[string]any {
	at := now.Add(-61 * time.Second)
	return map[string]any{
		api.RadiusSection: api.ListenerStatus{
			ListenerCounters: api.ListenerCounters{UnknownClients: 3},
			Clients: []api.ClientStatus{
				{Name: "lab", Address: "192.0.2.0/24", LastAnswered: &at, ListenerCounters: api.ListenerCounters{Requests: 1234567, Responses: 1234560, Duplicates: 12, Malformed: 1, BadAuthenticators: 2, Refused: 3, Dropped: 4}},
				{Name: "evil\x1b[31m", Address: "2001:db8::1/128", ListenerCounters: api.ListenerCounters{Requests: 9, BadAuthenticators: 9}},
			},
		},
		api.AuthenticationSection: api.AuthenticationStatus{Listener: api.AuthListenerStatus{
			AuthListenerCounters: api.AuthListenerCounters{UnknownClients: 1},
			Clients: []api.AuthClientStatus{
				{Name: "lab", Address: "192.0.2.0/24", LastAnswered: &now, AuthListenerCounters: api.AuthListenerCounters{Requests: 5, Responses: 3, Unsigned: 2}},
				{Name: "login only", Address: "198.51.100.1/32"},
			},
		}},
	}
}

func TestShowClients(t *testing.T) {
	sections := map[string]json.RawMessage{}
	for name, section := range clientSections() {
		b, err := json.Marshal(section)
		if err != nil {
			t.Fatal(err)
		}
		sections[name] = b
	}
	view, err := show.NewClientsView(&api.Status{Sections: sections})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := show.PrintClients(&out, view, now); err != nil {
		t.Fatal(err)
	}
	golden(t, "clients.txt", out.String()+show.ClientsText(view)+"\n")
	for _, name := range []string{api.RadiusSection, api.AuthenticationSection} {
		if _, err := show.NewClientsView(&api.Status{Sections: map[string]json.RawMessage{name: json.RawMessage("1")}}); err == nil {
			t.Errorf("a number is the section %q", name)
		}
	}
	d := emptyDaemon(t, clientSections())
	golden(t, "clients.json", command(t, d.Socket, "", "show", "clients", "lab", "--json").out)
	golden(t, "help-clients.txt", command(t, "", "", "show", "clients", "--help").out)
	for _, tt := range []struct {
		args     string
		code     int
		out, err string // parts
	}{
		{"show clients", 0, `evil\x1b[31m`, "3 clients; 4 datagrams from unknown addresses\n"},
		{"show clients lab", 0, "authentication", ""},
		{"show clients zoe", 4, "", "aaasess: no such client \"zoe\"\n"},
		{"show clients a b", 2, "", "want at most 1 argument"},
		{"__complete show clients ", 0, "lab\nlogin only\n:4", "ShellCompDirectiveNoFileComp"},
	} {
		got := command(t, d.Socket, "", strings.Split(tt.args, " ")...)
		if got.code != tt.code || !strings.Contains(got.out, tt.out) || !strings.Contains(got.err, tt.err) {
			t.Errorf("%s: %+v", tt.args, got)
		}
	}
}

func snmpSections() map[string]any {
	return map[string]any{
		api.AgentXSection: api.AgentXStatus{State: "disconnected", Reason: "no master", Since: now.Add(-time.Hour), Connects: 2, Error: "dial unix \x1b: connect: no such file or directory"},
		api.SNMPSection: api.SNMPStatus{
			Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1161"), netip.MustParseAddrPort("[::1]:1161")}, EngineID: "8000000001020304", Boots: 7,
			Gets: 10, GetBulks: 90, Sets: 1,
			Refused: api.SNMPRefused{InBadCommunityNames: 3, WrongDigests: 4}, Dropped: api.SNMPDropped{Requests: 5},
			Notifications: []api.NotificationStatus{
				{Name: "noc", Waiting: 1, UnderWay: 2, Sent: 30, Acknowledged: 20, TimedOut: 3, Refused: 4, Dropped: 5, Error: "no answer", ErrorAt: "2001-06-27T04:59:00Z"},
				{Name: "ops", Sent: 3},
			},
			Users:       []api.SNMPUser{{Name: "noc", Auth: "SHA-256", Priv: "AES-128", Group: "operators"}, {Name: "guest"}},
			Communities: []api.SNMPCommunity{{SecurityName: "watchers", Group: "watchers", Versions: []string{"v1", "v2c"}, From: []string{"192.0.2.0/24"}}, {SecurityName: "x", Versions: []string{"v2c"}}},
			Problems: []api.SNMPProblem{
				{At: now.Add(-time.Second), From: "192.0.2.1:40000", User: "evil\x1b[31m\u202e", What: "message rejected, authentication or privacy failed", Detail: "err usm: wrong digest"},
				{At: now.Add(-time.Hour), From: "[2001:db8::1]:161", What: "malformed message dropped"},
			},
		},
	}
}

func TestShowSNMP(t *testing.T) {
	sections := map[string]json.RawMessage{}
	for name, section := range snmpSections() {
		b, err := json.Marshal(section)
		if err != nil {
			t.Fatal(err)
		}
		sections[name] = b
	}
	view, err := show.NewSNMPView(&api.Status{Sections: sections})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := show.PrintSNMP(&out, view, now); err != nil {
		t.Fatal(err)
	}
	golden(t, "snmp.txt", out.String())
	for _, name := range []string{api.SNMPSection, api.AgentXSection} {
		if _, err := show.NewSNMPView(&api.Status{Sections: map[string]json.RawMessage{name: json.RawMessage("1")}}); err == nil {
			t.Errorf("a number is the section %q", name)
		}
	}
	d := emptyDaemon(t, snmpSections())
	golden(t, "snmp.json", command(t, d.Socket, "", "show", "snmp", "--json").out)
	golden(t, "help-show-snmp.txt", command(t, "", "", "show", "snmp", "--help").out)
	only := emptyDaemon(t, map[string]any{api.AgentXSection: api.AgentXStatus{State: "connected", Since: time.Now()}})
	if got := command(t, only.Socket, "", "show", "snmp"); got.code != 0 || !strings.Contains(got.out, "connected, since") || strings.Contains(got.out, "responder") {
		t.Errorf("%+v", got)
	}
	if got := command(t, emptyDaemon(t, nil).Socket, "", "show", "snmp"); got.code != 4 || got.err != "aaasess: "+cli.ErrNoSNMP.Error()+"\n" {
		t.Errorf("%+v", got)
	}
}
