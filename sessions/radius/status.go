package radius

import (
	"errors"
	"time"

	"aaasess/internal/radius"
)

var errUnsignedStatus = errors.New("Status-Server without Message-Authenticator")

// answerStatus answers a Status-Server (RFC 5997), by which a client asks whether we would accept
// its requests. While they would be refused there is no answer: the RFC lets a server that cannot
// work stay silent, and a proxy then uses another server (R27). A Status-Server is not in a table of
// duplicates, because each answer must reflect the current state.
func (e *endpoint) answerStatus(checked exchange, p radius.Packet, scratch []byte, now time.Time) []byte {
	// RFC 5997 section 3: the Request Authenticator is random, so only the Message-Authenticator
	// proves the secret.
	if !p.HasMessageAuthenticator() {
		checked.drop(badAuthenticators, now, errUnsignedStatus)
		return scratch
	}
	ok, scratch := p.Signed(p.Authenticator(), checked.client.Secret, scratch)
	if !ok {
		checked.drop(badAuthenticators, now, errAuthenticator)
		return scratch
	}
	x := &exchange{}
	*x = checked
	e.count(x.client, statusServers)
	if err := e.service.accepting(); err != nil {
		x.drop(refused, now, err)
		return scratch
	}
	x.code, x.proxyState = e.status, proxyStates(p)
	x.answer(outcomeAnswered, now)
	return scratch
}
