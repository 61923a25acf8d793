package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasess/internal/groups"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control/controltest"
)

// managedServers are changes of both protocols.
func managedServers() api.ManagedServers {
	return api.ManagedServers{
		Created:   []api.ManagedServer{{Protocol: api.RADIUS, Name: "snmp-radius-3", Address: "192.0.2.3"}},
		Destroyed: []api.ManagedServer{{Protocol: api.RADIUS, Name: "server-1"}, {Protocol: api.TACACS, Name: "t1"}},
		GivenUp: []api.GivenUpServer{
			{Protocol: api.RADIUS, Name: "snmp-radius-4", Created: true, Reason: "the file has a server of this name"},
			{Protocol: api.RADIUS, Name: "r\x1b9", Reason: "the file does not have it any more"},
		},
	}
}

// managedGroup is the group radius with these changes.
func managedGroup() api.ServerGroup {
	group := s3(time.Local)[2]
	group.Name = "radius"
	all := managedServers()
	group.Managed = all.Of(api.RADIUS)
	made := group.Servers[0]
	made.Index, made.Name, made.Created = 2, "snmp-radius-3", true
	group.Servers = append(group.Servers, made)
	return group
}

// TestManagedServers: the screens and JSON of the groups with what SNMP managers have changed.
func TestManagedServers(t *testing.T) {
	group := managedGroup()
	d := accountant(t, &controltest.Accounting{Groups: []api.ServerGroup{group}, Managed: managedServers()})
	for file, args := range map[string]string{
		"server-groups-managed.txt": "show server-group",
		"server-group-managed.txt":  "show server-group radius",
	} {
		got := command(t, d.Socket, "", strings.Fields(args)...)
		if got.code != 0 || strings.ContainsAny(got.out, "\x1b") {
			t.Errorf("%s: %+v", args, got)
		}
		golden(t, file, got.out)
	}
	var all groups.ServerGroups
	got := command(t, d.Socket, "", "show", "server-group", "--json")
	if err := json.Unmarshal([]byte(got.out), &all); err != nil || len(all.Groups) != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	want := managedServers()
	if diff := cmp.Diff(want, all.Managed); diff != "" {
		t.Error("all", diff)
	}
	if diff := cmp.Diff(want.Of(api.RADIUS), all.Groups[0].Managed); diff != "" {
		t.Error("of the group", diff)
	}
	if servers := all.Groups[0].Servers; servers[0].Created || !servers[1].Created {
		t.Errorf("created is not the second server: %+v", servers)
	}
}
