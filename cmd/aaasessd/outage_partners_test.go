//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"aaasess/sessions/radius/radiustest"
)

// TestKilledWithBacklog: the server is down while the daemon is killed and started again. Every
// answered record arrives, and counters and numbers continue.
func TestKilledWithBacklog(t *testing.T) {
	d := start(t, setup{})
	d.servers[0].Kill()
	var starts []string
	for i := range 200 {
		starts = append(starts, record("Start", fmt.Sprint("S", i), fmt.Sprint("user", i)))
	}
	d.account(starts...)
	d.account(record("Stop", "S7", "user7"))
	d.end(syscall.SIGKILL)
	d.run()
	if d.scalar(".1.1.0") != 199 || d.scalar(".1.2.0") != 200 || d.scalar(".2.1.0") != 200 {
		t.Errorf("entries %d, high-water mark %d, total %d", d.scalar(".1.1.0"), d.scalar(".1.2.0"), d.scalar(".2.1.0"))
	}
	d.account(record("Stop", "S7", "user7")) // a late copy
	d.account(record("Start", "S-new", "new"))
	d.servers[0].Start()
	eventually(t, "all records arrive", func() bool { return len(slices.Compact(slices.Sorted(slices.Values(statuses(d.servers[0]))))) >= 202 })
	seen := map[string]int{}
	for _, r := range d.servers[0].Detail() {
		seen[r.Get("Acct-Status-Type")+" "+r.Get("User-Name")]++
	}
	for i := range 200 {
		if seen[fmt.Sprint("Start user", i)] == 0 {
			t.Errorf("the start of user%d is lost", i)
		}
	}
	if seen["Stop user7"] == 0 || seen["Start new"] == 0 || len(seen) != 202 {
		t.Errorf("%d kinds of record, stop %d, new %d", len(seen), seen["Stop user7"], seen["Start new"])
	}
	if !slices.Contains(statuses(d.servers[0]), "Start 000000C9") {
		t.Error("the new session has not the number after the last one")
	}
}

// TestFailover: the first server of the group is dead, and the second receives the records.
func TestFailover(t *testing.T) {
	d := start(t, setup{servers: 2})
	d.servers[0].Kill()
	d.account(record("Start", "S1", "alice"))
	eventually(t, "the second server has the record", func() bool { return slices.Contains(statuses(d.servers[1]), "Start 00000001") })
}

// TestDisconnectAnswers: ACK without a stop, NAK 503, NAK 406 and silence, through the command
// line.
func TestDisconnectAnswers(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.Silence)
	d := start(t, setup{disconnectPort: int(nas.AddrPort().Port())})
	users := []string{"ack", "nak503", "nak406", "silent"}
	answers := []radiustest.Handler{radiustest.ACK, radiustest.NAK(503), radiustest.NAK(406), radiustest.Silence}
	for i, user := range users {
		d.account(record("Start", "S-"+user, user))
		nas.Handle(answers[i])
		if _, err := d.aaasess("disconnect", "--user", user); err != nil {
			t.Fatal(err)
		}
		nas.Next()
		if i < 2 {
			eventually(t, user+" is closed", func() bool { return slices.Contains(statuses(d.servers[0]), fmt.Sprintf("Stop %08X Admin-Reset", i+1)) })
			continue
		}
		eventually(t, "the outcome for "+user+" is visible", func() bool {
			out, err := d.aaasess("show", "sessions", "--user", user, "--json")
			return err == nil && strings.Contains(out, map[int]string{2: "406", 3: "no answer"}[i])
		})
	}
	if n := len(d.sessionsJSON()); n != 2 {
		t.Errorf("%d sessions are left, want those two that were not ended", n)
	}
	// The daemon repeats its requests as long as the sessions are live. Now the NAS agrees.
	nas.Handle(radiustest.ACK)
	eventually(t, "both are closed", func() bool { return d.scalar(".1.1.0") == 0 })
	if d.scalar(".2.2.0") != 4 {
		t.Errorf("casnDisconnectedSessions is %d", d.scalar(".2.2.0"))
	}
}

