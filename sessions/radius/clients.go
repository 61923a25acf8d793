package radius

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"aaasess/internal/histogram"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Client is a NAS, or a network of NASes, that may send accounting and receive Disconnect-Requests.
type Client struct {
	// Name appears in logs and statistics. If it is empty, the prefix is used.
	Name string
	// Prefix contains the source addresses of the client. If several clients match, the longest
	// prefix wins. Host bits are ignored.
	Prefix netip.Prefix
	// Secret must not be empty.
	Secret radius.Secret
	// Signing says whether its Access-Requests must have a Message-Authenticator. It has no effect
	// on accounting. With radius.SigningAuto, what the AuthListener has learned belongs to the
	// prefix, so all NASes in it should be alike. It outlives a reload, not a restart.
	Signing radius.Signing
	// Kind is the kind of the client's sessions whose packets have no Service-Type. sshd and proftpd
	// send none. 0 stands for sessions.Network.
	Kind sessions.Kind
	// Unique are attributes of which no two live sessions of the same kind have the same value at a NAS
	// of the client; see sessions.Event.
	Unique []radius.Type
	// DisconnectSecret protects Disconnect-Requests and their answers. If it is empty, Secret is
	// used.
	DisconnectSecret radius.Secret
	// DisconnectPort is the UDP port for Disconnect-Requests. If it is 0, that of the profile is
	// used.
	DisconnectPort uint16
	// DisconnectAddr is the destination of Disconnect-Requests for a NAS behind a proxy. If it is
	// not valid, they go to the NAS's source address.
	DisconnectAddr netip.Addr
	// DisconnectSource is the local address that Disconnect-Requests leave from. It must have the
	// address family of their destination. If it is not valid, they leave from the address that the
	// NAS sends its accounting to.
	DisconnectSource netip.Addr
	// DisconnectProfile is the name of what this kind of NAS understands, see dae.ProfileNames. If
	// it is empty, dae.ProfileGeneric is used.
	DisconnectProfile string
	// DisconnectAttributes identify a session in the first Disconnect-Request for it, in this
	// order. If it is empty, those of the profile are used. A name alone stands for the value that the NAS
	// sent for the session; it is left out if the NAS sent none. "NAME = VALUE" always sends that
	// value. Event-Timestamp is the current time, and Message-Authenticator is computed. If a NAS
	// refuses the request, the next one has more or fewer attributes, see ladder.
	DisconnectAttributes []string
	// Dictionary defines the names in DisconnectAttributes. If it is nil, the standard dictionary
	// is used.
	Dictionary *radius.Dictionary
}

// client is a Client of a listener in use.
type client struct {
	Client
	stats *clientStats
	owns  func(netip.Addr) bool // whether an address is this client's
}

// clientStats belongs to the prefix, so it outlives a reload.
type clientStats struct {
	counters   counters
	logged     dropLog
	answered   atomic.Int64 // time of the last answer, in Unix nanoseconds; 0: there was none
	answerTime *histogram.Histogram
	// signs is true once the client has shown that it sends Message-Authenticators.
	signs atomic.Bool
}

// lastAnswered returns the time of the last answer; the zero Time if there was none.
func (s *clientStats) lastAnswered() time.Time {
	if at := s.answered.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// answerBounds are the buckets of the time to an answer. An accounting request waits for the disk, an
// Access-Request for a server. NASes repeat a request after 1 to 5 s.
var answerBounds = []time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
	5 * time.Second, 10 * time.Second,
}

// newClient makes a client for a ClientTable. before is the client with this prefix until now, or nil.
func newClient(c Client, owns func(netip.Addr) bool, before *client) (*client, error) {
	stats := &clientStats{answerTime: histogram.New(answerBounds...)}
	if before != nil {
		stats = before.stats
	}
	return &client{c, stats, owns}, nil
}

// withDefaults checks a client and sets the defaults.
func (c Client) withDefaults() (Client, error) {
	switch {
	case !c.Prefix.IsValid():
		return c, errors.New("no address")
	case c.Prefix.Addr().Is4In6():
		return c, fmt.Errorf("%v: IPv4-mapped prefix, write it as IPv4", c.Prefix)
	case c.Secret == "":
		return c, errors.New("no secret")
	}
	c.Prefix = c.Prefix.Masked()
	c.Kind = cmp.Or(c.Kind, sessions.Network)
	c.DisconnectSecret = cmp.Or(c.DisconnectSecret, c.Secret)
	c.DisconnectAddr, c.DisconnectSource = c.DisconnectAddr.Unmap(), c.DisconnectSource.Unmap()
	to := cmp.Or(c.DisconnectAddr, c.Prefix.Addr())
	if from := c.DisconnectSource; from.IsValid() && from.Is4() != to.Is4() {
		return c, fmt.Errorf("disconnect requests cannot go from %v to %v: one is IPv4, the other IPv6", from, to)
	}
	c.Dictionary = cmp.Or(c.Dictionary, radius.Standard())
	return c, nil
}

// clientName returns the name of a client for logs and errors.
func clientName(c Client) string {
	if c.Name == "" {
		return c.Prefix.String()
	}
	return c.Name
}

// complete adds to an event what its packet does not say: what is unique, and the kind of an event
// without Service-Type.
func (c *client) complete(ev *sessions.Event) {
	ev.Unique = c.Unique
	if c.Kind == sessions.Network || ev.Kind == 0 { // as kindOf has it, or an event of no session
		return
	}
	if _, says := ev.Attrs.Get(radius.ServiceType); !says {
		ev.Kind = c.Kind
	}
}
