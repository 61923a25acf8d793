package radiusnet

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
)

var authAddr = netip.MustParseAddrPort("192.0.2.1:1812")

// authRequest returns a signed request with these attributes, of a type and a text each.
func authRequest(code radius.Code, attrs ...string) ([]byte, radius.Authenticator) {
	auth := radius.Authenticator{1, 2, 3}
	b := radius.AppendSignedHeader(nil, code, 9)
	for _, a := range attrs {
		b = radius.AppendAttribute(b, radius.Type(a[0]), a[1:])
	}
	radius.SealRequest(b, auth, secret)
	return b, auth
}

const aUser = "\x01nemo"

// TestAuthentication: a server for authentication checks requests as a strict one does.
func TestAuthentication(t *testing.T) {
	good, _ := authRequest(radius.CodeAccessRequest, aUser)
	behind := radius.AppendAttribute(radius.AppendHeader(nil, radius.CodeAccessRequest, 9), radius.UserName, "nemo")
	behind = radius.AppendMessageAuthenticator(behind)
	radius.Seal(behind, len(behind)-radius.AuthLen, radius.Authenticator{}, secret)
	clear(behind[4:radius.HeaderLen]) // the authenticator with which it is signed
	wrong, _ := authRequest(radius.CodeAccessRequest, aUser)
	wrong[len(wrong)-1]++
	nobody, _ := authRequest(radius.CodeAccessRequest)
	status, _ := authRequest(radius.CodeStatusServer)
	for _, tc := range []struct {
		name    string
		purpose client.Purpose
		b       []byte
		want    error
	}{
		{"Access-Request", client.Authentication, good, nil},
		{"Status-Server", client.Authentication, status, nil},
		{"Status-Server for accounting", client.Accounting, status, nil},
		{"Access-Request for accounting", client.Accounting, good, errCode},
		{"Accounting-Request for authentication", client.Authentication, request1(t, "x", nil), errCode},
		{"Message-Authenticator behind", client.Authentication, behind, errUnsigned},
		{"another octet", client.Authentication, wrong, errUnsigned},
		{"no User-Name", client.Authentication, nobody, errUser},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := New(1)
			n.Add(Server{Addr: authAddr, Secret: secret, Purpose: tc.purpose})
			s, err := n.Listen("udp4", netip.AddrPort{})
			must(t, err)
			_, err = s.WriteToUDPAddrPort(tc.b, authAddr)
			must(t, err)
			faults := n.Faults()
			switch {
			case tc.want == nil && (len(faults) != 0 || len(n.Arrivals()) != 1):
				t.Errorf("faults %v, arrived %+v", faults, n.Arrivals())
			case tc.want != nil && (len(faults) != 1 || !strings.Contains(faults[0].Error(), tc.want.Error())):
				t.Errorf("faults %v, want %v", faults, tc.want)
			}
		})
	}
}

// TestAuthenticationAnswers: the kinds of answers differ in what is wrong with them.
func TestAuthenticationAnswers(t *testing.T) {
	for _, tc := range []struct {
		name          string
		reaction      Reaction
		code          radius.Code
		right, signed bool
	}{
		{"right", Reaction{}, radius.CodeAccessAccept, true, true},
		{"another code", Reaction{Code: radius.CodeAccessReject}, radius.CodeAccessReject, true, true},
		{"wrong code", Reaction{Answer: WrongCode}, radius.CodeAccountingResponse, true, true},
		{"unsigned", Reaction{Answer: Unsigned}, radius.CodeAccessAccept, true, false},
		{"wrongly signed", Reaction{Answer: WronglySigned}, radius.CodeAccessAccept, false, true},
		{"wrong secret", Reaction{Answer: WrongSecret}, radius.CodeAccessAccept, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(1)
				n.Add(Server{
					Addr: authAddr, Secret: secret, Purpose: client.Authentication,
					Handle: func([]byte, Arrival) Reaction { return tc.reaction },
				})
				c := newClient(t, n)
				b, auth := authRequest(radius.CodeAccessRequest, aUser)
				_, err := c.WriteToUDPAddrPort(b, authAddr)
				must(t, err)
				time.Sleep(time.Second)
				synctest.Wait()
				if len(c.got) != 1 {
					t.Fatalf("%d answers, faults %v", len(c.got), n.Faults())
				}
				p, err := radius.Parse(c.got[0])
				must(t, err)
				right, _ := p.Authentic(auth, secret, nil)
				if p.Code() != tc.code || right != tc.right || p.HasMessageAuthenticator() != tc.signed || p.Identifier() != 9 {
					t.Errorf("%v with identifier %d, right = %v, signed = %v", p.Code(), p.Identifier(), right, p.HasMessageAuthenticator())
				}
			})
		})
	}
}
