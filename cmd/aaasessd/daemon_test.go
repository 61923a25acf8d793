package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/mib/aaasess"
	"aaasess/sessions/radius/radiustest"
	"aaasess/store"
)

// TestRelay: the records of a NAS are in the file, and sessions continue after a restart.
func TestRelay(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	exec := func(p *layeh.Packet) error {
		return rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_NASPromptUser)
	}
	l.mustAccount(
		packet(acctStart, "S1", "alice"),
		packet(acctStart, "S2", "bob", exec), // a kind without a list
		packet(acctInterim, "S1", "alice", func(p *layeh.Packet) error { return rfc2866.AcctSessionTime_Set(p, 5) }),
	)
	if err := l.account(packet(acctStart, "S3", "mallory", func(p *layeh.Packet) error {
		p.Secret = []byte("guessed")
		return nil
	}), 300*time.Millisecond); err == nil {
		t.Error("a packet with a wrong secret was answered")
	}
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Interim-Update 00000001")

	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Open(filepath.Join(l.dir, "state"), store.Config{})
	if err != nil {
		t.Fatalf("the store was not closed: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
	if n := l.d.table.View().Len(); n != 2 {
		t.Errorf("%d sessions after the restart, want 2", n)
	}
	l.mustAccount(packet(acctStop, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Interim-Update 00000001", "Stop 00000001")
}

// TestAccountingOnOff: an Accounting-On or -Off ends the sessions of a NAS.
func TestAccountingOnOff(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	for i, status := range []rfc2866.AcctStatusType{rfc2866.AcctStatusType_Value_AccountingOn, rfc2866.AcctStatusType_Value_AccountingOff} {
		l.mustAccount(packet(acctStart, "S1", "alice"))
		eventually(t, "the session is there", func() bool { return l.d.table.View().Len() == 1 })
		l.mustAccount(packet(status, "", ""))
		if n := l.d.table.View().Len(); n != 0 {
			t.Errorf("%v: %d sessions are left", status, n)
		}
		want := []string{"Start 00000001", "Stop 00000001", "Start 00000002", "Stop 00000002"}[:2*i+2]
		l.eventuallyRecords("records.jsonl", want...)
	}
}

// TestStoreFails: a failed store ends the daemon with one error. It then answers nothing.
func TestStoreFails(t *testing.T) {
	disk := store.NewDisk()
	l := launch(t, plainConfig, environment{disk: disk})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	disk.Break(syscall.EIO)
	if err := l.account(packet(acctStop, "S1", "alice"), 500*time.Millisecond); err == nil {
		t.Error("a stop that is not on the disk was answered")
	}
	err := l.wait()
	if !errors.Is(err, store.ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("the daemon ended with %v, want ErrFailed and EIO", err)
	}
	if n := strings.Count(err.Error(), "input/output error"); n != 1 {
		t.Errorf("the error names it %d times: %v", n, err)
	}
	if n := strings.Count(l.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("the log has %d errors, want the store's", n)
	}
}

// TestStatus requests all sections while the configuration is reloaded again and again.
func TestStatus(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	asked := make(chan error)
	go func() {
		var err error
		for range 50 {
			if _, err = l.client().Status(t.Context()); err != nil {
				break
			}
		}
		asked <- err
	}()
	for range 5 {
		l.reload(plainConfig, "configuration loaded")
	}
	if err := <-asked; err != nil {
		t.Error(err)
	}
	status, err := l.client().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name := range status.Sections {
		got = append(got, name)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"conditions", "interims", "limits", "queues", "radius", "records", "resyncs", "servers", "stale", "store", "superseded", "waiting"}, got); diff != "" {
		t.Error(diff)
	}
	for section, want := range map[string]string{
		"queues": `"queue":"local","configured":true,"records":0`, "store": `"accepting":"yes"`, "radius": `"loopback"`, "servers": `{}`,
		"interims": `{"made":0}`, "waiting": `{"starts":0,"stops":0}`, "records": `{"records":1,"resyncs":0,"tooLarge":0,"empty":0,"repeated":0,"forbidden":0}`,
	} {
		if !strings.Contains(string(status.Sections[section]), want) {
			t.Errorf("%s: %s, want %s", section, status.Sections[section], want)
		}
	}
	if status.Entries != 1 || status.Verdict != api.VerdictOK || len(status.Reasons) > 0 {
		t.Errorf("%d entries, %s, %q", status.Entries, status.Verdict, status.Reasons)
	}
	checkKeys(t, status)
}

// TestLeftOutNamesClient: the line about attributes that were left out has the client's name.
func TestLeftOutNamesClient(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice", func(p *layeh.Packet) error {
		p.Add(rfc2865.State_Type, []byte("x"))
		return nil
	}))
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	if text := l.log.String(); !strings.Contains(text, "attribute=State dropped=1 dropped_total=1 client=loopback") {
		t.Error(text)
	}
}

