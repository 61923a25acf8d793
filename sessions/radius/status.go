package radius

import (
	"errors"
	"time"

	"aaasess/internal/radius"
)

var errUnsigned = errors.New("Status-Server without Message-Authenticator")

// status answers a Status-Server (RFC 5997): whoever sends accounting here asks whether we would take it. While the sink
// refuses events there is no answer: the RFC lets a server that cannot work stay silent, and a proxy then uses another one
// (R27). It is not kept in the table of duplicates: each is answered by what is true now.
func (x *exchange) status(r *receiver, p radius.Packet, now time.Time) {
	l := x.socket.listener
	if !p.HasMessageAuthenticator() { // RFC 5997 section 3: nothing else proves the secret, the Request Authenticator is random
		l.drop(x.client, badAuthenticators, x.to, now, errUnsigned)
		return
	}
	var ok bool
	if ok, r.scratch = p.Signed(p.Authenticator(), x.client.Secret, r.scratch); !ok {
		l.drop(x.client, badAuthenticators, x.to, now, errAuthenticator)
		return
	}
	l.count(x.client, statusServers)
	if err := l.sink.Accepting(); err != nil {
		l.drop(x.client, refused, x.to, now, err)
		return
	}
	var states []byte
	for t, value := range radius.Attributes(p.Attributes()).All() {
		if t == radius.ProxyState {
			states = radius.AppendAttribute(states, t, value)
		}
	}
	x.code, x.proxyState = x.socket.statusAnswer, string(states)
	x.answer()
}
