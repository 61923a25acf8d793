package client

import (
	"slices"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// accessRequest is an Access-Request with a fixed authenticator.
type accessRequest struct {
	fakeRequest
	auth radius.Authenticator
}

func (r *accessRequest) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	b = radius.AppendSignedHeader(b, radius.CodeAccessRequest, identifier)
	radius.SealRequest(b, r.auth, secret)
	return b, r.auth
}

func (r *accessRequest) Answers(code radius.Code) bool {
	return slices.Contains([]radius.Code{radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeAccessChallenge}, code)
}

// FuzzHandleAuthentication: whatever a server sends, nothing panics, and only an answer with the
// authenticators that its Signing wants settles an Access-Request.
func FuzzHandleAuthentication(f *testing.F) {
	request := radius.Authenticator{1, 2, 3}
	for _, attrs := range []string{"", "\x12\x03x", "\x4f\x06\x03\x01\x00\x04"} {
		signed := radius.AppendSignedHeader(nil, radius.CodeAccessAccept, 0)
		signed = append(signed, attrs...)
		radius.SealResponse(signed, request, testSecret)
		unsigned := append(radius.AppendHeader(nil, radius.CodeAccessReject, 0), attrs...)
		radius.Seal(unsigned, 0, request, testSecret)
		wrong := slices.Clone(signed)
		wrong[len(wrong)-1]++
		for _, b := range [][]byte{signed, unsigned, wrong} {
			for mode := range byte(6) {
				f.Add(b, mode)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, state byte) {
		mode, signs := radius.Signing(state%3), state/3%2 == 1
		settled := 0
		x, p := authExchange(t, request, func() { settled++ })
		p.server.Signing, p.server.signs = mode, signs
		p.handle(b, nil, 0, nil)
		want := false
		if packet, err := radius.Parse(b); err == nil && packet.Identifier() == 0 && x.req.Answers(packet.Code()) {
			right, _ := packet.Authentic(request, testSecret, nil)
			must := mode == radius.SigningRequired || mode == radius.SigningAuto && signs || packet.Has(radius.EAPMessage)
			want = right && (packet.HasMessageAuthenticator() || !must)
			if shows := right && packet.HasMessageAuthenticator() && !packet.Has(radius.EAPMessage); p.server.signs != (signs || shows) {
				t.Errorf("noted that the server signs: %v", p.server.signs)
			}
		}
		if (settled == 1) != want || x.settled != want {
			t.Errorf("%x in state %d: settled %d times, want %v", b, state, settled, want)
		}
	})
}

// authExchange returns an exchange of a group for authentication without sockets. Its transmission
// has identifier 0 and accepts answers.
func authExchange(t *testing.T, auth radius.Authenticator, settled func()) (*exchange, *path) {
	t.Helper()
	id := Identity{Host: documentationAddr.Addr().String(), AuthPort: 1812, Secret: testSecret}
	g, err := New(Config{}).NewGroup(GroupConfig{Purpose: Authentication, Members: []Member{{Identity: id}}})
	if err != nil {
		t.Fatal(err)
	}
	x := newExchange(g, &accessRequest{fakeRequest{done: func(error) { settled() }}, auth}, retry.Progress{})
	if err := g.advance(x, at(0)); err != nil {
		t.Fatal(err)
	}
	p := x.path()
	p.conns = []Conn{nil} // nothing is sent
	p.ids.grow()
	g.beginTransmission(x, p.ids.acquire(x, at(0), false), at(0))
	if x.slot != 0 || !p.ids.arm(0, p.ids.transmissions[0].serial, auth) {
		t.Fatal("not armed")
	}
	return x, p
}
