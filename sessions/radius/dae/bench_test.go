package dae

import (
	"net/netip"
	"testing"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/termination"
)

// BenchmarkDisconnect is a Disconnect-Request and its ACK, without a socket.
func BenchmarkDisconnect(b *testing.B) {
	var d *Disconnector
	d, err := newDisconnector(Config{Clients: []nasradius.Client{local()}}, func(b []byte, _ netip.Addr, to netip.AddrPort) error {
		out := radius.AppendHeader(nil, radius.CodeDisconnectACK, b[1])
		radius.Seal(out, 0, radius.Authenticator(b[4:radius.HeaderLen]), captured.Secret)
		d.receive(out, to, noon)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	s := hostapdSession("127.0.0.2")
	b.ReportAllocs()
	for b.Loop() {
		if out := d.Disconnect(b.Context(), firstAttempt(s)); out.Answer != termination.ACK {
			b.Fatal(out)
		}
	}
}
