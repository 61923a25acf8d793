package relay

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	layeh "layeh.com/radius"

	"aaasess/internal/radius"
	"aaasess/sessions/admission"
)

const (
	nasSecret    = radius.Secret("testing123")
	serverSecret = radius.Secret("a much longer secret of the server")
)

var (
	nasAuthenticator = radius.Authenticator([]byte("0123456789abcdef"))
	ourProxyState    = proxyState(radius.AppendAttribute(nil, radius.ProxyState, "relay/id"))
)

// attr returns an attribute.
func attr(t radius.Type, value string) string { return string(radius.AppendAttribute(nil, t, value)) }

// vsa returns a Vendor-Specific with one attribute of a vendor.
func vsa(vendor uint32, t uint8, value string) string {
	return string(radius.AppendID(nil, radius.ID{Type: radius.VendorSpecific, Vendor: vendor, VendorType: t}, value))
}

// accessRequest returns an Access-Request of the NAS with these attributes, which may have a place for a
// Message-Authenticator.
func accessRequest(attrs ...string) radius.Packet {
	b := radius.AppendHeader(nil, radius.CodeAccessRequest, 7)
	copy(b[4:], nasAuthenticator[:])
	b = append(b, strings.Join(attrs, "")...)
	b[2], b[3] = byte(len(b)>>8), byte(len(b))
	p, err := radius.Parse(b)
	if err != nil {
		panic(err)
	}
	return p
}

// messageAuthenticator is a place for one. The relay does not check it: the listener has done that.
var messageAuthenticator = attr(radius.MessageAuthenticator, strings.Repeat("m", 16))

func userPassword(password string, secret radius.Secret, authenticator radius.Authenticator) string {
	b, err := layeh.NewUserPassword([]byte(password), []byte(secret), authenticator[:])
	if err != nil {
		panic(err)
	}
	return attr(radius.UserPassword, string(b))
}

// salted returns the encrypted value of a key or a password of a tunnel.
func salted(plain string, salt uint16, secret radius.Secret, authenticator radius.Authenticator) string {
	b, err := layeh.NewTunnelPassword([]byte(plain), []byte{byte(salt >> 8), byte(salt)}, []byte(secret), authenticator[:])
	if err != nil {
		panic(err)
	}
	return string(b)
}

// forServer rewrites a request.
func forServer(p radius.Packet, up admission.Upstream) (radius.Packet, error) {
	var o outgoing
	if err := o.plan(p, radius.Standard(), ourProxyState); err != nil {
		return radius.Packet{}, err
	}
	if err := o.add(up, p.Authenticator()); err != nil {
		return radius.Packet{}, err
	}
	b, authenticator := o.append(nil, 99, radius.Protection{Secret: nasSecret, Request: p.Authenticator()}, serverSecret)
	out, err := radius.Parse(b)
	if err != nil {
		return out, err
	}
	if len(b) != o.len() || out.Identifier() != 99 || out.Authenticator() != authenticator || out.Code() != radius.CodeAccessRequest {
		return out, fmt.Errorf("%d octets, want %d; identifier %d; authenticator %x, not %x", len(b), o.len(), out.Identifier(), out.Authenticator(), authenticator)
	}
	if ok, _ := out.Signed(authenticator, serverSecret, nil); !ok {
		return out, errors.New("wrong Message-Authenticator")
	}
	if radius.Type(out.Attributes()[0]) != radius.MessageAuthenticator {
		return out, errors.New("the first attribute is no Message-Authenticator")
	}
	return out, nil
}

// withoutSignature returns the attributes behind the Message-Authenticator.
func withoutSignature(p radius.Packet) string { return string(p.Attributes()[18:]) }

