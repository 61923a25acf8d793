package dae

import (
	"context"
	"fmt"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// Forwarded is a Disconnect-Request or CoA-Request of a server, for one session.
type Forwarded struct {
	Code radius.Code // CodeDisconnectRequest or CodeCoARequest
	// Attrs are the attributes for the NAS beside those that identify the session. They do not change,
	// but encrypted values among them are encrypted again.
	Attrs []byte
	// Secret is the secret of the server, and Authenticator that of its request.
	Secret        radius.Secret
	Authenticator radius.Authenticator
	// Ended reports whether the session has ended. Nothing is sent from then on: some NASes look only at
	// User-Name, and would end or change the user's next session. nil means that it lives.
	Ended func() bool
}

// Reply is the answer of a NAS to a Forwarded request.
type Reply struct {
	termination.Outcome
	// Attrs are the attributes of the ACK or NAK, without Message-Authenticator and Proxy-State.
	// Encrypted values are encrypted for the server. If that is not possible, there are no attributes.
	Attrs []byte
}

// Forward sends the NAS of a session what a server wants of it, and waits for the answer. The session
// is identified as in Disconnect, and a NAS that refuses the request is asked again with other
// attributes in the same way. Forward returns at the latest when all transmissions have timed out or
// ctx ends. If nothing could be sent, the Err of the Outcome says why: it wraps ErrNoClient,
// [termination.ErrNoMeans] if the client's profile is none, or a *radius.MalformedError if an encrypted
// value has a wrong length. It wraps [termination.ErrSessionEnded] if the session has ended before the
// NAS answered.
func (d *Disconnector) Forward(ctx context.Context, s *sessions.Session, f Forwarded) Reply {
	c := d.clients.Find(s.NAS.Addr)
	if c == nil {
		return Reply{Outcome: termination.Outcome{Err: fmt.Errorf("%w: %v", ErrNoClient, s.NAS.Addr)}}
	}
	m := message{isForwarded: true, code: f.Code, attrs: f.Attrs, from: radius.Protection{Secret: f.Secret}, ended: f.Ended}
	var err error
	if m.hidden, err = hiddenValues(c.Dictionary, f.Attrs); err != nil {
		return Reply{Outcome: termination.Outcome{Err: fmt.Errorf("dae: %w", err)}}
	}
	got, _ := d.converse(ctx, c, s, m, ladder{})
	reply := Reply{Outcome: got.Outcome}
	crypt := radius.Recrypter{
		From: radius.Protection{Secret: c.DisconnectSecret, Request: got.request},
		To:   radius.Protection{Secret: f.Secret, Request: f.Authenticator},
	}
	if reply.Attrs, err = crypt.AppendAnswer(nil, got.attrs, c.Dictionary); err != nil {
		reply.Attrs = nil // what the NAS has done is more important
	}
	return reply
}

// message is what a request says beside which session it is about.
type message struct {
	// isForwarded is true for a message of a server. If the NAS answers a request with a NAK and does
	// not answer the next one, with other attributes, the server gets that NAK.
	isForwarded bool
	code        radius.Code
	attrs       []byte
	hidden      []radius.HiddenValue // in attrs
	from        radius.Protection    // of hidden
	ended       func() bool          // as in Forwarded
}

// disconnect is the message of a Disconnect-Request of our own.
var disconnect = message{code: radius.CodeDisconnectRequest}

// append appends the attributes of the message. In Disconnect-Requests and CoA-Requests, values are
// encrypted with an authenticator of zeros, as FreeRADIUS does: the real one depends on them.
func (m message) append(b []byte, secret radius.Secret) ([]byte, error) {
	at := len(b)
	b = append(b, m.attrs...)
	if len(m.hidden) == 0 {
		return b, nil
	}
	crypt := radius.Recrypter{From: m.from, To: radius.Protection{Secret: secret}, Salt: radius.RandomSalt()}
	for _, v := range m.hidden {
		v.Start, v.End = v.Start+at, v.End+at
		if err := crypt.Recrypt(b, v); err != nil {
			return b, fmt.Errorf("dae: %w", err)
		}
	}
	return b, nil
}

// hiddenValues returns where the encrypted values in a list of attributes are.
func hiddenValues(names *radius.Dictionary, attrs []byte) (list []radius.HiddenValue, err error) {
	for at := 0; at < len(attrs); at += int(attrs[at+1]) {
		if list, err = names.AppendHidden(list, attrs[at:at+int(attrs[at+1])], at); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// response is the answer of a NAS to one request.
type response struct {
	termination.Outcome
	attrs   []byte               // of the answer
	request radius.Authenticator // of the request
}

// noResponse is a response of which only the outcome is known.
func noResponse(out termination.Outcome) response { return response{Outcome: out} }

// request encodes a request for a session.
func (p profile) request(m message, identifier byte, s *sessions.Session, now time.Time, secret radius.Secret) ([]byte, error) {
	b := radius.AppendHeader(make([]byte, 0, 512), m.code, identifier)
	b, signedAt := p.append(b, s, now)
	b, err := m.append(b, secret)
	switch {
	case err != nil:
		return nil, err
	case len(b) > radius.MaxPacket:
		return nil, errTooLong
	}
	radius.Seal(b, signedAt, radius.Authenticator{}, secret)
	return b, nil
}
