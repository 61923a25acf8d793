package dae

import (
	"net/netip"

	"aaasess/internal/throttle"
	nasradius "aaasess/sessions/radius"
)

// client is a Client in use.
type client struct {
	nasradius.Client
	profile profile
	logged  *clientLog
}

// clientLog limits the log lines about a client. It belongs to the prefix, so it outlives a reload.
type clientLog struct {
	badAnswer, sourceNotLocal throttle.Line
}

// newClient makes a client for a ClientTable.
func newClient(c nasradius.Client, _ func(netip.Addr) bool, before *client) (*client, error) {
	p, err := newProfile(c.Dictionary, c.DisconnectAttributes)
	if err != nil {
		return nil, err
	}
	logged := &clientLog{}
	if before != nil {
		logged = before.logged
	}
	return &client{c, p, logged}, nil
}
