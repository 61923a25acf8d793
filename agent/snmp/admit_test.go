package snmp

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
	"pgregory.net/rapid"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// at passes a message to the responder at a time of the limiters' clock, and returns the answer, or
// nil.
func (f *fixture) at(now time.Duration, from netip.AddrPort, in []byte) []byte {
	e := f.acquire()
	defer f.release(e)
	e.n, e.from, e.now = copy(e.in[:], in), from, int64(now)
	if e.process() != answered {
		return nil
	}
	return slices.Clone(e.frame.Bytes())
}

// secured returns a GET of testText by noc, helpdesk or guest, as gosnmp encodes it.
func (f *fixture) secured(user string, change ...func(*gosnmp.SnmpPacket, *gosnmp.UsmSecurityParameters)) []byte {
	f.t.Helper()
	var g gosnmp.GoSNMP
	as(user)(&g)
	params := g.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	params.AuthoritativeEngineID, params.AuthoritativeEngineBoots = string(f.cfg.Engine.ID()), 1
	params.PrivacyParameters = []byte("12345678")
	p := request(f.t, "", gosnmp.GetRequest, names(testText.Append(0))...)
	p.Version, p.SecurityModel, p.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, params
	p.MsgFlags, p.MsgID, p.MsgMaxSize, p.ContextEngineID = g.MsgFlags|gosnmp.Reportable, 4712, 65507, params.AuthoritativeEngineID
	for _, c := range change {
		c(p, params)
	}
	if err := params.InitSecurityKeys(); err != nil {
		f.t.Fatal(err)
	}
	return marshal(f.t, p)
}

// sources returns n source addresses in the prefix, beginning with its second address.
func sources(prefix string, n int) []netip.AddrPort {
	out := make([]netip.AddrPort, n)
	a := netip.MustParsePrefix(prefix).Addr()
	for i := range out {
		a = a.Next()
		out[i] = netip.AddrPortFrom(a.Next(), 40000)
	}
	return out
}

// rightRequests returns requests that get a Response: of SNMPv1, of SNMPv2c, and of each user.
func (f *fixture) rightRequests() map[string][]byte {
	get := func(version gosnmp.SnmpVersion) []byte {
		p := request(f.t, "public", gosnmp.GetRequest, names(testText.Append(0))...)
		p.Version = version
		return marshal(f.t, p)
	}
	return map[string][]byte{
		"v1": get(gosnmp.Version1), "v2c": get(gosnmp.Version2c),
		"guest": f.secured("guest"), "helpdesk": f.secured("helpdesk"), "noc": f.secured("noc"),
	}
}

// wrongMessages returns messages that somebody without a community or key can send, and some of a
// manager that has the key but not our time.
func (f *fixture) wrongMessages() map[string][]byte {
	type (
		packet = gosnmp.SnmpPacket
		params = gosnmp.UsmSecurityParameters
	)
	unauthenticated := func(p *packet, u *params) {
		p.MsgFlags, u.AuthenticationProtocol, u.PrivacyProtocol = gosnmp.Reportable, gosnmp.NoAuth, gosnmp.NoPriv
	}
	undefined := marshal(f.t, request(f.t, "public", gosnmp.GetRequest))
	undefined[4] = 7 // the version
	changed := f.secured("noc")
	changed[len(changed)-1] ^= 1
	return map[string][]byte{
		"empty":             {},
		"no BER":            []byte("no message"),
		"undefined version": undefined,
		"cut off":           marshal(f.t, request(f.t, "public", gosnmp.GetRequest))[:20],
		"community":         marshal(f.t, request(f.t, "a wrong one", gosnmp.GetRequest, names(testText.Append(0))...)),
		"community, v1":     marshal(f.t, requestV1(f.t, "a wrong one", gosnmp.GetRequest, names(testText.Append(0))...)),
		"discovery":         discoveryMessage(f.t),
		"unknown user":      openMessage("nobody", f.cfg.Engine.ID(), testText.Append(0), 65507),
		"digest":            f.secured("helpdesk", func(_ *packet, u *params) { u.AuthenticationPassphrase = "another one" }),
		"changed":           changed,
		"level":             f.secured("helpdesk", func(p *packet, u *params) { u.UserName, p.MsgFlags = "guest", gosnmp.AuthNoPriv }),
		"below the level":   f.secured("noc", unauthenticated),
		"large, below the level": f.secured("noc", unauthenticated, func(p *packet, _ *params) {
			p.Variables = names(slices.Repeat([]mib.OID{testText.Append(0)}, 2500)...)
		}),
		"old":         f.secured("helpdesk", func(_ *packet, u *params) { u.AuthoritativeEngineBoots = 7 }),
		"privacy key": f.secured("noc", func(_ *packet, u *params) { u.PrivacyPassphrase = "another one" }),
	}
}

