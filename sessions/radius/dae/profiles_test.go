package dae

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"

	layeh "layeh.com/radius"
)

// bngSession is a session of a broadband NAS that reports everything that a profile may send.
func bngSession() *sessions.Session {
	attrs := attr(radius.UserName, "bob@isp") + num(radius.NASIPAddress, 0xc0000201) + attr(radius.NASIdentifier, "bng-1") +
		num(radius.NASPort, 7) + attr(radius.NASPortID, "ge-1/0/0:100") + num(radius.FramedIPAddress, 0x0a000005) +
		attr(radius.CallingStationID, "02:00:00:00:00:05") + attr(radius.AcctSessionID, "000000A1") +
		attr(radius.Class, "one") + attr(radius.AcctMultiSessionID, "58A9C1F2")
	return &sessions.Session{
		ID: 14, Kind: sessions.Network, NAS: &sessions.NAS{Addr: netip.MustParseAddr("127.0.0.2"), Identifier: "bng-1"},
		Attrs: radius.Attributes(attrs),
	}
}

// TestProfileOctets compares the first request of each profile octet for octet, without its
// authenticators, and its port.
func TestProfileOctets(t *testing.T) {
	const (
		user      = "0109" + "626f6240697370" // bob@isp
		address   = "0406" + "c0000201"
		framed    = "0806" + "0a000005"
		calling   = "1f13" + "30323a30303a30303a30303a30303a3035"
		nasID     = "2007" + "626e672d31" // bng-1
		sessionID = "2c0a" + "3030303030304131"
		timestamp = "3706" + "65536140"
		signature = "5012" + "00000000000000000000000000000000"
	)
	tests := []struct {
		profile string
		port    uint16
		want    string // code, identifier and length, then the attributes
	}{
		{"generic", 3799, "284d005f" + user + address + nasID + calling + sessionID + timestamp + signature},
		{"hostapd", 3799, "284d0056" + address + nasID + calling + sessionID + timestamp + signature},
		{"strongswan", 3799, "284d002f" + user + signature},
		{"accel-ppp", 3799, "284d0034" + user + address + nasID + sessionID},
		{"mikrotik", 3799, "284d0045" + user + address + framed + sessionID + signature},
		{"cisco", 1700, "284d005e" + user + address + framed + calling + sessionID + timestamp + signature},
		{"juniper", 3799, "284d0027" + user + sessionID},
		{"huawei", 3799, "284d0033" + user + address + framed + sessionID},
	}
	for _, tt := range tests {
		t.Run(tt.profile, func(t *testing.T) {
			c, err := newClient(nasradius.Client{Secret: captured.Secret, DisconnectSecret: captured.Secret, Dictionary: radius.Standard(), DisconnectProfile: tt.profile}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			b, err := c.profile.request(disconnect, 77, bngSession(), noon, captured.Secret)
			if err != nil {
				t.Fatal(err)
			}
			if !layeh.IsAuthenticRequest(b, []byte(captured.Secret)) {
				t.Error("the Request Authenticator is wrong")
			}
			got := append(append([]byte{}, b[:4]...), b[radius.HeaderLen:]...)
			if strings.HasSuffix(tt.want, signature) {
				clear(got[len(got)-radius.AuthLen:])
			}
			if fmt.Sprintf("%x", got) != tt.want || c.DisconnectPort != tt.port {
				t.Errorf("port %d, want %d\ngot  %x\nwant %s", c.DisconnectPort, tt.port, got, tt.want)
			}
		})
	}
	if len(tests) != len(nasProfiles)-1 {
		t.Errorf("%d profiles, %d are tested", len(nasProfiles)-1, len(tests))
	}
}

// nasModel answers a Disconnect-Request for a session as a kind of NAS does.
type nasModel func(s *sessions.Session, request radius.Attributes) radius.ErrorCause

// refusing is a NAS that refuses attributes which it does not know, and requires that all others match.
// It needs some of them.
func refusing(known, needed []radius.Type) nasModel {
	return func(s *sessions.Session, request radius.Attributes) radius.ErrorCause {
		for t, value := range request.All() {
			own, reported := s.Attrs.Get(t)
			switch {
			case !slices.Contains(known, t):
				return radius.UnsupportedAttribute
			case t == radius.EventTimestamp || t == radius.MessageAuthenticator:
			case !reported || own != value:
				return radius.SessionContextNotFound
			}
		}
		for _, t := range needed {
			_, reported := s.Attrs.Get(t)
			if _, sent := request.Get(t); reported && !sent {
				return radius.MissingAttribute
			}
		}
		return 0
	}
}

// models are NASes as the lab (hostapd, strongSwan), the source (accel-ppp) or the manuals describe them.
var models = map[string]nasModel{
	"hostapd": refusing([]radius.Type{ // radius_das.c
		radius.UserName, radius.NASIPAddress, radius.CallingStationID, radius.NASIdentifier, radius.AcctSessionID, radius.AcctMultiSessionID,
		radius.EventTimestamp, radius.MessageAuthenticator, radius.ChargeableUserIdentity, radius.NASIPv6Address,
	}, nil),
	"strongswan": func(s *sessions.Session, request radius.Attributes) radius.ErrorCause {
		if request.Text(radius.UserName) != s.Attrs.Text(radius.UserName) {
			return radius.SessionContextNotFound
		}
		return 0
	},
	"accel-ppp": refusing([]radius.Type{
		radius.UserName, radius.NASIPAddress, radius.NASIdentifier, radius.AcctSessionID, radius.NASPort, radius.NASPortID,
		radius.FramedIPAddress, radius.CallingStationID,
	}, []radius.Type{radius.AcctSessionID}),
	"juniper": refusing([]radius.Type{radius.UserName, radius.AcctSessionID, radius.AcctMultiSessionID}, []radius.Type{radius.AcctSessionID}),
	"cisco": refusing([]radius.Type{ // "aaa pod server auth-type all"
		radius.UserName, radius.NASIPAddress, radius.FramedIPAddress, radius.CallingStationID, radius.AcctSessionID, radius.EventTimestamp,
		radius.MessageAuthenticator,
	}, []radius.Type{radius.UserName, radius.FramedIPAddress, radius.AcctSessionID}),
	"mikrotik": refusing([]radius.Type{
		radius.UserName, radius.NASIPAddress, radius.FramedIPAddress, radius.AcctSessionID, radius.MessageAuthenticator,
	}, []radius.Type{radius.FramedIPAddress}),
}

// TestProfileIsNotRefused: whatever a NAS has reported of a session, the first request of its profile
// ends it. Other profiles of the same NAS may be refused: the models tell them apart.
func TestProfileIsNotRefused(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 1))
	optional := []radius.Type{
		radius.NASIPAddress, radius.NASIdentifier, radius.NASPort, radius.NASPortID, radius.FramedIPAddress, radius.CallingStationID,
		radius.Class, radius.AcctMultiSessionID, radius.ChargeableUserIdentity, radius.CalledStationID,
	}
	refusals := map[string]int{}
	for range 2000 {
		attrs := attr(radius.UserName, fmt.Sprint("user", random.IntN(100))) + attr(radius.AcctSessionID, fmt.Sprintf("%08X", random.Uint32()))
		for _, typ := range optional {
			if random.IntN(2) == 0 {
				attrs += num(typ, random.Uint32N(0xffffff00))
			}
		}
		s := bngSession()
		s.Attrs = radius.Attributes(attrs)
		for i := range nasProfiles[:len(nasProfiles)-1] {
			p, err := newProfile(radius.Standard(), nasProfiles[i].attributes)
			if err != nil {
				t.Fatal(err)
			}
			b, err := p.request(disconnect, 1, s, noon, captured.Secret)
			if err != nil {
				t.Fatal(err)
			}
			for name, answer := range models {
				cause := answer(s, radius.Attributes(b[radius.HeaderLen:]))
				if cause != 0 && name == nasProfiles[i].name {
					t.Fatalf("%s refuses its own profile with %v: %q", name, cause, attributesOf(t, b))
				}
				if cause != 0 {
					refusals[name]++
				}
			}
		}
	}
	for _, name := range []string{"hostapd", "accel-ppp", "juniper", "cisco", "mikrotik"} {
		if refusals[name] == 0 {
			t.Errorf("the model of %s refuses nothing", name)
		}
	}
}

