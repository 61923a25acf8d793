package accounting

import (
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// TestServiceRecords: every record of a service names it and its parent, also those that the NAS did
// not send. Other attributes of vendors belong to their packet.
func TestServiceRecords(t *testing.T) {
	vendor := func(name, value string) string { return string(appendNamed(t, nil, name, value)) }
	service := vendor("Cisco-AVPair", "parent-session-id=00000012") + vendor("Cisco-AVPair", "portbundle=enable") +
		vendor("Cisco-Service-Info", "NINTERNET") + vendor("Cisco-Service-Info", "QU;256000;D;256000")
	const stamp = "Event-Timestamp = 2001-06-27T04:47:46Z"
	identity := []string{"Acct-Session-Id = 0000000E", "Cisco-AVPair = parent-session-id=00000012", "Cisco-Service-Info = NINTERNET", "NAS-IP-Address = 192.0.2.1"}
	record := func(first string, after ...string) []string {
		return append(append([]string{first}, identity...), after...)
	}
	tests := []struct {
		name   string
		notice sessions.Notice
		want   []string
	}{
		{"an interim of aaasess", sessions.Notice{Type: sessions.Interim, Lasted: time.Minute}, record("Acct-Status-Type = Interim-Update", "Acct-Session-Time = 60", stamp)},
		{"a stop of aaasess", sessions.Notice{Type: sessions.Stop, Cause: sessions.CauseLostCarrier}, record("Acct-Status-Type = Stop", "Acct-Terminate-Cause = Lost-Carrier", stamp)},
		{"a stop without them", sessions.Notice{Type: sessions.Stop, Attrs: attrs(radius.AcctStatusType, 2)}, record("Acct-Status-Type = Stop", stamp)},
		{
			"a stop with attributes of a vendor",
			sessions.Notice{Type: sessions.Stop, Attrs: attrs(radius.AcctStatusType, 2) + radius.Attributes(vendor("Cisco-Service-Info", "NINTERNET")+vendor("Cisco-Control-Info", "I0;0"))},
			[]string{"Acct-Status-Type = Stop", "Cisco-Service-Info = NINTERNET", "Cisco-Control-Info = I0;0", "Acct-Session-Id = 0000000E", "NAS-IP-Address = 192.0.2.1", stamp},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.notice.At = exampleAt
			tt.notice.Session = &sessions.Session{
				ID: 0xE, Kind: sessions.Network, NAS: nas4, StartSeen: true,
				Attrs: attrs(radius.AcctSessionID, "nas-1") + radius.Attributes(service),
			}
			got, _ := Compose(nil, &tt.notice)
			if diff := cmp.Diff(tt.want, show(got)); diff != "" {
				t.Errorf("want (-) and record (+):\n%s", diff)
			}
		})
	}
}