func sortedKeys(m map[string][]byte) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// isResponse reports whether an answer is a Response-PDU, not a report. Its PDU is in clear text.
func isResponse(t testing.TB, out []byte) bool {
	t.Helper()
	var m wire.Message
	var s wire.ScopedPDU
	var p wire.PDU
	if err := m.Parse(out); err != nil {
		t.Fatal(err)
	}
	pdu := m.Data
	if m.Version == wire.Version3 {
		if err := s.Parse(m.Data, false); err != nil {
			t.Fatal(err)
		}
		pdu = s.PDU
	}
	if err := p.ParseType(pdu); err != nil {
		t.Fatal(err)
	}
	return p.Type == wire.Response
}

// TestWrongMessagesCostNothing: whatever wrong messages arrive from the address of a manager, and
// however many, its own requests are answered as long as they keep to their rate.
func TestWrongMessagesCostNothing(t *testing.T) {
	f := newV1Fixture(t)
	right, wrong := f.rightRequests(), f.wrongMessages()
	for name, in := range wrong {
		f.SetLimits(Limits{})
		if out := f.at(0, manager, in); out != nil && name != "below the level" && name != "large, below the level" && isResponse(t, out) {
			t.Errorf("%s: gets a response", name)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.IntRange(1, 5).Draw(t, "requests")
		f.limiters = newLimiters(Limits{
			Requests: perSecond, Failures: rapid.IntRange(1, 3).Draw(t, "failures"),
			ResponseOctets: 1000 * perSecond, TotalResponseOctets: 1000 * perSecond,
		})
		interval := time.Second / time.Duration(perSecond)
		for i := range time.Duration(rapid.IntRange(1, 30).Draw(t, "rounds")) {
			for range rapid.IntRange(0, 20).Draw(t, "wrong ones") {
				f.at(i*interval, manager, wrong[rapid.SampledFrom(sortedKeys(wrong)).Draw(t, "wrong")])
			}
			name := rapid.SampledFrom(sortedKeys(right)).Draw(t, "right")
			out := f.at(i*interval, manager, right[name])
			if out == nil {
				t.Fatalf("%s at %v: no answer", name, i*interval)
			}
			if name != "noc" && !isResponse(f.t, out) { // the answer to noc is encrypted
				t.Fatalf("%s at %v: no response but %x", name, i*interval, out)
			}
		}
	})
}

// TestSendersApart: messages that prove less take nothing from those that prove more, and the other
// way round.
func TestSendersApart(t *testing.T) {
	f := newV1Fixture(t)
	right, wrong := f.rightRequests(), f.wrongMessages()
	tests := []struct {
		name        string
		flood, then []byte
	}{
		{"a community, then a digest", right["v2c"], right["helpdesk"]},
		{"a user without authentication, then a digest", right["guest"], right["noc"]},
		{"a digest, then a community", right["noc"], right["v1"]},
		{"discovery, then a manager without our time", wrong["discovery"], wrong["old"]},
		{"discovery, then a wrong privacy key", wrong["discovery"], wrong["privacy key"]},
		{"a manager without our time, then discovery", wrong["old"], wrong["discovery"]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.limiters = newLimiters(Limits{Requests: 10, Failures: 10})
			before := f.Stats()
			for i := range 30 {
				if got := f.at(0, manager, tt.flood) != nil; got != (i < 10) {
					t.Fatalf("message %d of the flood: answered %t", i+1, got)
				}
			}
			if now := f.Stats(); now.OverRequests+now.OverFailures-before.OverRequests-before.OverFailures != 20 {
				t.Errorf("dropped: %d requests, %d failures", now.OverRequests-before.OverRequests, now.OverFailures-before.OverFailures)
			}
			if f.at(0, manager, tt.then) == nil {
				t.Error("no answer to the other message")
			}
		})
	}
}

