package relay

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"aaasess/internal/radius"
	"aaasess/sessions/admission"
)

var (
	errLoop  = errors.New("has a Proxy-State that this relay gave a request of the same client: there is a loop of proxies")
	errLarge = fmt.Errorf("the request for the server would be larger than %d octets", radius.MaxPacket)
)

// span is a part of a list of attributes.
type span struct{ start, end int }

// proxyState is our Proxy-State, a complete attribute.
type proxyState [2 + 8]byte

// outgoing is how an Access-Request is rewritten for servers. It does not change after add.
type outgoing struct {
	attrs      []byte // of the NAS's request
	state      []byte // value of the first State, or nil
	hidden     []radius.HiddenValue
	cuts       []span // what is left out of attrs, in order
	tail       []byte // attributes that are added
	chap       bool   // has a CHAP-Password
	challenge  bool   // has a CHAP-Challenge
	proxyState proxyState
	unmarked   bool // has no room for proxyState

	hiddenSpace [1]radius.HiddenValue
	cutSpace    [1]span
}

// plan reads an Access-Request, once. Its errors are reasons to drop the request.
func (o *outgoing) plan(p radius.Packet, names *radius.Dictionary, ours proxyState) error {
	o.attrs, o.proxyState = p.Attributes(), ours
	o.hidden, o.cuts = o.hiddenSpace[:0], o.cutSpace[:0]
	for at := 0; at < len(o.attrs); {
		attr := o.attrs[at : at+int(o.attrs[at+1])]
		switch radius.Type(attr[0]) {
		case radius.MessageAuthenticator:
			o.cuts = append(o.cuts, span{at, at + len(attr)})
		case radius.State:
			if o.state == nil {
				o.state = attr[2:]
			}
		case radius.ProxyState:
			if string(attr) == string(ours[:]) {
				return errLoop
			}
		case radius.CHAPPassword:
			o.chap = true
		case radius.CHAPChallenge:
			o.challenge = true
		default:
			var err error
			if o.hidden, err = names.AppendHidden(o.hidden, attr, at); err != nil {
				return err
			}
		}
		at += len(attr)
	}
	return nil
}

// add adds the attributes that the NAS has not sent. authenticator is that of the NAS's request.
func (o *outgoing) add(up admission.Upstream, authenticator radius.Authenticator) error {
	if up.SessionID != "" {
		o.cut(radius.AcctSessionID)
		o.tail = radius.AppendAttribute(o.tail, radius.AcctSessionID, up.SessionID)
	}
	for _, class := range up.Class {
		o.tail = radius.AppendAttribute(o.tail, radius.Class, class)
	}
	if o.chap && !o.challenge {
		o.tail = radius.AppendAttribute(o.tail, radius.CHAPChallenge, string(authenticator[:]))
	}
	o.unmarked = o.len() > radius.MaxPacket // it is optional (RFC 2865 section 2.3)
	if o.len() > radius.MaxPacket {
		return errLarge
	}
	return nil
}

// cut leaves out all attributes of a type.
func (o *outgoing) cut(t radius.Type) {
	for at := 0; at < len(o.attrs); {
		end := at + int(o.attrs[at+1])
		if radius.Type(o.attrs[at]) == t {
			o.cuts = append(o.cuts, span{at, end})
		}
		at = end
	}
	slices.SortFunc(o.cuts, func(a, b span) int { return a.start - b.start })
}

// len returns the length of the packet for a server.
func (o *outgoing) len() int {
	n := radius.HeaderLen + 2 + radius.AuthLen + len(o.attrs) + len(o.tail)
	if !o.unmarked {
		n += len(o.proxyState)
	}
	for _, cut := range o.cuts {
		n -= cut.end - cut.start
	}
	return n
}

// append appends the packet for a server to b, which is empty. from is what the NAS has encrypted
// values with.
func (o *outgoing) append(b []byte, identifier byte, from radius.Protection, secret radius.Secret) ([]byte, radius.Authenticator) {
	var random [radius.AuthLen + 2]byte
	_, _ = rand.Read(random[:]) // never fails
	authenticator, salt := radius.Authenticator(random[:radius.AuthLen]), binary.BigEndian.Uint16(random[radius.AuthLen:])
	crypt := radius.Recrypter{From: from, To: radius.Protection{Secret: secret, Request: authenticator}, Salt: salt}
	b = radius.AppendSignedHeader(b, radius.CodeAccessRequest, identifier)
	at, hidden := 0, o.hidden
	for i := range len(o.cuts) + 1 {
		end, next := len(o.attrs), len(o.attrs)
		if i < len(o.cuts) {
			end, next = o.cuts[i].start, o.cuts[i].end
		}
		moved := len(b) - at
		b = append(b, o.attrs[at:end]...)
		for len(hidden) > 0 && hidden[0].Start < next {
			v := hidden[0]
			v.Start, v.End = v.Start+moved, v.End+moved
			// It cannot fail for a password. The plain text of another value is the NAS's affair: the
			// server drops what it cannot read.
			_ = crypt.Recrypt(b, v)
			hidden = hidden[1:]
		}
		at = next
	}
	b = append(b, o.tail...)
	if !o.unmarked {
		b = append(b, o.proxyState[:]...)
	}
	radius.SealRequest(b, authenticator, secret)
	return b, authenticator
}
