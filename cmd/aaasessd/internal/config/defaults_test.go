package config

import (
	"reflect"
	"strconv"
	"testing"

	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/termination"
	"aaasess/store"
)

// TestDefaultsOfPackages: the defaults in the tags equal those of the packages that use the values.
func TestDefaultsOfPackages(t *testing.T) {
	doc, err := engine.Decode("aaasess.yaml", []byte("store: {}\n"), ".", &rawConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var raw rawConfig
	var backoff rawBackoff
	var group rawGroup
	var tacacsServer rawTACACSServer
	var tacacsGroup rawTACACSGroup
	var radiusClient rawClient
	for _, v := range []any{&raw, &backoff, &group, &tacacsServer, &tacacsGroup, &radiusClient} {
		doc.SetDefaults(v)
	}
	r, d := raw.RADIUS, raw.Sessions.Disconnect
	for _, tt := range []struct {
		key               string
		inFile, ofPackage any
	}{
		{"radius.timeout", r.Timeout, client.DefaultTimeout},
		{"radius.retransmit", r.Retransmit, client.DefaultRetransmit},
		{"radius.backoff.max-delay", backoff.MaxDelay, client.DefaultMaxDelay},
		{"radius.hold-down", r.HoldDown, client.DefaultHoldDown},
		{"radius.groups.batch-size", group.BatchSize, client.DefaultBatchSize},
		{"radius.groups.window", group.Window, client.DefaultMaxInFlight},
		{"tacacs.timeout", raw.TACACS.Timeout, tacclient.DefaultTimeout},
		{"tacacs.retransmit", raw.TACACS.Retransmit, 0},
		{"tacacs.hold-down", raw.TACACS.HoldDown, tacclient.DefaultHoldDown},
		{"tacacs.servers.port", tacacsServer.Port, uint16(tacclient.DefaultPort)},
		{"tacacs.servers.connections", tacacsServer.Connections, tacclient.DefaultConnections},
		{"tacacs.groups.window", tacacsGroup.Window, tacclient.DefaultMaxInFlight},
		{"radius.clients.disconnect.port", radiusClient.Disconnect.Port, uint16(0)}, // that of the profile
		{"radius.clients.disconnect.profile", radiusClient.Disconnect.Profile, dae.ProfileGeneric},
		{"sessions.remember", raw.Sessions.Remember, sessions.DefaultRemember},
		{"sessions.disconnect.stop-wait", d.StopWait, termination.DefaultStopWait},
		{"sessions.disconnect.retry-min", d.RetryMin, termination.DefaultRetryMin},
		{"sessions.disconnect.retry-max", d.RetryMax, termination.DefaultRetryMax},
		{"sessions.disconnect.timeout", d.Timeout, dae.DefaultTimeout},
		{"sessions.disconnect.retransmit", d.Retransmit, dae.DefaultRetransmissions},
		{"store.min-free", int64(raw.Store.MinFree), int64(store.DefaultMinFree)},
	} {
		if tt.inFile != tt.ofPackage {
			t.Errorf("the default of %s is %v, that of the package %v", tt.key, tt.inFile, tt.ofPackage)
		}
	}
	for _, port := range r.Accounting.Listen {
		if port.Port() != nasradius.Port {
			t.Errorf("radius.accounting.listen has the default %v, want port %d", port, nasradius.Port)
		}
	}
	for _, group := range []reflect.Type{reflect.TypeFor[rawGroup](), reflect.TypeFor[rawTACACSGroup]()} {
		list, _ := group.FieldByName("Servers")
		if limit := list.Tag.Get("max"); limit != strconv.Itoa(servers.MaxServers) {
			t.Errorf("servers of %v has at most %s entries, want %d", group, limit, servers.MaxServers)
		}
	}
	connections, _ := reflect.TypeFor[rawTACACSServer]().FieldByName("Connections")
	if limit := connections.Tag.Get("max"); limit != strconv.Itoa(tacclient.MaxConnections) {
		t.Errorf("connections is at most %s, want %d", limit, tacclient.MaxConnections)
	}
}
