package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/aaasess/internal/show"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/internal/goldentest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sharedDir is for what all tests use.
var sharedDir string

// TestMain sets a time zone, because times are printed with their offset from UTC.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("", 2*60*60)
	var err error
	if sharedDir, err = os.MkdirTemp("", "aaasess"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(sharedDir)
	os.Exit(code)
}

// golden compares a text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	goldentest.Check(t, filepath.Join("testdata", name), got, *update, "go test ./cmd/aaasess -update")
}

var now = time.Date(2001, 6, 27, 7, 0, 0, 0, time.FixedZone("", 2*60*60))

// examples returns sessions that cover every form of output.
func examples() []api.Session {
	port, next := uint32(0), now.Add(8*time.Second)
	return []api.Session{
		{
			ID: "0000000D", Number: 13, Kind: "network", State: "active", User: "alice@example.net", Address: "10.0.0.1",
			IPv6Addresses: []string{"2001:db8::7"}, DelegatedPrefixes: []string{"2001:db8:42::/48"},
			NAS: "lab", NASIdentifier: "nas-1", NASAddress: "192.0.2.1", AcctSessionID: "5F2A", CallingStation: "00-11-22-33-44-55", CalledStation: "ap-7",
			NASPort: &port, NASPortID: "eth0.7", Started: now.Add(-2*time.Hour - 5*time.Minute), Heard: now.Add(-time.Minute), Idle: 61,
			InputOctets: 1234567, OutputOctets: 45_600_000_000,
		},
		{
			ID: "0000000E", Number: 14, Kind: "exec", State: "terminating", User: "evil\x1b[31m\nalice", NASAddress: "192.0.2.2",
			AcctSessionID: "\u202e1", NASPort: &port, Started: now.Add(-42 * time.Second), Heard: now.Add(-42 * time.Second), Idle: 42,
			Termination: &api.Termination{Attempts: 3, Stuck: true, Last: "NAK 406 (Unsupported-Extension)", ErrorCause: 406, Next: &next},
		},
		{
			ID: "FFFFFFFF", Number: 1<<32 - 1, Kind: "connection", State: "terminating", User: strings.Repeat("Größe", 10),
			IPv6Prefixes: []string{"2001:db8:1:2::/64"},
			NAS:          strings.Repeat("x", 33), NASAddress: "2001:db8::1", AcctSessionID: "1", Started: now.Add(time.Second), Heard: now,
			InputOctets: 999, OutputOctets: 1<<64 - 1, Termination: &api.Termination{Attempts: 1},
		},
	}
}

