package dae

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	layeh "layeh.com/radius"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
)

var noon = time.Date(2023, 11, 14, 12, 0, 0, 0, time.UTC)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func attr(t radius.Type, value string) string {
	return string(radius.AppendAttribute(nil, t, value))
}

func num(t radius.Type, n uint32) string { return string(radius.AppendUint32(nil, t, n)) }

// local returns the client that most tests use.
func local() nasradius.Client {
	return nasradius.Client{Name: "local", Prefix: prefix("127.0.0.0/8"), Secret: captured.Secret}
}

// sink is a Sink that hands its events to the test.
type sink chan sessions.Event

func (s sink) Apply(ev sessions.Event, done func(error)) error {
	s <- ev
	done(nil)
	return nil
}

func (sink) Accepting() error { return nil }

// startListener runs an accounting listener until the test ends.
func startListener(t *testing.T, sink nasradius.Sink, addr string, clients ...nasradius.Client) *nasradius.Listener {
	t.Helper()
	l, err := nasradius.New(nasradius.Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort(addr)}, Clients: clients}, sink)
	if err != nil {
		t.Fatal(err)
	}
	radiustest.Run(t, l.Run)
	return l
}

// account sends an Accounting-Request from a local address, and waits for its answer.
func account(ctx context.Context, from, to string, port uint16, identifier byte, attrs ...string) error {
	list, err := layeh.ParseAttributes([]byte(strings.Join(attrs, "")))
	if err != nil {
		return err
	}
	p := &layeh.Packet{Code: layeh.CodeAccountingRequest, Identifier: identifier, Secret: []byte(captured.Secret), Attributes: list}
	local, remote := netip.AddrPortFrom(netip.MustParseAddr(from), 0), netip.AddrPortFrom(netip.MustParseAddr(to), port)
	_, err = radiustest.Account(ctx, local, remote, p)
	return err
}
