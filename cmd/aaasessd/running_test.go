package main

import (
	"strings"
	"testing"
)

// TestRunningConfig: the daemon shows what it has loaded, with a change only after a reload, and no
// secret.
func TestRunningConfig(t *testing.T) {
	l := launch(t, responderConfig(t, 9), environment{})
	show := func() string {
		t.Helper()
		running, err := l.client().RunningConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, line := range running.Lines {
			b.WriteString(line.Text + "\n")
		}
		text := b.String()
		for _, secret := range []string{"community: public", "community: traps", "password: authentication", "privacy of it", "testing123"} {
			if strings.Contains(text, secret) {
				t.Errorf("the secret %q is in\n%s", secret, text)
			}
		}
		return text
	}
	text := show()
	for _, want := range []string{"contact: ops\n", "community: <secret>\n", "password: <secret>\n", "session-mib-disconnect: true\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	changed := strings.Replace(responderConfig(t, 9), "contact: ops", "contact: me", 1)
	l.configure(changed)
	if !strings.Contains(show(), "contact: ops\n") {
		t.Error("a file that is not loaded yet is shown")
	}
	l.reload(changed, "configuration loaded")
	if !strings.Contains(show(), "contact: me\n") {
		t.Error("a file that is loaded is not shown")
	}
}