// TestStatusKeys: with all that can be configured, each key of the status is camelCase.
func TestStatusKeys(t *testing.T) {
	text := with(t, responderConfig(t, 1), "  notifications:", "  agentx: {network: unix, address: none.sock}\n  notifications:",
		"accounting:\n  network", `  servers: [{name: r_1, address: 127.0.0.1, port: 1, secret: upstream}]
  groups: [{name: isp_1, servers: [r_1]}]
accounting:
  exec: {default: {record: start-stop, methods: [group isp_1]}}
  network`)
	l := launch(t, text, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	status, err := l.client().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"agentx", "conditions", "interims", "limits", "queues", "radius", "records", "resyncs", "servers", "snmp", "stale", "stateChanges", "store", "superseded", "waiting"}, slices.Sorted(maps.Keys(status.Sections))); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(status.Sections["servers"]), `{"isp_1":{`) {
		t.Errorf("servers: %s", status.Sections["servers"])
	}
	checkKeys(t, status)
}

// checkKeys checks that all keys of the status are camelCase, except for names of server groups.
func checkKeys(t *testing.T, status *api.Status) {
	t.Helper()
	b, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	if bad, err := controltest.BadKeys(b, "servers"); err != nil || len(bad) > 0 {
		t.Errorf("%q, %v", bad, err)
	}
}

