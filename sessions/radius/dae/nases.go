package dae

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
)

// maxNASes is how many NASes have statistics. When one more is asked, the one that has been idle for
// the longest goes. One with a request in flight stays, so there may be more as long as there are more
// requests.
const maxNASes = 16384

// kind says whether a packet is about Disconnect-Requests or CoA-Requests.
type kind uint8

const (
	disconnects kind = iota
	coas
	kinds
)

// kindOf returns the kind of a request.
func kindOf(request radius.Code) kind {
	if request == radius.CodeCoARequest {
		return coas
	}
	return disconnects
}

// kindOfAnswer returns the kind of an answer by its first octet. ok is false if that is not the code
// of an answer.
func kindOfAnswer(b []byte) (k kind, ok bool) {
	switch {
	case len(b) == 0:
		return 0, false
	case isAnswer(radius.Code(b[0]), radius.CodeCoARequest):
		return coas, true
	}
	return disconnects, isAnswer(radius.Code(b[0]), radius.CodeDisconnectRequest)
}

// nas has the counters of one NAS address and port: a row of radiusDynAuthServerTable (RFC 4672).
type nas struct {
	index uint32
	addr  netip.AddrPort
	since time.Time

	// Guarded by the mutex of the peerTable.
	identifier string // NAS-Identifier of the last session
	inFlight   int    // requests
	lastUse    uint64 // number of the last request that began or ended
	removed    bool   // it has no row any more

	messages     [kinds]messageCounters
	unknownTypes atomic.Uint64
	roundTrip    atomic.Int64 // nanoseconds; 0: no answer yet
}

// messageCounters is the live form of MessageStats.
type messageCounters struct {
	requests, authorizeOnlyRequests, retransmissions, acks, naks, authorizeOnlyNAKs, noContextNAKs,
	malformed, badAuthenticators, timeouts, dropped atomic.Uint64
	pending atomic.Int64
}

// nasTable has the NASes with statistics. The mutex of the peerTable guards it.
type nasTable struct {
	list []*nas // by index
	last uint32 // index
	uses uint64 // requests that began or ended
	max  int    // maxNASes, except in tests
}

// enter begins a request to a peer and returns the counters of its NAS. They may be new.
func (t *nasTable) enter(p *peer, addr netip.AddrPort, identifier string) *nas {
	if p.nas == nil || p.nas.removed {
		for len(t.list) >= t.max && t.removeIdle() {
		}
		t.last++
		p.nas = &nas{index: t.last, addr: addr, since: time.Now()}
		t.list = append(t.list, p.nas)
	}
	if identifier != "" {
		p.nas.identifier = identifier
	}
	p.nas.inFlight++
	t.touch(p.nas)
	return p.nas
}

// leave ends a request that enter has begun.
func (t *nasTable) leave(n *nas) {
	n.inFlight--
	t.touch(n)
}

func (t *nasTable) touch(n *nas) {
	t.uses++
	n.lastUse = t.uses
}

// removeIdle removes the NAS that has been idle for the longest. It returns false if none is idle.
func (t *nasTable) removeIdle() bool {
	oldest := -1
	for i, n := range t.list {
		if n.inFlight == 0 && (oldest < 0 || n.lastUse < t.list[oldest].lastUse) {
			oldest = i
		}
	}
	if oldest < 0 {
		return false
	}
	t.list[oldest].removed = true
	t.list = slices.Delete(t.list, oldest, oldest+1)
	return true
}

// NASView has the statistics of all NASes at one moment. It is immutable.
type NASView struct {
	Now  time.Time
	List []NASStats // ascending by Index
	// InvalidDisconnectAddresses and InvalidCoAAddresses count the ACKs and NAKs to Disconnect-Requests
	// and CoA-Requests that came from an address and port to which nothing was sent
	// (radiusDynAuthClientDisconInvalidServerAddresses, radiusDynAuthClientCoAInvalidServerAddresses).
	InvalidDisconnectAddresses, InvalidCoAAddresses uint64
}