func TestRequest(t *testing.T) {
	user, state := attr(radius.UserName, "bob"), attr(radius.State, "st\x00ate")
	eap := attr(radius.EAPMessage, "\x02\x01\x00\x05\x04") + attr(radius.EAPMessage, "more")
	theirs := attr(radius.ProxyState, "a") + attr(radius.ProxyState, "") // of two proxies
	chap := attr(radius.CHAPPassword, strings.Repeat("c", 17))
	for _, tt := range []struct {
		name string
		in   []string
		up   admission.Upstream
		want []string // behind the Message-Authenticator and before our Proxy-State
	}{
		{name: "no attributes"},
		{"EAP", []string{user, messageAuthenticator, eap, state}, admission.Upstream{}, []string{user, eap, state}},
		{"Message-Authenticator at the end", []string{user, eap, messageAuthenticator}, admission.Upstream{}, []string{user, eap}},
		{"Message-Authenticator alone", []string{messageAuthenticator}, admission.Upstream{}, nil},
		{"Proxy-States of others", []string{theirs, user, theirs}, admission.Upstream{}, []string{theirs, user, theirs}},
		{"an attribute of each type that nobody knows", []string{attr(251, ""), attr(0, "x"), vsa(99999, 1, "v")}, admission.Upstream{}, []string{attr(251, ""), attr(0, "x"), vsa(99999, 1, "v")}},
		{"CHAP with its challenge", []string{chap, attr(radius.CHAPChallenge, "challenge")}, admission.Upstream{}, []string{chap, attr(radius.CHAPChallenge, "challenge")}},
		{"CHAP without challenge", []string{chap, user}, admission.Upstream{}, []string{chap, user, attr(radius.CHAPChallenge, string(nasAuthenticator[:]))}},
		{"MS-CHAP", []string{vsa(311, 11, "challenge"), vsa(311, 25, "response")}, admission.Upstream{}, []string{vsa(311, 11, "challenge"), vsa(311, 25, "response")}},
		{
			"an Acct-Session-Id of ours",
			[]string{user, attr(radius.AcctSessionID, "theirs"), state, messageAuthenticator},
			admission.Upstream{SessionID: "0A000001", Class: []string{"c1", "\x00\xff"}},
			[]string{user, state, attr(radius.AcctSessionID, "0A000001"), attr(radius.Class, "c1"), attr(radius.Class, "\x00\xff")},
		},
		{"the NAS's Acct-Session-Id", []string{attr(radius.AcctSessionID, "theirs"), user}, admission.Upstream{}, []string{attr(radius.AcctSessionID, "theirs"), user}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := forServer(accessRequest(tt.in...), tt.up)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := withoutSignature(out), strings.Join(tt.want, "")+string(ourProxyState[:]); got != want {
				t.Errorf("attributes\n%x, want\n%x", got, want)
			}
		})
	}
}

// TestRequestPassword: the server reads the same password, wherever it is in the packet.
func TestRequestPassword(t *testing.T) {
	user := attr(radius.UserName, "bob")
	for _, password := range []string{"", "secret", strings.Repeat("x", 16), strings.Repeat("y", 128)} {
		encrypted := userPassword(password, nasSecret, nasAuthenticator)
		for name, in := range map[string][]string{
			"alone":               {encrypted},
			"behind a signature":  {messageAuthenticator, user, encrypted},
			"before a signature":  {encrypted, user, messageAuthenticator},
			"between others":      {user, encrypted, user},
			"with a session's id": {attr(radius.AcctSessionID, "1"), encrypted, attr(radius.AcctSessionID, "2")},
		} {
			t.Run(fmt.Sprint(len(password), " octets ", name), func(t *testing.T) {
				out, err := forServer(accessRequest(in...), admission.Upstream{SessionID: "3"})
				if err != nil {
					t.Fatal(err)
				}
				value, ok := radius.Attributes(out.Attributes()).Get(radius.UserPassword)
				authenticator := out.Authenticator()
				got, err := layeh.UserPassword([]byte(value), []byte(serverSecret), authenticator[:])
				if !ok || err != nil || string(got) != password {
					t.Errorf("password %q, %v, want %q", got, err, password)
				}
			})
		}
	}
}

