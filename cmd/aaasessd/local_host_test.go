package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	localreport "aaasess/sessions/local/report"
)

// TestLocalCommandReload: a reload brings a command, and takes it away. A session that needs it says then
// that it cannot be ended.
func TestLocalCommandReload(t *testing.T) {
	text := localConfig(t)
	l := launch(t, text, environment{})
	r := l.reporter()
	const start = `{"source":"tty","session":"tty1","user":"alice","end":{"command":"end-tty"}}`
	if _, err := r.report(localreport.Start, start); err == nil || !strings.Contains(err.Error(), "/end/command") {
		t.Errorf("without the command: %v", err)
	}
	more := fmt.Sprintf("nas-identifier: host-1, commands: [{name: end-tty, user: \"%d\", run: [/bin/true, \"{session}\"]}]", os.Geteuid())
	l.reload(with(t, text, "nas-identifier: host-1", more), "configuration loaded")
	r.must(localreport.Start, start)
	if s, err := l.client().Session(t.Context(), 1); err != nil || s.UnableReason != "" {
		t.Errorf("%+v, %v", s, err)
	}
	l.reload(text, "configuration loaded")
	if s, err := l.client().Session(t.Context(), 1); err != nil || !strings.Contains(s.UnableReason, `no command is called "end-tty"`) {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestLocalInterface: a session has the number of its interface, and what the kernel counts on it.
func TestLocalInterface(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	l := launch(t, localConfig(t), environment{})
	l.reporter().must(localreport.Start, `{"source":"pppd","session":"ppp0","user":"alice","interface":"lo"}`)
	l.mustAccount(packet(acctStart, "S1", "bob")) // over that interface
	eventually(t, "the traffic is counted", func() bool {
		s, err := l.client().Session(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if int(s.IfIndex) != lo.Index {
			t.Fatalf("interface %d, want %d", s.IfIndex, lo.Index)
		}
		return s.InputOctets > 0 && s.OutputPackets > 0
	})
}