// TestFittingProfile: when a NAS has ended a session after another request than that of its profile,
// the log says so, once, with the attributes that it took and the profiles that would have been right.
func TestFittingProfile(t *testing.T) {
	tests := []struct {
		name, profile, nas string
		fitting            string // in the log; "": no line
	}{
		{"the profile is right", "hostapd", "hostapd", ""},
		{"generic is right too", "generic", "hostapd", ""},
		{"too many attributes: 401", "cisco", "juniper", `attributes="[Acct-Session-Id User-Name]" fitting=[juniper]`},
		{"too many for hostapd", "mikrotik", "hostapd", `fitting=[juniper]`},
		{"too few attributes: 402", "strongswan", "full", `fitting="[generic hostapd accel-ppp mikrotik cisco juniper huawei]"`},
		{"without an address: 402", "generic", "full", `fitting="[mikrotik cisco huawei]"`},
	}
	needsAddress := refusing([]radius.Type{
		radius.UserName, radius.NASIPAddress, radius.NASIdentifier, radius.NASPort, radius.NASPortID, radius.FramedIPAddress, radius.CallingStationID,
		radius.AcctSessionID, radius.AcctMultiSessionID, radius.EventTimestamp, radius.MessageAuthenticator,
	}, []radius.Type{radius.FramedIPAddress})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, model := bngSession(), models[tt.nas]
			if tt.nas == "full" {
				model = needsAddress
			}
			c := local()
			c.DisconnectProfile = tt.profile
			d, _, log := startDisconnector(t, Config{Clients: []nasradius.Client{c}}, func(r radiustest.Request) []byte {
				if cause := model(s, radius.Attributes(r.Data[radius.HeaderLen:])); cause != 0 {
					return radiustest.NAK(uint32(cause))(r)
				}
				return radiustest.ACK(r)
			})
			for range 2 {
				if out := d.Disconnect(t.Context(), firstAttempt(s)); out.Answer != termination.ACK {
					t.Fatal(out)
				}
			}
			lines := strings.Count(log.String(), "NAS took other attributes")
			if tt.fitting == "" && lines != 0 || tt.fitting != "" && (lines != 1 || !strings.Contains(log.String(), tt.fitting) || !strings.Contains(log.String(), "profile="+tt.profile)) {
				t.Errorf("want %s, log:\n%s", tt.fitting, log)
			}
		})
	}
}