// TestRequestPasswordTwice: whatever is encrypted twice is moved twice.
func TestRequestPasswordTwice(t *testing.T) {
	out, err := forServer(accessRequest(userPassword("one", nasSecret, nasAuthenticator), userPassword("two", nasSecret, nasAuthenticator)), admission.Upstream{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	authenticator := out.Authenticator()
	for typ, value := range radius.Attributes(out.Attributes()).All() {
		if typ == radius.UserPassword {
			password, err := layeh.UserPassword([]byte(value), []byte(serverSecret), authenticator[:])
			got = append(got, string(password), fmt.Sprint(err))
		}
	}
	if want := []string{"one", "<nil>", "two", "<nil>"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRequestSize: our Proxy-State gives way; what does not fit then is dropped.
func TestRequestSize(t *testing.T) {
	fill := func(n int) []string { // attributes of n octets in total
		var in []string
		for n > 0 {
			size := min(n, 255)
			if n-size == 1 {
				size--
			}
			in = append(in, attr(radius.ProxyState, strings.Repeat("p", size-2)))
			n -= size
		}
		return in
	}
	room := radius.MaxPacket - radius.HeaderLen
	for _, tt := range []struct {
		name  string
		in    []string
		proxy bool
		want  error
	}{
		{"room for all", fill(room - 18 - len(ourProxyState)), true, nil},
		{"no room for our Proxy-State", fill(room - 18 - len(ourProxyState) + 1), false, nil},
		{"exactly full", fill(room - 18), false, nil},
		{"4096 octets with a Message-Authenticator", append(fill(room-18), messageAuthenticator), false, nil},
		{"4096 octets without one", fill(room), false, errLarge},
		{"no room for a challenge", append(fill(room-18-19-17), attr(radius.CHAPPassword, strings.Repeat("c", 17))), false, errLarge},
		{"fifty Proxy-States of 200 octets do not fit in a packet, nineteen do", fill(19 * 202), true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := forServer(accessRequest(tt.in...), admission.Upstream{})
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err == nil && bytes.HasSuffix(out.Attributes(), ourProxyState[:]) != tt.proxy {
				t.Errorf("our Proxy-State: %v, want %v", !tt.proxy, tt.proxy)
			}
		})
	}
}

func TestRequestDropped(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []string
		want string
	}{
		{"a password of 15 octets", []string{attr(radius.UserPassword, strings.Repeat("p", 15))}, "User-Password: the length of an encrypted value is wrong"},
		{"a password of 144 octets", []string{attr(radius.UserPassword, strings.Repeat("p", 144))}, "User-Password: the length of an encrypted value is wrong"},
		{"our own Proxy-State", []string{attr(radius.ProxyState, "x"), string(ourProxyState[:])}, errLoop.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := forServer(accessRequest(tt.in...), admission.Upstream{}); fmt.Sprint(err) != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// serverAuthenticator is that of our request, for answers.
var serverAuthenticator = radius.Authenticator([]byte("ABCDEFGHIJKLMNOP"))

// appendAnswer appends an answer of the server for the NAS.
func appendAnswer(b, attrs []byte) ([]byte, error) {
	crypt := answerCrypt
	return crypt.AppendAnswer(b, attrs, radius.Standard())
}

// answerCrypt is for answers from the server to the NAS.
var answerCrypt = radius.Recrypter{
	From: radius.Protection{Secret: serverSecret, Request: serverAuthenticator},
	To:   radius.Protection{Secret: nasSecret, Request: nasAuthenticator},
}

// forNAS rewrites the attributes of an answer.
func forNAS(attrs ...string) (string, error) {
	b, err := appendAnswer(nil, []byte(strings.Join(attrs, "")))
	return string(b), err
}

func TestAnswer(t *testing.T) {
	send := salted(strings.Repeat("S", 32), 0x8001, serverSecret, serverAuthenticator)
	recv := salted(strings.Repeat("R", 32), 0x8002, serverSecret, serverAuthenticator)
	tunnel := salted("tunnel", 0x8003, serverSecret, serverAuthenticator)
	class := attr(radius.Class, "\x00binary\xff")
	got, err := forNAS(
		messageAuthenticator, class, vsa(311, 16, send), vsa(311, 17, recv), attr(radius.ProxyState, "of somebody"),
		attr(radius.TunnelPassword, "\x01"+tunnel), attr(radius.TunnelPassword, "\x02"+tunnel), class, attr(radius.EAPMessage, "\x03\x01\x00\x04"),
	)
	if err != nil {
		t.Fatal(err)
	}
	var types []radius.Type
	var plain []string
	salts := map[string]bool{}
	for typ, value := range radius.Attributes(got).All() {
		types = append(types, typ)
		switch typ {
		case radius.VendorSpecific:
			value = value[6:]
		case radius.TunnelPassword:
			plain = append(plain, value[:1])
			value = value[1:]
		default:
			continue
		}
		p, salt, err := layeh.TunnelPassword([]byte(value), []byte(nasSecret), nasAuthenticator[:])
		if err != nil {
			t.Fatal(err)
		}
		plain = append(plain, string(p))
		salts[string(salt)] = true
	}
	want := []radius.Type{radius.Class, radius.VendorSpecific, radius.VendorSpecific, radius.TunnelPassword, radius.TunnelPassword, radius.Class, radius.EAPMessage}
	if !slices.Equal(types, want) {
		t.Errorf("types %v, want %v", types, want)
	}
	if want := []string{strings.Repeat("S", 32), strings.Repeat("R", 32), "\x01", "tunnel", "\x02", "tunnel"}; !slices.Equal(plain, want) {
		t.Errorf("plain text %q, want %q", plain, want)
	}
	if len(salts) != 4 {
		t.Errorf("%d salts for four values", len(salts))
	}
	if strings.Count(got, class) != 2 {
		t.Errorf("Class has changed: %x", got)
	}
}

func TestAnswerDropped(t *testing.T) {
	for _, tt := range []struct{ name, attr, want string }{
		{"a key of a wrong length", vsa(311, 16, "\x80\x01short"), "Vendor-Specific: the length of an encrypted value is wrong"},
		{"a tunnel password without tag", attr(radius.TunnelPassword, salted("t", 0x8001, serverSecret, serverAuthenticator)), "Tunnel-Password: the length of an encrypted value is wrong"},
		{"a key of another server", vsa(311, 16, salted("k", 0x8001, "wrong", serverAuthenticator)), "Vendor-Specific: cannot be decrypted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := forNAS(tt.attr); fmt.Sprint(err) != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestGoldenAnswer moves an Access-Accept with keys and a password of a tunnel. Both sides were made
// by a Python program, from RFC 2868 section 3.5 and RFC 2548 section 2.4.2.
func TestGoldenAnswer(t *testing.T) {
	const (
		fromServer = "0105626f62" + // User-Name = bob
			"1a3a000001371034c001247639ee1080510f2aa6513480d1238c8ab6fa6981fb790d87041ed729069bc29de63d95b3e994f91d8254a3185f493e" +
			"1a3a000001371134c002d6a3ba5c7ffbd416f7dc8725966906c10cc7dfce095c5bc192d07f4aa7e988a53ed8ec3a0672e0d34fcf09051a013ef8" +
			"451501c0031f511d734feb87a5cd3872a8c87585bd" + // Tunnel-Password:1 = tunnel
			"190400ff" // Class
		toNAS = "0105626f62" +
			"1a3a000001371034800047d02246da342e3493ce1335d399ec50b1d7ab6c35c0cffb2640a25c46cbeef66df2ac04865d957028bac0e7ab765689" +
			"1a3a0000013711348001dd45e7e75acc361e2a8d29693dbb9d593a9d12299b425928368279b205999d9386147f93c987dd83c68825ac67ceb98a" +
			"45150180021b48e07e355c78c6817df1b8d84c2c25" +
			"190400ff"
	)
	attrs, err := hex.DecodeString(fromServer)
	if err != nil {
		t.Fatal(err)
	}
	crypt := answerCrypt
	crypt.Salt = 0x8000
	if got, err := crypt.AppendAnswer(nil, attrs, radius.Standard()); err != nil || hex.EncodeToString(got) != toNAS {
		t.Errorf("%x, %v, want\n%s", got, err, toNAS)
	}
}

// TestRequestProperties: for any attributes, the server gets the same plain text, and all else octet for
// octet in order.
func TestRequestProperties(t *testing.T) {
	rnd := rand.New(rand.NewPCG(16, 1))
	for n := range 2000 {
		var in, want []string
		for range rnd.IntN(12) {
			a := attr(radius.Type(rnd.IntN(256)), strings.Repeat(string(rune('a'+rnd.IntN(26))), 16*rnd.IntN(4)))
			switch radius.Type(a[0]) {
			case radius.MessageAuthenticator, radius.UserPassword, radius.TunnelPassword, radius.CHAPPassword, radius.VendorSpecific:
				continue
			}
			in, want = append(in, a), append(want, a)
		}
		password := strings.Repeat("p", 1+rnd.IntN(128))
		at := rnd.IntN(len(in) + 1)
		in = slices.Insert(in, at, userPassword(password, nasSecret, nasAuthenticator))
		in = slices.Insert(in, rnd.IntN(len(in)+1), messageAuthenticator)
		out, err := forServer(accessRequest(in...), admission.Upstream{})
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		want = slices.Insert(want, at, userPassword(password, serverSecret, out.Authenticator()))
		if got := withoutSignature(out); got != strings.Join(want, "")+string(ourProxyState[:]) {
			t.Fatalf("%d: attributes\n%x, want\n%x", n, got, want)
		}
	}
}

// FuzzRequest: no request makes a packet that is not well formed, too large or wrongly signed.
func FuzzRequest(f *testing.F) {
	f.Add(string(accessRequest(messageAuthenticator, userPassword("p", nasSecret, nasAuthenticator)).Octets()), "", "")
	f.Add(string(accessRequest(attr(radius.CHAPPassword, "12345678901234567"), attr(radius.AcctSessionID, "1")).Octets()), "id", "class")
	f.Add(string(accessRequest(vsa(311, 16, strings.Repeat("k", 18)), attr(radius.VendorSpecific, "\x00\x00\x01\x37\x10")).Octets()), "id", "")
	f.Fuzz(func(t *testing.T, packet, id, class string) {
		p, err := radius.Parse([]byte(packet))
		if err != nil {
			return
		}
		if _, err := forServer(p, admission.Upstream{SessionID: id, Class: []string{class}}); err != nil && !dropReason(err) {
			t.Error(err)
		}
	})
}

// dropReason reports whether an error is a reason to drop a packet.
func dropReason(err error) bool {
	var malformed *radius.MalformedError
	return errors.Is(err, errLarge) || errors.Is(err, errLoop) || errors.As(err, &malformed)
}

// FuzzAnswer: no answer of a server makes attributes that are not well formed.
func FuzzAnswer(f *testing.F) {
	key := salted("key", 0x8001, serverSecret, serverAuthenticator)
	f.Add(vsa(311, 16, key) + attr(radius.TunnelPassword, "\x01"+key))
	f.Add(messageAuthenticator + attr(radius.ProxyState, "x"))
	f.Add(attr(radius.VendorSpecific, "\x00\x00\x01\x37\x10\x02\x11\xff"))
	f.Fuzz(func(t *testing.T, attrs string) {
		if !radius.Attributes(attrs).Valid() || len(attrs) > radius.MaxPacket-radius.HeaderLen {
			return
		}
		out, err := forNAS(attrs)
		switch {
		case err != nil && !dropReason(err):
			t.Error(err)
		case err == nil && (!radius.Attributes(out).Valid() || len(out) > len(attrs)):
			t.Errorf("%x", out)
		}
	})
}