// TestDisconnect ends a session through the control socket.
func TestDisconnect(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	l := launch(t, with(t, plainConfig, "3799", portOf(nas.AddrPort())), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.disconnect("alice")
	if asked := nas.Next(); !bytes.Contains(asked.Data, []byte("S1")) {
		t.Errorf("the NAS was asked for %x", asked.Data)
	}
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Stop 00000001")
}

func (l *inProcess) disconnect(user string) {
	l.t.Helper()
	list, err := l.client().Disconnect(l.t.Context(), api.DisconnectRequest{Filter: map[string]string{"user": user}})
	if err != nil {
		l.t.Fatal(err)
	}
	_ = list.Close()
}

// TestCommands runs check, schema, mib and default.
func TestCommands(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.yaml")
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	numbered := filepath.Join(t.TempDir(), "numbered.yaml")
	named, dictionary := filepath.Join(t.TempDir(), "named.yaml"), filepath.Join(t.TempDir(), "shop")
	for name, text := range map[string]string{
		good: plainConfig, numbered: "snmp: {enterprise-number: 7}\n", bad: "stat: x\n", named: "radius: {dictionaries: [" + dictionary + "]}\n", dictionary: "ATTRIBUTE Shop-Any 250 combo-ip\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args      []string
		out, fail string
	}{
		{[]string{"check", good}, good + " is correct\n", ""},
		{[]string{"check", named}, dictionary + ": unsupported lines skipped: 1, the first is line 1: ATTRIBUTE Shop-Any 250 combo-ip\n" + named + " is correct\n", ""},
		{[]string{"check", bad}, "", "bad.yaml:1:1"},
		{[]string{"check"}, "", "accepts 1 arg"},
		{[]string{"schema"}, string(config.Schema()), ""},
		{[]string{"mib", good}, aaasess.Text(aaasess.Enterprise), ""},
		{[]string{"mib", numbered}, aaasess.Text(7), ""},
		{[]string{"mib", bad}, "", "bad.yaml:1:1"},
		{[]string{"mib"}, "", "accepts 1 arg"},
		{[]string{"default"}, string(config.DefaultText()), ""},
		{[]string{"--config", bad}, "", "bad.yaml:1:1"},
		{[]string{"nonsense"}, "", "nonsense"},
	}
	for _, tt := range tests {
		cmd := root()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(tt.args)
		err := cmd.Execute()
		if tt.fail == "" && (err != nil || out.String() != tt.out) || tt.fail != "" && (err == nil || !strings.Contains(err.Error()+out.String(), tt.fail)) {
			t.Errorf("%q: %v, %q", tt.args, err, out.String())
		}
	}
}

// TestOpenFails: if a part cannot be opened, all others are closed.
func TestOpenFails(t *testing.T) {
	used := listen(t, "127.0.0.1:0")
	dir := t.TempDir()
	file := filepath.Join(dir, "aaasess.yaml")
	tests := []struct{ name, old, new, want string }{
		{"port", "127.0.0.1:0", used.addrPort().String(), used.addrPort().String()},
		{"state", "state: state", "state: aaasess.yaml", "aaasess.yaml"},
		{"socket", "ctl.sock", strings.Repeat("x", 200) + "/ctl.sock", "107"},
		{"accounting file", "records.jsonl", "aaasess.yaml/records.jsonl", "aaasess.yaml/records.jsonl"},
	}
	before := goroutines()
	for _, tt := range tests {
		if err := os.WriteFile(file, []byte(with(t, plainConfig, tt.old, tt.new)), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run(t.Context(), file, nil, new(lines), new(lines), environment{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
		endsAll(t, before)
	}
	if err := os.WriteFile(file, []byte(plainConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := assemble(file, new(lines), new(lines), environment{})
	if err != nil {
		t.Fatalf("after those: %v", err)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
}

// TestSignals: the first signal ends the daemon with its usual shutdown, the second at once. SIGHUP
// loads the file.
func TestSignals(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	server.setSilent(true) // the shutdown waits two seconds for its answer
	for _, impatient := range []bool{false, true} {
		dir := t.TempDir()
		file := filepath.Join(dir, "aaasess.yaml")
		if err := os.WriteFile(file, []byte(with(t, relayConfig(t, "isp", server), "timeout: 100ms", "timeout: 10s")), 0o600); err != nil {
			t.Fatal(err)
		}
		var out lines
		cmd := process(t, dir, &out, "--config", file)
		eventually(t, "it is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
		signal := func(sig syscall.Signal) {
			if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		}
		signal(syscall.SIGHUP)
		eventually(t, "it has loaded the file", func() bool { return strings.Contains(out.String(), "configuration loaded") })
		_, addr, _ := strings.Cut(out.String(), "accounting=[")
		addr, _, _ = strings.Cut(addr, "]")
		if _, err := radiustest.Account(t.Context(), netip.AddrPort{}, netip.MustParseAddrPort(addr), packet(acctStart, "S1", "alice")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the record is in flight", func() bool { return server.asked.Load() > 0 })
		server.asked.Store(0)

		gone := make(chan error, 1)
		signal(syscall.SIGINT)
		go func() { gone <- cmd.Wait() }()
		for again := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-again.C:
				if impatient {
					signal(syscall.SIGINT)
				}
				continue
			case <-gone:
			}
			again.Stop()
			break
		}
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() != impatient || !impatient && status.ExitStatus() != 0 {
			t.Errorf("impatient %v: it ended with %v", impatient, cmd.ProcessState)
		}
	}
}
