//go:build partners

package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// starts returns type and address of each record that FreeRADIUS has.
func (d *daemonProc) starts() (all []string) {
	for _, r := range d.servers[0].Detail() {
		all = append(all, strings.TrimSpace(fmt.Sprint(r.Get("Acct-Status-Type"), " ", r.Get("Framed-IP-Address"))))
	}
	return all
}

// TestDelayStartFreeRADIUS: FreeRADIUS gets one start with the address that the NAS reports later, in a
// second start or an interim, also if the daemon is killed in between.
func TestDelayStartFreeRADIUS(t *testing.T) {
	for _, tt := range []struct {
		name, later, update string
		kill                bool
	}{
		{name: "a second start", later: "Start"},
		{name: "a second start without newinfo", later: "Start", update: "newinfo: false"},
		{name: "an interim", later: "Interim-Update"},
		{name: "the daemon is killed", later: "Start", kill: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := start(t, setup{delayStart: "10m", update: tt.update})
			d.account(record("Start", "S1", "alice", "NAS-Port = 5", "Framed-Protocol = PPP"))
			var out string
			eventually(t, "the start waits", func() bool {
				out, _ = d.aaasess("explain", "00000001")
				return strings.Contains(out, "no address")
			}, &out)
			if tt.kill {
				d.end(syscall.SIGKILL)
				d.run()
			}
			if got := d.starts(); len(got) > 0 {
				t.Errorf("before: %q", got)
			}
			d.account(record(tt.later, "S1", "alice", "NAS-Port = 5", "Framed-Protocol = PPP", "Framed-IP-Address = 10.1.1.2", "Acct-Session-Time = 3"))
			d.account(record("Stop", "S1", "alice", "NAS-Port = 5", "Acct-Session-Time = 9"))
			want := []string{"Start 10.1.1.2", "Interim-Update 10.1.1.2", "Stop 10.1.1.2"}
			var got []string
			eventually(t, "all records arrive", func() bool {
				got = d.starts()
				return slices.Equal(got, want)
			}, &got)
		})
	}
}

// TestDelayStartEndsFreeRADIUS: without an address, FreeRADIUS gets the start when its time is over.
func TestDelayStartEndsFreeRADIUS(t *testing.T) {
	d := start(t, setup{delayStart: "2s"})
	d.account(record("Start", "S1", "alice", "NAS-Port = 5", "Framed-Protocol = PPP"))
	var got []string
	eventually(t, "the start arrives", func() bool {
		got = d.starts()
		return slices.Equal(got, []string{"Start"})
	}, &got)
	if delay := d.servers[0].Detail()[0].Get("Acct-Delay-Time"); delay == "0" || delay == "" {
		t.Errorf("it waited %q s", delay)
	}
}
