package dae

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"aaasess/internal/throttle"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/termination"
)

// client is a Client in use. Its DisconnectPort and DisconnectProfile are set.
type client struct {
	nasradius.Client
	profile profile // of the first request for a session; empty: nothing can end its sessions
	logged  *clientLog
}

// clientLog limits the log lines about a client. It belongs to the prefix, so it outlives a reload.
type clientLog struct {
	badAnswer, sourceNotLocal, profile throttle.Line
}

// newClient makes a client for a ClientTable.
func newClient(c nasradius.Client, _ func(netip.Addr) bool, before *client) (*client, error) {
	kind, err := findProfile(c.DisconnectProfile)
	if err != nil {
		return nil, err
	}
	entries := kind.attributes
	if len(c.DisconnectAttributes) > 0 && kind.name != ProfileNone {
		entries = c.DisconnectAttributes
	}
	p, err := newProfile(c.Dictionary, entries)
	if err != nil {
		return nil, err
	}
	c.DisconnectProfile, c.DisconnectPort = kind.name, cmp.Or(c.DisconnectPort, kind.port)
	logged := &clientLog{}
	if before != nil {
		logged = before.logged
	}
	return &client{c, p, logged}, nil
}

// asksLike reports whether the requests of c are like those of another client: a reload has changed
// neither what they contain nor where they go.
func (c *client) asksLike(other *client) bool {
	return slices.Equal(c.profile, other.profile) && c.DisconnectPort == other.DisconnectPort &&
		c.DisconnectAddr == other.DisconnectAddr && c.DisconnectSecret == other.DisconnectSecret
}

// canEnd returns why the client's NASes cannot end a session, or nil.
func (c *client) canEnd() error {
	if c.DisconnectProfile != ProfileNone {
		return nil
	}
	return fmt.Errorf("dae: client %q has disconnect.profile none: %w", c.Name, termination.ErrNoMeans)
}
