//go:build partners

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/internal/partner"
)

// TestCapabilities: snmpd and the responder have the same row for our module in sysORTable; snmpd's
// disappears with the daemon.
func TestCapabilities(t *testing.T) {
	r := startResponder(t, setup{})
	out, err := partner.Try(t, limit, "snmptranslate", "-M", "../../mibs", "-m", "ALL", "-On", "CISCO-AAA-SESSION-MIB::ciscoAAASessionMIB")
	if err != nil {
		t.Fatal(err)
	}
	module := " = OID: " + strings.TrimSpace(out) + "\n"
	const descr = ` = STRING: "CISCO-AAA-SESSION-MIB: the sessions of network access servers"` + "\n"
	rows := func(out string, err error) (ids, descrs int) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(out+"\n", module), strings.Count(out+"\n", descr)
	}
	const sysORTable = "1.3.6.1.2.1.1.9"
	theirs := func() bool {
		ids, descrs := rows(r.snmp("snmpwalk", "public", sysORTable))
		return ids == 1 && descrs == 1
	}
	eventually(t, "snmpd lists the module", theirs)
	if ids, descrs := rows(r.ask("snmpwalk", []string{"-v2c", "-c", "public"}, sysORTable)); ids != 1 || descrs != 1 {
		t.Errorf("the responder lists it %d times, with its description %d times", ids, descrs)
	}
	r.end(syscall.SIGTERM)
	eventually(t, "snmpd lists the module no more", func() bool {
		ids, descrs := rows(r.snmp("snmpwalk", "public", sysORTable))
		return ids == 0 && descrs == 0
	})
}

// TestTwoDaemons: two daemons at one snmpd. The second says why it does not serve, and serves when
// the first has ended.
func TestTwoDaemons(t *testing.T) {
	first := start(t, setup{})
	second := &daemonProc{t: t, dir: t.TempDir(), log: &lines{}, snmpd: first.snmpd, servers: first.servers}
	second.config, second.socket = filepath.Join(second.dir, "aaasess.yaml"), filepath.Join(second.dir, "ctl.sock")
	second.acct = fmt.Sprintf("127.0.0.1:%d", partner.FreeUDPPort(t))
	second.configure(setup{})
	t.Cleanup(func() {
		second.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the second daemon's log:\n%s", second.log)
		}
	})
	began := time.Now()
	second.run()
	status := func() (s api.AgentXStatus) {
		t.Helper()
		all, err := apiclient.New(second.socket, limit).Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(all.Sections["agentx"], &s); err != nil {
			t.Fatalf("%s: %v", all.Sections["agentx"], err)
		}
		return s
	}
	eventually(t, "the second is refused", func() bool { return status().Reason == "duplicate registration" })
	if s := status(); s.State != "disconnected" || s.Since.Before(began) || s.Since.After(time.Now()) || !strings.Contains(s.Error, "duplicateRegistration") {
		t.Errorf("status %+v", s)
	}
	second.account(record("Start", "S1", "alice"))
	if n := first.scalar(".2.1.0"); n != 0 {
		t.Errorf("snmpd shows %d sessions, those of the first are 0", n)
	}
	first.end(syscall.SIGTERM)
	eventually(t, "the second serves", func() bool { return status().State == "connected" })
	if s := status(); s.Reason != "" || s.Error != "" || s.Connects != 1 {
		t.Errorf("then status %+v", s)
	}
	if n := second.scalar(".2.1.0"); n != 1 {
		t.Errorf("snmpd shows %d sessions, those of the second are 1", n)
	}
	if n := strings.Count(second.log.String(), "duplicate registration"); n != 1 {
		t.Errorf("%d lines about the duplicate", n)
	}
}
