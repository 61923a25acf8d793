package radius

import (
	"errors"
	"time"

	"aaasess/internal/radius"
)

var errUnsigned = errors.New("Status-Server without Message-Authenticator")

// answerStatus answers a Status-Server (RFC 5997), by which a client asks whether we would accept
// its accounting. While the sink refuses events there is no answer: the RFC lets a server that
// cannot work stay silent, and a proxy then uses another server (R27). A Status-Server is not in
// the table of duplicates, because each answer must reflect the current state.
func (x *exchange) answerStatus(p radius.Packet, scratch []byte, now time.Time) []byte {
	l := x.listener
	// RFC 5997 section 3: the Request Authenticator is random, so only the Message-Authenticator
	// proves the secret.
	if !p.HasMessageAuthenticator() {
		x.drop(badAuthenticators, now, errUnsigned)
		return scratch
	}
	ok, scratch := p.Signed(p.Authenticator(), x.client.Secret, scratch)
	if !ok {
		x.drop(badAuthenticators, now, errAuthenticator)
		return scratch
	}
	l.count(x.client, statusServers)
	if err := l.sink.Accepting(); err != nil {
		x.drop(refused, now, err)
		return scratch
	}
	var states []byte
	for t, value := range radius.Attributes(p.Attributes()).All() {
		if t == radius.ProxyState {
			states = radius.AppendAttribute(states, t, value)
		}
	}
	x.code, x.proxyState = x.status, string(states)
	x.answer(outcomeAnswered)
	return scratch
}
