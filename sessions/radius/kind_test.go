package radius

import (
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestKindOfClient sends a start, an interim and a stop as proftpd's mod_radius does, which has no
// Service-Type, and packets that have one.
func TestKindOfClient(t *testing.T) {
	ftp := func(status uint32, more ...string) []byte {
		return request(byte(status), append([]string{
			attr(radius.UserName, "user1"), attr(radius.NASIdentifier, "ftp"), num(radius.NASIPAddress, 0x7f000001),
			num(radius.NASPort, 21), num(radius.NASPortType, 5), attr(radius.CallingStationID, "192.0.2.9"),
			num(radius.AcctStatusType, status), attr(radius.AcctSessionID, "00001234"), num(radius.AcctAuthentic, 2),
		}, more...)...)
	}
	service := func(n uint32) string { return num(radius.ServiceType, n) }
	tests := []struct {
		name   string
		kind   sessions.Kind
		packet []byte
		want   sessions.Kind
	}{
		{"no kind", 0, ftp(1), sessions.Network},
		{"network", sessions.Network, ftp(1), sessions.Network},
		{"start", sessions.Exec, ftp(1), sessions.Exec},
		{"interim", sessions.Exec, ftp(3), sessions.Exec},
		{"stop", sessions.Exec, ftp(2), sessions.Exec},
		{"connection", sessions.Connection, ftp(1), sessions.Connection},
		{"another status", sessions.Exec, ftp(15), sessions.Exec},
		{"Framed", sessions.Exec, ftp(1, service(2)), sessions.Network},
		{"Login", sessions.Connection, ftp(1, service(1)), sessions.Exec},
		{"Login to a host", sessions.Exec, ftp(1, service(1), num(radius.LoginIPHost, 0x01020304)), sessions.Connection},
		{"a Service-Type that is left out", sessions.Exec, ftp(1, attr(radius.ServiceType, "two")), sessions.Exec},
		{"On", sessions.Exec, request(7, num(radius.AcctStatusType, 7)), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sink, client := newRecorder(), local()
			client.Kind = tt.kind
			l := startListener(t, sink, "127.0.0.1:0", client)
			n := l.dial(l.Addr())
			n.send(tt.packet)
			call := sink.next(t)
			call.done(nil)
			n.receive(tt.packet)
			if got := call.event.Kind; got != tt.want {
				t.Errorf("kind %v, want %v", got, tt.want)
			}
		})
	}
}