// TestProfileOfClient: the client with the longest prefix has the say, its own attributes and port come
// before those of the profile, and a new list of clients changes all that. With none, nothing is sent.
func TestProfileOfClient(t *testing.T) {
	var sent []string
	d, err := newDisconnector(Config{Log: slog.New(slog.DiscardHandler)}, func(b []byte, _ netip.Addr, to netip.AddrPort) error {
		sent = append(sent, fmt.Sprint(to, " ", attributesOf(t, b)[0]))
		return errors.New("not sent")
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(clients ...nasradius.Client) error {
		t.Helper()
		for i := range clients {
			clients[i].Secret, clients[i].Name = "s", fmt.Sprint("c", i)
		}
		if err := d.SetClients(clients); err != nil {
			t.Fatal(err)
		}
		d.Disconnect(context.Background(), firstAttempt(bngSession()))
		return d.CanEnd(bngSession())
	}
	net, host := prefix("127.0.0.0/8"), prefix("127.0.0.2/32")
	canEnd := []error{
		ask(nasradius.Client{Prefix: net}),
		ask(nasradius.Client{Prefix: net, DisconnectProfile: "cisco"}, nasradius.Client{Prefix: host, DisconnectProfile: "hostapd"}),
		ask(nasradius.Client{Prefix: net, DisconnectProfile: "cisco"}),
		ask(nasradius.Client{Prefix: net, DisconnectProfile: "cisco", DisconnectPort: 3799, DisconnectAttributes: []string{"Acct-Session-Id"}}),
		ask(nasradius.Client{Prefix: prefix("192.0.2.0/24"), DisconnectProfile: "none"}), // its own client is gone, and may come back
	}
	for i, err := range canEnd {
		if err != nil {
			t.Errorf("%d: cannot end: %v", i, err)
		}
	}
	none := ask(nasradius.Client{Prefix: net, DisconnectProfile: "none"})
	if want := `dae: client "c0" has disconnect.profile none: nothing can end the session`; !errors.Is(none, termination.ErrNoMeans) || none.Error() != want {
		t.Errorf("error %v, want %s", none, want)
	}
	if out := d.Disconnect(context.Background(), firstAttempt(bngSession())); !errors.Is(out.Err, termination.ErrNoMeans) {
		t.Errorf("outcome %v", out)
	}
	want := []string{
		"127.0.0.2:3799 User-Name=bob@isp", "127.0.0.2:3799 NAS-IP-Address=c0000201", "127.0.0.2:1700 User-Name=bob@isp",
		"127.0.0.2:3799 Acct-Session-Id=000000A1",
	}
	if !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
	if err := d.SetClients([]nasradius.Client{{Prefix: net, Secret: "s", DisconnectProfile: "ios"}}); err == nil || !strings.Contains(err.Error(), `unknown profile "ios", want one of generic, hostapd,`) {
		t.Errorf("error %v", err)
	}
}

// TestReloadDuringDisconnect: a session that the requests of a wrong profile cannot end is ended after a
// reload with the right one. A reload that changes nothing of that forgets nothing.
func TestReloadDuringDisconnect(t *testing.T) {
	c := local()
	c.DisconnectProfile = "mikrotik"
	needsPort := refusing([]radius.Type{radius.AcctSessionID, radius.NASPort}, []radius.Type{radius.NASPort})
	var mu sync.Mutex
	var got []string
	note := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, text)
	}
	d, nas, _ := startDisconnector(t, Config{Clients: []nasradius.Client{c}}, func(r radiustest.Request) []byte {
		cause := needsPort(bngSession(), radius.Attributes(r.Data[radius.HeaderLen:]))
		note(fmt.Sprint(uint32(cause)))
		if cause != 0 {
			return radiustest.NAK(uint32(cause))(r)
		}
		return radiustest.ACK(r)
	})
	a := firstAttempt(bngSession())
	c.DisconnectPort = nas.AddrPort().Port()
	for _, attributes := range [][]string{nil, nil, {"Acct-Session-Id", "NAS-Port"}} {
		c.DisconnectAttributes = attributes
		if err := d.SetClients([]nasradius.Client{c}); err != nil {
			t.Fatal(err)
		}
		note(d.Disconnect(t.Context(), a).String())
	}
	const refused = "NAK 401 (Unsupported-Attribute)"
	if want := []string{"401", "401", refused, "401", refused, "0", "ACK"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestProfileDocs: the table of docs/nas.md has the profiles, their attributes and ports.
func TestProfileDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/nas.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range nasProfiles {
		row := fmt.Sprintf("| `%s` | %s | %d |", p.name, strings.Join(p.attributes, ", "), p.port)
		switch p.name {
		case ProfileGeneric:
			row = strings.Replace(row, "` |", "` (default) |", 1)
		case ProfileNone:
			row = "| `none` | nothing is sent | |"
		}
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/nas.md has no row %s", row)
		}
	}
}
