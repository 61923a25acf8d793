package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"aaasess/cmd/internal/api"
)

// TestDaemonWithoutDNS starts with a server whose name cannot be resolved. Its records wait, and
// then arrive.
func TestDaemonWithoutDNS(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	var known atomic.Bool
	resolve := func(context.Context, string) ([]netip.Addr, error) {
		if known.Load() {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return nil, errors.New("no such host")
	}
	text := groupConfig(t, "isp", "r.example:"+portOf(server.addrPort()))
	l := launch(t, text, environment{resolve: resolve})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "no server responds", func() bool {
		q := l.queue("group/isp")
		return q.Records == 1 && !q.DownSince.IsZero()
	})
	l.reload(text, "configuration loaded")
	status, err := l.client().Status(t.Context())
	if err != nil || status.Verdict != api.VerdictDegraded || len(status.Reasons) != 1 || !strings.HasPrefix(status.Reasons[0], "queue group/isp: no server answers since ") {
		t.Errorf("%+v, %v", status, err)
	}
	known.Store(true)
	eventually(t, "the record arrives", func() bool { return slices.Equal(server.kinds(), []string{"Start 00000001"}) })
	status, err = l.client().Status(t.Context())
	if err != nil || !strings.Contains(string(status.Sections["servers"]), `"name":"r0"`) {
		t.Errorf("servers: %s, %v", status.Sections["servers"], err)
	}
	checkKeys(t, status)
}
