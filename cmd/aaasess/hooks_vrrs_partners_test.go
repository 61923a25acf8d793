//go:build partners

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
	localreport "aaasess/sessions/local/report"
)

// router is a host with keepalived.
type router struct {
	*partner.Namespace
	d    *localDaemon
	conf string
}

// newRouter makes a router of the group VI_1 with a priority, and joins it to other, unless that is nil.
func newRouter(t *testing.T, other *partner.Namespace, number, priority int) *router {
	t.Helper()
	dir := t.TempDir()
	r := &router{d: startLocalDaemon(t), conf: filepath.Join(dir, "keepalived.conf")}
	r.Namespace = partner.NewHost(t, partner.HostOptions{
		Etc:      map[string]string{"default/aaasess-hooks": "AAASESS_LOCAL_SOCKET=" + r.d.socket + "\n", "passwd": "root:x:0:0::/root:/bin/sh\n", "group": "root:x:0:\n"},
		Programs: []string{program(t), "../../deploy/hooks/keepalived/notify"},
		Neighbor: other, Ours: "lan", Theirs: "lan",
	})
	text := fmt.Sprintf(`global_defs {
    router_id r%d
    vrrp_version 3
%s}
vrrp_instance VI_1 {
    interface lan
    virtual_router_id 51
    priority %d
    advert_int 0.2
    virtual_ipaddress {
        192.0.2.9/24
    }
%s}
`, number, block(t, "keepalived", "## Install"), priority, block(t, "keepalived", "## Groups"))
	if err := os.WriteFile(r.conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

// begin starts keepalived.
func (r *router) begin() *partner.Program {
	return r.Program("Entering BACKUP STATE", "/usr/sbin/keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file", r.conf, "--pid", "/run/k.pid", "--vrrp_pid", "/run/v.pid")
}

// TestKeepalivedHook: two routers with keepalived. The other one becomes the master when the master hangs,
// and when it ends.
func TestKeepalivedHook(t *testing.T) {
	a := newRouter(t, nil, 1, 200)
	b := newRouter(t, a.Namespace, 2, 100)
	a.Run("ip", "addr", "add", "192.0.2.1/24", "dev", "lan")
	b.Run("ip", "addr", "add", "192.0.2.2/24", "dev", "lan")
	await := func(what string, r *router, verb string) {
		t.Helper()
		want := arrived{Verb: verb, Report: localreport.Report{
			Source: "keepalived", Session: "VI_1", Kind: "vrrs", Attributes: []localreport.Attribute{{Name: "Cisco-AVPair", Value: "vrrs-name=VI_1"}},
		}}
		got := r.d.await(t, 1)[0]
		if got.Report.At == nil || time.Since(*got.Report.At).Abs() > time.Hour {
			t.Errorf("%s: at %v", what, got.Report.At)
		}
		got.Report.At = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	first := a.begin()
	await("the first one begins as backup", a, "stop")
	await("nobody is master", a, "start")
	b.begin()
	await("the second one is backup", b, "stop")
	hangs := func(signal string) { t.Helper(); a.Run("sh", "-c", "kill -"+signal+" $(cat /run/v.pid)") }
	hangs("STOP")
	await("the master hangs", b, "start")
	hangs("CONT")
	await("it goes on", b, "stop")
	if addrs := a.Run("ip", "-brief", "addr", "show", "dev", "lan"); !strings.Contains(addrs, "192.0.2.9") {
		t.Errorf("the master has %s", addrs)
	}
	first.Stop()
	await("the first one ends", a, "stop")
	await("the second one is master", b, "start")
}
