package radiusnet

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// Server describes a server of a Network.
type Server struct {
	// Name is for Arrivals; "" means the address.
	Name string
	Addr netip.AddrPort
	// Secret checks requests and authenticates answers.
	Secret radius.Secret
	// Purpose is which requests it takes, in addition to Status-Server: Accounting-Requests or
	// Access-Requests.
	Purpose client.Purpose
	// Link is the connection to the server, until SetLink.
	Link Link
	// Handle decides the reaction to a request; a is the parsed request. It must not keep the
	// octets, and must not call the server. nil means that every request is answered at once.
	Handle func(request []byte, a Arrival) Reaction
}

// Host is a server in its network.
type Host struct {
	Server
	network *Network
	salt    uint64

	mu      sync.Mutex // guards the fields below
	link    Link
	number  int
	scratch []byte // working memory for the digests
}

// Arrival is a request that arrived at a server.
type Arrival struct {
	At            time.Time
	Server        string // its Name
	Number        int    // how many arrived there before
	From          netip.AddrPort
	Identifier    byte
	Authenticator [16]byte
	Code          radius.Code
	UserName      string
	SessionID     string // Acct-Session-Id
	StatusType    uint32 // Acct-Status-Type
	DelayTime     uint32 // Acct-Delay-Time, in seconds
}

// Reaction is a server's reaction to a request.
type Reaction struct {
	Answer Answer
	// Code is the code of the answer. 0 means Accounting-Response or Access-Accept, as the server's
	// Purpose needs.
	Code radius.Code
	// Attributes are those of the answer, in addition to a Message-Authenticator.
	Attributes radius.Attributes
	// After is the processing time, in addition to the delay of the Link.
	After time.Duration
	// Copies is how many additional answers the server sends.
	Copies int
	// From is the source of the answer; the zero AddrPort means the server.
	From netip.AddrPort
}

// Answer is a kind of answer.
type Answer uint8

const (
	Right           Answer = iota // a valid answer; a Message-Authenticator is in those for authentication
	Silent                        // no answer
	WrongSecret                   // authenticator of another secret
	WrongIdentifier               // another identifier
	WrongCode                     // an Access-Accept for accounting, an Accounting-Response for authentication
	CutOff                        // 19 octets
	Unsigned                      // valid but for a Message-Authenticator, which is missing
	WronglySigned                 // valid but for its Message-Authenticator
)

// Member returns the server as a member of a group.
func (h *Host) Member(s retry.Schedule) client.Member {
	id := client.Identity{Name: h.Name, Host: h.Addr.Addr().String(), Secret: h.Secret}
	if h.Purpose == client.Authentication {
		id.AuthPort = h.Addr.Port()
	} else {
		id.Port = h.Addr.Port()
	}
	return client.Member{Identity: id, Schedule: s}
}

// SetLink replaces the link to the server. Datagrams that were sent before still arrive, unless the
// new link is dead at that time.
func (h *Host) SetLink(l Link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link = l
}

func (h *Host) deadNow() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.link.dead(time.Since(h.network.started))
}

// Arrivals returns the requests that arrived at this server, in order.
func (h *Host) Arrivals() []Arrival {
	var own []Arrival
	for _, a := range h.network.Arrivals() {
		if a.Server == h.Name {
			own = append(own, a)
		}
	}
	return own
}

// request passes a request to the server; b belongs to the caller.
func (h *Host) request(b []byte, from netip.AddrPort) {
	now := time.Since(h.network.started)
	h.mu.Lock()
	key := h.salt
	if h.link.isRandom() {
		key = mix(key^uint64(now), b[min(len(b), radius.HeaderLen):])
	}
	delays, copies := h.link.deliveries(key, now)
	h.mu.Unlock()
	var kept []byte
	for i, delay := range delays[:copies] {
		if delay == 0 {
			h.handle(b, from, key+uint64(i))
			continue
		}
		if kept == nil {
			kept = append([]byte(nil), b...)
		}
		h.network.deliveries.send(&delivery{due: now + delay, host: h, octets: kept, from: from, key: key + uint64(i)})
	}
}

