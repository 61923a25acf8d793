//go:build partners

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
)

// TestCallsAtServers is S1 "Configuring AAA Resource Accounting: Example" with FreeRADIUS as servers:
// a call in which a user logs in, and one that fails. The daemon restarts while the user is there.
func TestCallsAtServers(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 1, "B": 1})
	call := func(status rfc2866.AcctStatusType, sid string) *layeh.Packet {
		return packet(status, sid, "", func(p *layeh.Packet) error {
			p.Del(rfc2865.UserName_Type)
			_ = rfc2865.NASPort_Set(p, 7)
			return rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_CallCheck)
		})
	}
	user := func(status rfc2866.AcctStatusType) *layeh.Packet {
		return packet(status, "u", "alice", func(p *layeh.Packet) error {
			if status == acctStop {
				_ = rfc2866.AcctSessionTime_Set(p, 1)
			}
			return rfc2865.NASPort_Set(p, 7)
		})
	}
	const lists = `  exec: {default: {record: start-stop, methods: [group A]}}
  network: {default: {record: start-stop, methods: [group A]}}
  resource: {default: {record: RECORD, methods: [group B]}}
`
	tests := []struct{ record, want string }{
		{"[stop-failure, start-stop]", "Start 00000001, Stop 00000001, Start 00000003, Stop 00000003"},
		{"stop-failure", "Stop 00000003"},
		{"none", ""},
	}
	seen := map[string]int{}
	for _, tt := range tests {
		t.Run(tt.record, func(t *testing.T) {
			lists := strings.ReplaceAll(lists, "RECORD", tt.record)
			if tt.record == "none" {
				lists = strings.ReplaceAll(lists, ", methods: [group B]", "")
			}
			l := launch(t, r.config(t, lists), environment{})
			l.mustAccount(call(acctStart, "c"), user(acctStart))
			if err := l.stop(); err != nil {
				t.Fatal(err)
			}
			l.start(environment{})
			l.mustAccount(user(acctStop), call(acctStop, "c"), call(acctStart, "d"), call(acctStop, "d"))
			awaitDelivered(t, l.client())
			if status, err := l.client().Status(t.Context()); err != nil || status.Entries != 0 || status.Calls != 0 || status.Total != 1 {
				t.Errorf("status %+v, %v", status, err)
			}
			if err := l.stop(); err != nil {
				t.Error(err)
			}
			var ids []string // Acct-Multi-Session-Ids of the first call
			news := func(group string) (records []string) {
				all := merged(r[group])
				for _, a := range all[seen[group]:] {
					session := a.Record.Get("Acct-Session-Id")
					records = append(records, a.Record.Get("Acct-Status-Type")+" "+session)
					if session != "00000003" {
						ids = append(ids, a.Record.Get("Acct-Multi-Session-Id"))
					}
				}
				seen[group] = len(all)
				return records
			}
			if diff := cmp.Diff([]string{"Start 00000002", "Stop 00000002"}, news("A")); diff != "" {
				t.Errorf("of the user, want (-), got (+):\n%s", diff)
			}
			if got := strings.Join(news("B"), ", "); got != tt.want {
				t.Errorf("of the calls: %s, want %s", got, tt.want)
			}
			if ids = slices.Compact(ids); len(ids) != 1 || !strings.HasPrefix(ids[0], "aaasess-00000001-") {
				t.Errorf("Acct-Multi-Session-Ids %q", ids)
			}
		})
	}
}
