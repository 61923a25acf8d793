//go:build partners

package partner

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// radclientAcct sends one accounting request and returns radclient's error.
func radclientAcct(t *testing.T, p *FreeRADIUSProc, secret, session string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "request")
	request := "Acct-Status-Type = Start, Acct-Session-Id = \"" + session + "\", User-Name = \"a \\\"b\\\"\"\n"
	if err := os.WriteFile(file, []byte(request), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Try(t, 10*time.Second, "radclient", "-f", file, "-r", "1", "-t", "1", p.Addr, "acct", secret)
	return err
}

func TestFreeRADIUS(t *testing.T) {
	p := FreeRADIUS(t, FreeRADIUSOptions{Secret: `special "$" {secret}`})
	if got := p.Detail(); got != nil {
		t.Errorf("detail before the first request: %v", got)
	}
	if err := radclientAcct(t, p, p.Secret, "one"); err != nil {
		t.Fatal(err)
	}
	if err := radclientAcct(t, p, "another", "two"); err == nil {
		t.Error("it answers clients with another secret")
	}
	p.Pause()
	if err := radclientAcct(t, p, p.Secret, "three"); err == nil {
		t.Error("it answers while paused")
	}
	p.Resume()
	if err := radclientAcct(t, p, p.Secret, "four"); err != nil {
		t.Fatal(err)
	}
	p.Pause()
	p.Stop() // must end it despite the pause
	p.Start()
	if err := radclientAcct(t, p, p.Secret, "five"); err != nil {
		t.Fatal(err)
	}
	var sessions []string
	var last time.Time
	for _, a := range p.Arrivals() {
		if age := time.Since(a.At); age < 0 || age > time.Minute || a.At.Before(last) {
			t.Errorf("arrived at %v, after one of %v", a.At, last)
		}
		last = a.At
	}
	if n := p.Received(); n != len(p.Detail()) {
		t.Errorf("it received %d, and wrote %d", n, len(p.Detail()))
	}
	for _, r := range p.Detail() {
		sessions = append(sessions, r.Get("Acct-Session-Id"))
		if r.Get("Acct-Status-Type") != "Start" || r.Get("User-Name") != `a "b"` {
			t.Errorf("record %v", r)
		}
	}
	// "three" waited in the socket.
	if len(sessions) != 4 || sessions[0] != "one" || sessions[1] != "three" || sessions[3] != "five" {
		t.Errorf("sessions %q", sessions)
	}
	pid := p.cmd.Process.Pid
	p.Kill()
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("after Kill process %d: %v", pid, err)
	}
}