// handle processes a request that has arrived.
func (h *Host) handle(b []byte, from netip.AddrPort, key uint64) {
	since := time.Since(h.network.started)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.link.dead(since) {
		return
	}
	a := Arrival{At: h.network.started.Add(since), Server: h.Name, Number: h.number, From: from}
	if err := h.read(b, &a); err != nil {
		h.network.fault(fmt.Errorf("radiusnet: %s: %x from %v: %w", h.Name, b, from, err))
		return
	}
	h.number++
	h.network.arrived(a)
	var r Reaction
	if h.Handle != nil {
		r = h.Handle(b, a)
	}
	if r.Answer == Silent {
		return
	}
	if r.From == (netip.AddrPort{}) {
		r.From = h.Addr
	}
	to := h.network.socketAt(from)
	if to == nil {
		return
	}
	for i := range 1 + r.Copies {
		h.answer(h.response(b, r), r, to, since, scatter(key)+uint64(i))
	}
}

// answer sends an answer over the link.
func (h *Host) answer(octets []byte, r Reaction, to *socket, now time.Duration, key uint64) {
	delays, copies := h.link.deliveries(key, now)
	for i, delay := range delays[:copies] {
		if delay += r.After; delay == 0 {
			to.enqueue(octets, r.From)
			continue
		}
		h.network.deliveries.send(&delivery{due: now + delay, host: h, octets: octets, from: r.From, to: to, key: key + uint64(i)})
	}
}

// Problems of a request.
var (
	errPadding       = errors.New("octets behind the request")
	errCode          = errors.New("no request for the purpose of the server")
	errUnsigned      = errors.New("the first attribute is not a right Message-Authenticator")
	errUser          = errors.New("not one User-Name")
	errAuthenticator = errors.New("wrong authenticator")
	errAttributes    = errors.New("not one Acct-Status-Type, Acct-Delay-Time and Acct-Session-Id each")
)

// read checks and parses a request. The caller holds the mutex.
func (h *Host) read(b []byte, a *Arrival) error {
	p, err := radius.Parse(b)
	if err != nil {
		return err
	}
	switch {
	case radius.HeaderLen+len(p.Attributes()) != len(b):
		return errPadding
	}
	a.Identifier, a.Authenticator, a.Code = p.Identifier(), p.Authenticator(), p.Code()
	accounting := a.Code == radius.CodeAccountingRequest
	var right bool
	switch {
	case accounting && h.Purpose == client.Accounting:
		if right, h.scratch = p.Authentic(radius.Authenticator{}, h.Secret, h.scratch); !right {
			return errAuthenticator
		}
	case a.Code == radius.CodeAccessRequest && h.Purpose == client.Authentication, a.Code == radius.CodeStatusServer:
		right, h.scratch = p.Signed(p.Authenticator(), h.Secret, h.scratch)
		if !right || radius.Type(p.Attributes()[0]) != radius.MessageAuthenticator {
			return errUnsigned
		}
	default:
		return errCode
	}
	var users, statuses, delays, sessions int
	for t, value := range radius.Attributes(p.Attributes()).All() {
		switch {
		case t == radius.UserName:
			a.UserName = value
			users++
		case t == radius.AcctStatusType && len(value) == 4:
			a.StatusType = binary.BigEndian.Uint32([]byte(value))
			statuses++
		case t == radius.AcctDelayTime && len(value) == 4:
			a.DelayTime = binary.BigEndian.Uint32([]byte(value))
			delays++
		case t == radius.AcctSessionID:
			a.SessionID = value
			sessions++
		}
	}
	switch {
	case accounting && (statuses != 1 || delays != 1 || sessions != 1):
		return errAttributes
	case a.Code == radius.CodeAccessRequest && users != 1:
		return errUser
	}
	return nil
}

// response encodes an answer to a request.
func (h *Host) response(b []byte, r Reaction) []byte {
	code, other := radius.CodeAccountingResponse, radius.CodeAccessAccept
	if h.Purpose == client.Authentication {
		code, other = other, code
	}
	code = cmp.Or(r.Code, code)
	identifier, secret := b[1], h.Secret
	switch r.Answer {
	case WrongSecret:
		secret += "?"
	case WrongIdentifier:
		identifier += 128
	case WrongCode:
		code = other
	}
	request := radius.Authenticator(b[4:radius.HeaderLen])
	var out []byte
	switch {
	case h.Purpose == client.Accounting || r.Answer == Unsigned:
		out = append(radius.AppendHeader(nil, code, identifier), r.Attributes...)
		radius.Seal(out, 0, request, secret)
	case r.Answer == WronglySigned:
		out = append(radius.AppendSignedHeader(nil, code, identifier), r.Attributes...) // its Message-Authenticator is zero
		radius.Seal(out, 0, request, secret)
	default:
		out = append(radius.AppendSignedHeader(nil, code, identifier), r.Attributes...)
		radius.SealResponse(out, request, secret)
	}
	if r.Answer == CutOff {
		return out[:radius.HeaderLen-1]
	}
	return out
}