func TestTables(t *testing.T) {
	for name, tt := range map[string]struct {
		columns []term.Column
		cells   func(api.Session, time.Time) []string
	}{"sessions.txt": {live.NarrowColumns, live.NarrowCells}, "sessions-wide.txt": {live.WideColumns, live.WideCells}} {
		var out strings.Builder
		table := term.NewTable(&out, tt.columns)
		for _, s := range examples() {
			if err := table.Row(tt.cells(s, now)...); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Flush(); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
	}
}

func TestSessionText(t *testing.T) {
	var out strings.Builder
	for i, s := range examples() {
		detail := api.SessionDetail{Session: s, Attributes: []api.Attribute{{Name: "User-Name", Value: s.User}, {Name: "Cisco-AVPair", Value: "x=y"}}}
		if i == 0 {
			detail.Service, detail.ParentSession = "INTERNET", "00000012"
			detail.UnableReason = `dae: client "vpn" has disconnect.profile none: nothing can end the session`
			detail.Upstream, detail.UserFrom, detail.NASUser, detail.AddressFrom = "C00002010000000D", api.FromAccept, "anonymous", api.FromAccept
			detail.Granted = []api.Attribute{{Name: "User-Name", Value: s.User}, {Name: "Class", Value: "0x00ff"}}
		}
		if err := live.PrintSession(&out, &detail, now); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	golden(t, "session.txt", out.String())
}

// TestLongTable: a long table is printed in pieces. Each piece is aligned, columns never become
// narrower, and the titles are printed once.
func TestLongTable(t *testing.T) {
	var out strings.Builder
	table := term.NewTable(&out, []term.Column{{Title: "A"}, {Title: "B", Right: true}, {Title: "C"}})
	pieces := 0
	for i := range 2 * term.BufferedRows {
		a := "a"
		if i == term.BufferedRows+10 {
			a = "aaaa"
		}
		before := out.Len()
		if err := table.Row(a, "1", ""); err != nil {
			t.Fatal(err)
		}
		if out.Len() != before {
			pieces++
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	want := []string{"A  B  C", "a  1  -", "a     1  -", "aaaa  1  -", ""}
	got := []string{lines[0], lines[1], lines[term.BufferedRows], lines[term.BufferedRows+11], lines[len(lines)-1]}
	if diff := cmp.Diff(want, got); diff != "" || len(lines) != 2*term.BufferedRows+2 || pieces != 2 {
		t.Errorf("%d lines in %d pieces: %s", len(lines), pieces, diff)
	}
}

// TestEmptyTable: a table without rows prints no titles.
func TestEmptyTable(t *testing.T) {
	var out strings.Builder
	if err := term.NewTable(&out, live.NarrowColumns).Flush(); err != nil || out.Len() != 0 {
		t.Errorf("%q %v", &out, err)
	}
}

func TestStatusText(t *testing.T) {
	var out strings.Builder
	status := &api.Status{
		Verdict: api.VerdictDegraded, Reasons: []string{"set-aside records: 2 (spool list)", "\x1b[31m"}, Version: "1.2.3", Started: now.Add(-25 * time.Hour), Entries: 3, Calls: 4, HighWaterMark: 7, Total: 1 << 40, Disconnected: 2,
		Sections: map[string]json.RawMessage{
			"radius clients": json.RawMessage(`[{"name":"lab","accepted":12345678901234567890},{"name":"\u001b[31m"}]`),
			"agentx":         json.RawMessage(`{"connected":true,"master":null,"ranges":{}}`),
			"queues":         json.RawMessage(`"none"`),
			"stale":          json.RawMessage(`{"ended":5}`),
			"superseded":     json.RawMessage(`{"nasPort":1,"framedIPAddress":0,"callingStationID":2,"acctSessionID":4}`),
		},
	}
	for name, all := range map[string]bool{"status.txt": false, "status-all.txt": true} {
		out.Reset()
		if err := show.PrintStatus(&out, status, all, now); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
	}
	status.Sections = map[string]json.RawMessage{api.AuthenticationSection: relayed(t)}
	out.Reset()
	if err := show.PrintStatus(&out, status, false, now); err != nil {
		t.Fatal(err)
	}
	golden(t, "status-authentication.txt", out.String())
	status.Sections = map[string]json.RawMessage{api.DynAuthSection: changedSessions(t)}
	out.Reset()
	if err := show.PrintStatus(&out, status, false, now); err != nil {
		t.Fatal(err)
	}
	golden(t, "status-dynamic-authorization.txt", out.String())
	for _, section := range []string{api.StaleSection, api.SupersededSection, api.AuthenticationSection, api.DynAuthSection} {
		if err := show.PrintStatus(&out, &api.Status{Sections: map[string]json.RawMessage{section: json.RawMessage("1")}}, false, now); err == nil {
			t.Errorf("a number is printed as the section %q", section)
		}
	}
	deep := json.RawMessage(strings.Repeat("[", 100) + strings.Repeat("]", 100))
	if err := show.PrintStatus(&out, &api.Status{Sections: map[string]json.RawMessage{"deep": deep}}, true, now); err == nil {
		t.Error("a section that is nested 100 deep is printed")
	}
}

// changedSessions returns the section of requests of servers in which everything has happened.
func changedSessions(t *testing.T) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(api.DynAuthStatus{
		Listener: api.DynAuthListenerStatus{DynAuthListenerCounters: api.DynAuthListenerCounters{
			Requests: 1234, Malformed: 1, BadAuthenticators: 2, Stale: 3, UnknownClients: 4,
		}},
		Relay: api.DynAuthRelayStatus{
			Disconnects: 900, CoAs: 80, ACKs: 800, NAKs: 70, Silent: 6, Incomplete: 1, Unknown: 2, Ambiguous: 3, Mismatched: 4, Prohibited: 5,
			Unroutable: 6, Unusable: 7, Busy: 8, Stops: 9, InFlight: 10, Waiting: 11,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// relayed returns the section of an authentication relay in which everything has happened.
func relayed(t *testing.T) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(api.AuthenticationStatus{
		Listener: api.AuthListenerStatus{AuthListenerCounters: api.AuthListenerCounters{
			Requests: 1234, Malformed: 1, BadAuthenticators: 2, Unsigned: 3, UnknownClients: 4,
		}},
		Relay: api.RelayStatus{
			Requests: 1200, Accepts: 900, Rejects: 80, Challenges: 180, InFlight: 4, States: 7,
			Dropped: api.RelayDropped{NoList: 1, Blocked: 2, NoResponse: 3, Busy: 4, Unusable: 5, Looped: 6, BadAnswers: 7, Stopped: 8},
		},
		Logins: api.LoginStatus{Waiting: 12},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReasonsText(t *testing.T) {
	for want, counts := range map[string][]show.ReasonCount{
		"0": {{Reason: "a", N: 0}}, "2 (2 b)": {{Reason: "a", N: 0}, {Reason: "b", N: 2}}, "5 (3 a, 2 b)": {{Reason: "a", N: 3}, {Reason: "b", N: 2}},
	} {
		if got := show.ReasonsText(counts...); got != want {
			t.Errorf("%v: %q, want %q", counts, got, want)
		}
	}
}

func TestResultText(t *testing.T) {
	next := now.Add(5 * time.Second)
	tests := []struct {
		name string
		s    api.Session
		want string
	}{
		{"marked now", api.Session{State: "terminating", Marked: true}, "being disconnected"},
		{"marked now, asked already", api.Session{State: "terminating", Marked: true, Termination: &api.Termination{Attempts: 1}}, "being disconnected"},
		{"marked before", api.Session{State: "terminating"}, "still being disconnected"},
		{"gone after an ACK", api.Session{State: "ended", Termination: &api.Termination{Attempts: 1, Last: "ACK"}}, "ended: ACK"},
		{"gone unasked", api.Session{State: "ended"}, "ended"},
		{"an SNMP SET that was undone", api.Session{State: "active"}, "disconnect undone"},
		{
			"refused",
			api.Session{State: "terminating", Marked: true, Termination: &api.Termination{Attempts: 2, Last: "NAK", Next: &next}},
			"still being disconnected: NAK, 2 attempts, next attempt in 5s",
		},
	}
	for _, tt := range tests {
		if got := live.ResultText(tt.s, now); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