// TestTotalResponseOctets: forged sources, each within its own limit, get no more octets together
// than the total. Authenticated users are not affected.
func TestTotalResponseOctets(t *testing.T) {
	var log bytes.Buffer
	f := newV1Fixture(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	f.numbers.text = strings.Repeat("x", 10_000)
	right := f.rightRequests()
	forged := sources("192.0.2.0/24", 20)
	for _, name := range []string{"v1", "v2c", "guest"} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			f.limiters = newLimiters(Limits{TotalResponseOctets: 20_000})
			const want = 6 // in MaxMessageSize octets, the burst
			before, got := f.Stats(), 0
			for _, from := range forged {
				if f.at(0, from, right[name]) != nil {
					got++
				}
			}
			s := f.Stats()
			if dropped := s.OverTotalResponseOctets - before.OverTotalResponseOctets; got != want || dropped != 20-want || s.OverResponseOctets != before.OverResponseOctets {
				t.Errorf("%d of 20 are answered, %d dropped", got, dropped)
			}
			if s.OutGetResponses-before.OutGetResponses != want {
				t.Errorf("%d answers are counted", s.OutGetResponses-before.OutGetResponses)
			}
			if first := fmt.Sprintf(`"snmp: message dropped, limit exceeded" from=%v suppressed=0 limit=total-response-octets`, forged[want]); name == "v1" && !strings.Contains(log.String(), first) {
				t.Errorf("the log does not say %s:\n%s", first, log.String())
			}
			for _, user := range []string{"helpdesk", "noc"} {
				if f.at(0, manager, right[user]) == nil {
					t.Errorf("%s is not answered", user)
				}
			}
			if f.at(0, manager, right[name]) != nil || f.at(time.Second, manager, right[name]) == nil {
				t.Error("not answered again after a second, or before")
			}
			f.SetLimits(Limits{})
			for range 2 * want {
				if f.at(time.Second, manager, right[name]) == nil {
					t.Fatal("no answer without limits")
				}
			}
		})
	}
	t.Run("answers to unknown senders", func(t *testing.T) {
		f.limiters = newLimiters(Limits{ResponseOctets: 1, TotalResponseOctets: 1})
		large := f.wrongMessages()["large, below the level"]
		for range 3 { // twice the burst
			if out := f.at(0, manager, large); len(out) < 40_000 {
				t.Errorf("an answer of %d octets", len(out))
			}
		}
		if f.at(0, manager, right["v2c"]) == nil {
			t.Error("no answer to the manager: they have taken its octets")
		}
	})
	t.Run("a source above its own limit", func(t *testing.T) {
		f.limiters = newLimiters(Limits{ResponseOctets: 1000, TotalResponseOctets: 200_000})
		got := 0
		for _, from := range forged {
			for range 100 {
				if f.at(0, from, right["v2c"]) != nil {
					got++
				}
			}
		}
		if got != 19 {
			t.Errorf("%d answers, want the 19 that the total has", got)
		}
	})
}

// TestForgedSourcesHideNoManager: forged sources get no line of the log that a sender needs who has
// proved more.
func TestForgedSourcesHideNoManager(t *testing.T) {
	var log bytes.Buffer
	f := newV1Fixture(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	wrong := f.wrongMessages()
	garbled := marshal(t, request(t, "public", gosnmp.GetRequest, names(testText.Append(0))...))
	garbled[len(garbled)-1] = 9 // the length of the value
	foreign := append(sources("203.0.113.0/24", 50), sources("2001:db8::/32", 50)...)
	inside := sources("192.0.2.0/24", 100)
	says := func(want string) {
		t.Helper()
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
		log.Reset()
	}
	flood := func(from []netip.AddrPort, names ...string) {
		for _, a := range from {
			for _, n := range names {
				f.at(0, a, wrong[n])
			}
		}
	}
	host := parseAddr(t, "192.0.2.200:161")

	flood(foreign, "community", "no BER", "digest")
	log.Reset()
	f.at(0, host, wrong["community"])
	says(`"snmp: message dropped, unknown community, source address or version" from=192.0.2.200:161 suppressed=0`)
	f.at(0, host, wrong["no BER"])
	says(`"snmp: malformed message dropped" from=192.0.2.200:161 suppressed=0`)
	f.at(0, host, wrong["digest"])
	says(`"snmp: message rejected, authentication or privacy failed" from=192.0.2.200:161 suppressed=0 user=helpdesk`)

	flood(append(inside, host), "no BER", "digest", "changed")
	log.Reset()
	f.at(0, host, garbled)
	says(`"snmp: malformed message dropped" from=192.0.2.200:161 suppressed=0`)
	f.at(0, host, wrong["privacy key"])
	says(`"snmp: message rejected, authentication or privacy failed" from=192.0.2.200:161 suppressed=0 user=noc`)
}