// TestReloadFile: an invalid file changes nothing, a valid one takes effect, and sessions stay.
func TestReloadFile(t *testing.T) {
	d := start(t, setup{})
	d.account(record("Start", "S1", "alice"))
	good, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(string(good), "secret: \""+nasSecret, "secretive: true, secret: \"other", 1))
	d.reload("configuration not loaded")
	if !strings.Contains(d.log.String(), "aaasess.yaml:9:") || !strings.Contains(d.log.String(), "secretive") {
		t.Error("the log does not say where the error is")
	}
	d.account(record("Interim-Update", "S1", "alice", "Acct-Session-Time = 5"))

	write(strings.Replace(string(good), "state: state", "state: elsewhere", 1))
	d.reload("restart is needed")

	write(strings.Replace(string(good), nasSecret, "new secret", 1))
	d.reload("configuration loaded")
	if out, err := d.radclient(nasSecret, "-r1", "-t1", record("Start", "S2", "bob")); err == nil {
		t.Errorf("the old secret still counts: %s", out)
	}
	if out, err := d.radclient("new secret", "-r3", "-t2", record("Stop", "S1", "alice")); err != nil {
		t.Errorf("the new secret: %v %s", err, out)
	}
	eventually(t, "the records arrive", func() bool {
		return cmp.Equal(statuses(d.servers[0]), []string{"Start 00000001", "Interim-Update 00000001", "Stop 00000001"})
	})
}

// TestFullDisk: when space is short, NASes get no answer, and SNMP continues. When there is space
// again, the retransmissions are accepted.
func TestFullDisk(t *testing.T) {
	d := start(t, setup{disk: "300m", minFree: "16MiB"})
	d.account(record("Start", "S1", "alice"))
	state := d.inside(filepath.Join(d.dir, "state"))
	var fs unix.Statfs_t
	if err := unix.Statfs(state, &fs); err != nil {
		t.Fatal(err)
	}
	free := int64(fs.Bavail) * fs.Bsize
	if free > 300<<20 {
		t.Fatalf("%d octets are free: the state is not on the small disk", free)
	}
	filler, err := os.Create(filepath.Join(state, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	if err := unix.Fallocate(int(filler.Fd()), 0, 0, free-3<<20); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it takes no more", func() bool {
		_, err := d.radclient(nasSecret, "-r1", "-t1", record("Start", "S2", "bob"))
		return err != nil
	})
	for range 2 { // the store has freed its ballast, but that does not make room for more
		if out, err := d.radclient(nasSecret, "-r1", "-t1", record("Start", "S2", "bob")); err == nil {
			t.Errorf("the daemon accepts more: %s", out)
		}
	}
	if n := len(d.walk()); n != 7*int(d.scalar(".1.1.0"))+4 {
		t.Errorf("%d cells with a full disk", n)
	}
	if out, err := d.aaasess("disconnect", "--user", "alice"); err == nil {
		t.Errorf("a disconnect that cannot be kept was accepted: %s", out)
	}
	if err := filler.Truncate(0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it takes them again", func() bool {
		_, err := d.radclient(nasSecret, "-r1", "-t1", record("Start", "S3", "carol"))
		return err == nil
	})
}

// TestBadStart: each of these fails with one clear line and exit code 1.
func TestBadStart(t *testing.T) {
	d := start(t, setup{})
	other := *d
	other.dir = t.TempDir()
	tests := []struct {
		name, from, to, want string
	}{
		{"port in use", "state: state", "state: other", d.acct},
		{"state in use", d.acct, "127.0.0.1:0", "in use by another process"},
		{"state is a file", "state: state", "state: aaasess.yaml", "aaasess.yaml"},
		{"unknown key", "state: state", "stat: state", "aaasess.yaml:1:1"},
	}
	good, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(d.dir, "bad.yaml")
			if tt.name == "state is a file" || tt.name == "unknown key" {
				file = filepath.Join(t.TempDir(), "aaasess.yaml")
			}
			if err := os.WriteFile(file, []byte(strings.Replace(string(good), tt.from, tt.to, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, code := runOnce(t, "--config", file)
			if code != 1 || !strings.Contains(out, tt.want) {
				t.Errorf("exit code %d, want 1 and %q:\n%s", code, tt.want, out)
			}
		})
	}
}