// NASStats are the statistics of one NAS: of one address and port that requests have gone to
// (radiusDynAuthServerTable, RFC 4672).
type NASStats struct {
	// Index is radiusDynAuthServerIndex, 1..2^31-1. It stays the same as long as the NAS has
	// statistics, and is not used again while the daemon runs.
	Index uint32
	Addr  netip.AddrPort
	// Identifier is the NAS-Identifier of the session that the last request was about; "" if its NAS
	// has sent none (radiusDynAuthServerID).
	Identifier string
	// Since is when the counters began (radiusDynAuthClientCounterDiscontinuity).
	Since time.Time
	// RoundTripTime is the time between the last transmission of a request and its answer; 0 means that
	// no answer has come yet (radiusDynAuthClientRoundTripTime).
	RoundTripTime   time.Duration
	Disconnect, CoA MessageStats
	// UnknownTypes counts packets that are neither an ACK nor a NAK (radiusDynAuthClientUnknownTypes).
	UnknownTypes uint64
}

// MessageStats are the statistics of Disconnect-Requests or CoA-Requests to one NAS, with the meaning of
// RFC 4672. In the names of its objects, "Discon" or "CoA" is added, as in
// radiusDynAuthClientDisconRequests.
type MessageStats struct {
	// Requests counts requests, without retransmissions. A request with other attributes is another
	// request.
	Requests uint64
	// AuthorizeOnlyRequests counts those of the Requests with Service-Type Authorize-Only.
	AuthorizeOnlyRequests uint64
	Retransmissions       uint64
	ACKs                  uint64 // valid ones to a request in flight
	NAKs                  uint64 // as well
	AuthorizeOnlyNAKs     uint64 // those of the NAKs with Service-Type Authorize-Only
	NoContextNAKs         uint64 // those of the NAKs with Error-Cause 503 (Session-Context-Not-Found)
	Malformed             uint64 // answers with invalid framing
	BadAuthenticators     uint64 // answers with a wrong authenticator or Message-Authenticator
	// Pending is the number of requests whose last transmission has neither an answer nor timed out.
	Pending uint64
	// Timeouts counts transmissions without an answer in time.
	Timeouts uint64
	// Dropped counts answers that are discarded for other reasons: no such request is in flight.
	Dropped uint64
}

// viewLifetime is how old a view may be.
const viewLifetime = 100 * time.Millisecond

// viewCache has the last NASView.
type viewCache struct {
	current atomic.Pointer[NASView]
	making  sync.Mutex
}

func (c *viewCache) fresh(now time.Time) *NASView {
	if v := c.current.Load(); v != nil && now.Sub(v.Now) < viewLifetime {
		return v
	}
	return nil
}

// NASView returns the statistics of all NASes, at most 100 ms old. While that is so, it returns the same
// view.
func (d *Disconnector) NASView() *NASView {
	if v := d.view.fresh(time.Now()); v != nil {
		return v
	}
	d.view.making.Lock()
	defer d.view.making.Unlock()
	now := time.Now()
	if v := d.view.fresh(now); v != nil {
		return v
	}
	v := &NASView{Now: now}
	list := d.peers.appendNASes(&v.List)
	for i, n := range list {
		n.read(&v.List[i])
	}
	v.InvalidDisconnectAddresses = d.counters.unknownAddresses[disconnects].Load()
	v.InvalidCoAAddresses = d.counters.unknownAddresses[coas].Load()
	d.view.current.Store(v)
	return v
}

// read reads the counters.
func (n *nas) read(s *NASStats) {
	s.Index, s.Addr, s.Since = n.index, n.addr, n.since
	s.RoundTripTime, s.UnknownTypes = time.Duration(n.roundTrip.Load()), n.unknownTypes.Load()
	s.Disconnect, s.CoA = n.messages[disconnects].stats(), n.messages[coas].stats()
}

func (m *messageCounters) stats() MessageStats {
	return MessageStats{
		Requests:              m.requests.Load(),
		AuthorizeOnlyRequests: m.authorizeOnlyRequests.Load(),
		Retransmissions:       m.retransmissions.Load(),
		ACKs:                  m.acks.Load(),
		NAKs:                  m.naks.Load(),
		AuthorizeOnlyNAKs:     m.authorizeOnlyNAKs.Load(),
		NoContextNAKs:         m.noContextNAKs.Load(),
		Malformed:             m.malformed.Load(),
		BadAuthenticators:     m.badAuthenticators.Load(),
		Pending:               uint64(max(0, m.pending.Load())),
		Timeouts:              m.timeouts.Load(),
		Dropped:               m.dropped.Load(),
	}
}
