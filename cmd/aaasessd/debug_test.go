package main

import (
	"context"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/cmd/internal/api"
)

// debugText returns a line without what differs each time.
func debugText(e *api.DebugEntry) string {
	text := e.Message
	for _, a := range e.Attributes {
		switch a.Name {
		case "from", "id":
		default:
			text += " " + a.Name + "=" + a.Value
		}
	}
	return text
}

// TestDebug: packets are shown live, while the log has no lines of level debug.
func TestDebug(t *testing.T) {
	l := launch(t, responderConfig(t, 9), environment{})
	manager := l.manager(nil)
	for _, tt := range []struct {
		filter api.DebugFilter
		cause  func()
		want   []string
	}{
		{
			api.DebugFilter{Topic: "radius", Values: map[string]string{"client": "loopback", "user": "alice"}},
			func() { l.mustAccount(packet(acctStart, "S0", "bob"), packet(acctStart, "S1", "alice")) },
			[]string{"accounting request client=loopback outcome=answered code=Accounting-Request nas_session=S1 user=alice"},
		},
		{
			api.DebugFilter{Topic: "snmp", Values: map[string]string{"from": "127.0.0.1"}},
			func() {
				if _, err := manager.Get([]string{".1.3.6.1.2.1.1.5.0"}); err != nil {
					t.Error(err)
				}
				if _, err := manager.Set([]gosnmp.SnmpPDU{{Name: ".1.3.6.1.2.1.1.5.0", Type: gosnmp.OctetString, Value: "x"}}); err != nil {
					t.Error(err)
				}
			},
			[]string{
				"snmp: request answered user=watchers version=v2c pdu=GetRequest object=sysName.0 outcome=noError",
				"snmp: message not answered, or rejected user=watchers reason=snmp: request rejected, user or community has no access pdu=SetRequest object=.1.3.6.1.2.1.1.5.0",
			},
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		var got []string
		for line, err := range l.client().Debug(ctx, tt.filter, func() { go tt.cause() }) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, debugText(line.DebugEntry))
			if len(got) == len(tt.want) {
				break
			}
		}
		cancel()
		if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
	if strings.Contains(l.log.String(), "level=DEBUG") {
		t.Errorf("the log has lines of level debug")
	}
}
