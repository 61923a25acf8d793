package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"testing"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
)

// FuzzAccess passes datagrams to an AuthListener, as they are and with a right Message-Authenticator,
// and answers what reaches the relay. Only requests that the client's Signing allows reach it. An
// answer begins with Message-Authenticator, ends with the Proxy-States of the request, and is
// authentic.
func FuzzAccess(f *testing.F) {
	for _, name := range []string{"access/radclient-pap.hex", "access/radclient-pap-signed.hex", "radclient-start.hex"} {
		f.Add(captured.Packet(f, name), uint8(radius.SigningRequired), false, "")
	}
	f.Add(captured.Octets(f, captured.GoldenAccess), uint8(radius.SigningLegacy), false, attr(radius.State, "s"))
	f.Add(captured.Octets(f, captured.GoldenSignedAccess), uint8(radius.SigningAuto), true, attr(radius.State, "s"))
	f.Add(captured.Octets(f, captured.GoldenStatus), uint8(radius.SigningAuto), true, "")
	f.Add(access(1, attr(radius.EAPMessage, "x"), attr(radius.ProxyState, "")), uint8(radius.SigningLegacy), true, "\x01")
	f.Add([]byte("\x01"), uint8(radius.SigningLegacy), true, "")
	f.Fuzz(func(t *testing.T, b []byte, signing uint8, sign bool, attrs string) {
		client := withSigning(radius.Signing(signing % 3))
		p, err := radius.Parse(b)
		if sign && err == nil {
			signOver(p)
		}
		relay := newRelayed()
		l, handle := newIdleAuth(t, relay, client)
		handle(b, noon)
		handle(b, noon)
		if len(relay) == 0 {
			l.queued()
			return
		}
		if err != nil || p.Code() != radius.CodeAccessRequest || len(relay) > 1 {
			t.Fatalf("relayed %d times; it is a %v: %v", len(relay), p.Code(), err)
		}
		switch signed := p.HasMessageAuthenticator(); {
		case signed && !signedRight(p):
			t.Error("relayed with a wrong Message-Authenticator")
		case !signed && (p.Has(radius.EAPMessage) || client.Signing == radius.SigningRequired || client.Signing == radius.SigningAuto && p.Has(radius.ProxyState)):
			t.Error("relayed without Message-Authenticator")
		}
		q := <-relay
		q.Answer(radius.CodeAccessAccept, []byte(attrs))
		want := attrs + proxyStates(p)
		answers := l.queued()
		if len(want) > radius.MaxPacket-radius.HeaderLen-radius.SignatureLen {
			if len(answers) > 0 {
				t.Errorf("an answer of %d octets", len(answers[0]))
			}
			return
		}
		if len(answers) != 1 || answers[0][radius.HeaderLen+radius.SignatureLen:] != want {
			t.Fatalf("answers %x, want the attributes %x", answers, want)
		}
		if answer, err := radius.Parse([]byte(answers[0])); err == nil { // attrs may be no attributes
			if ok, _ := answer.Authentic(p.Authenticator(), captured.Secret, nil); !ok {
				t.Errorf("not authentic: %x", answers[0])
			}
		}
	})
}

// messageAuthenticator returns the value of the Message-Authenticator of a packet, and what it should
// be.
func messageAuthenticator(p radius.Packet) (value, want []byte) {
	at := radius.HeaderLen
	for b := p.Octets(); radius.Type(b[at]) != radius.MessageAuthenticator; at += int(b[at+1]) {
	}
	value = p.Octets()[at+2 : at+radius.SignatureLen]
	mac := hmac.New(md5.New, []byte(captured.Secret))
	mac.Write(p.Octets()[:at+2])
	mac.Write(make([]byte, radius.AuthLen))
	mac.Write(p.Octets()[at+radius.SignatureLen:])
	return value, mac.Sum(nil)
}

func signedRight(p radius.Packet) bool {
	value, want := messageAuthenticator(p)
	return string(value) == string(want)
}

// signOver makes the Message-Authenticator of a packet right, if it has one.
func signOver(p radius.Packet) {
	if p.HasMessageAuthenticator() {
		value, want := messageAuthenticator(p)
		copy(value, want)
	}
}
