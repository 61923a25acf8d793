package relay

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/sessions/admission"
)

// two are two groups; the list default has both.
var two = map[string][]string{"one": {"a"}, "two": {"b"}}

func bothInDefault(cfg *Config) { cfg.Lists[DefaultList] = []string{"one", "two"} }

func TestLists(t *testing.T) {
	inBubble(t, two, func(cfg *Config) {
		cfg.Lists[DefaultList] = []string{"one"}
		cfg.Lists["nobody"] = nil
		cfg.Apply = map[string]string{"campus": "two", "guests": "nobody"}
	}, func(r *rig) {
		r.want(r.login("unnamed", "u"), "Access-Accept")
		r.want(r.login("campus", "v"), "Access-Accept")
		r.want(r.login("guests", "w"), errNoList.Error())
		if got := fmt.Sprint(r.byName["a"].users(), r.byName["b"].users()); got != "[u] [v]" {
			t.Errorf("servers got %s", got)
		}
	})
	inBubble(t, two, nil, func(r *rig) {
		r.want(r.login("x", "u"), errNoList.Error())
		if err := r.Accepting(); err != nil {
			t.Error(err) // other clients have a list
		}
	})
}

// TestNextMethod: it gets the request only if the one before does not respond (R42).
func TestNextMethod(t *testing.T) {
	inBubble(t, two, bothInDefault, func(r *rig) {
		r.byName["a"].setAnswer(rejectAll)
		r.want(r.login("", "rejected"), "Access-Reject")

		time.Sleep(time.Second)
		r.byName["a"].setAnswer(silent)
		l := r.login("", "patient")
		r.want(l, "waits")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.want(l, "Access-Accept")
		if l.at != 5*time.Second {
			t.Errorf("answered at %v, want 5s", l.at)
		}
		if got := r.byName["b"].users(); !slices.Equal(got, []string{"patient"}) {
			t.Errorf("the second group got %v", got)
		}
		// The only server of the first group is dead now.
		r.want(r.login("", "skipped"), "Access-Accept")
		if s := r.Stats().Groups[0]; s.Skipped != 1 || s.Silent != 1 || s.Answers != 1 {
			t.Errorf("%+v", s)
		}

		r.byName["b"].setAnswer(silent)
		l = r.login("", "nobody answers")
		time.Sleep(time.Minute)
		synctest.Wait()
		r.want(l, errNoResponse.Error())
	})
}

// TestRetransmission: the server gets the identical octets again (RFC 5080 section 2.2.1), another
// server a request of its own.
func TestRetransmission(t *testing.T) {
	inBubble(t, map[string][]string{DefaultList: {"a", "b"}}, nil, func(r *rig) {
		r.byName["a"].setAnswer(silent)
		l := r.login("", "u", userPassword("secret", nasSecret, nasAuthenticator))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.want(l, "Access-Accept")
		a, b := r.byName["a"].arrivals, r.byName["b"].arrivals
		if len(a) != 2 || string(a[0].Octets()) != string(a[1].Octets()) {
			t.Errorf("the first server got %x", a)
		}
		if len(b) != 1 || b[0].Authenticator() == a[0].Authenticator() {
			t.Errorf("the second server got %x", b)
		}
	})
}

// TestAcceptOrder: the Admissions hear of an Accept before the NAS.
func TestAcceptOrder(t *testing.T) {
	heard := &records{answer: admission.Upstream{SessionID: "0A0000010000002A", Class: []string{"call"}}}
	inBubble(t, map[string][]string{DefaultList: {"a"}}, func(cfg *Config) { cfg.Admissions = heard }, func(r *rig) {
		heard.events = r.events
		r.byName["a"].setAnswer(func(p radius.Packet) (radius.Code, string, bool) {
			key := vsa(311, 16, salted("key", 0x8001, serverSecret, p.Authenticator()))
			return radius.CodeAccessAccept, attr(radius.Class, "c") + key + attr(radius.EAPMessage, "e") + attr(radius.ReplyMessage, "hello"), true
		})
		l := r.login("", "u", userPassword("secret", nasSecret, nasAuthenticator), attr(radius.CallingStationID, "station"), attr(radius.ProxyState, "p"))
		if got := r.events.String(); got != "admitted; Access-Accept to u" {
			t.Errorf("events %s", got)
		}
		asked := heard.asked[0].Attrs
		if asked.Text(radius.UserName) != "u" || asked.Text(radius.CallingStationID) != "station" {
			t.Errorf("asked with %x", asked)
		}
		if got := heard.accept[0].Text(radius.Class); got != "c" {
			t.Errorf("told Class %q", got)
		}
		if !strings.HasPrefix(l.attrs, attr(radius.Class, "c")) || !strings.Contains(l.attrs, attr(radius.ReplyMessage, "hello")) {
			t.Errorf("the NAS got %x", l.attrs)
		}
		sent := radius.Attributes(r.byName["a"].arrivals[0].Attributes())
		if sent.Text(radius.AcctSessionID) != "0A0000010000002A" || sent.Text(radius.Class) != "call" {
			t.Errorf("the server got %x", sent)
		}
	})
}

// TestRejectWaits: the NAS gets a Reject when its stop record is durable, but waits at most a second.
func TestRejectWaits(t *testing.T) {
	heard := &records{}
	inBubble(t, map[string][]string{DefaultList: {"a"}}, func(cfg *Config) { cfg.Admissions = heard }, func(r *rig) {
		heard.events = r.events
		r.byName["a"].setAnswer(rejectAll)
		r.want(r.login("", "at once"), "Access-Reject")

		heard.hold = true
		l := r.login("", "durable")
		r.want(l, "waits")
		heard.held[0]()
		r.want(l, "Access-Reject")

		l = r.login("", "hangs")
		time.Sleep(time.Second)
		synctest.Wait()
		r.want(l, "Access-Reject")
		if l.at != time.Second {
			t.Errorf("answered after %v, want 1s", l.at)
		}
		heard.held[1]()
		if got, want := r.events.String(), "rejected; Access-Reject to at once; rejected; Access-Reject to durable; rejected; Access-Reject to hangs"; got != want {
			t.Errorf("events %s, want %s", got, want)
		}
		if s := r.Stats(); s.LateRecords != 1 {
			t.Errorf("%d late records, want 1", s.LateRecords)
		}
	})
}

// TestBlocked: a blocked group gets nothing, and the NAS no answer (R63).
func TestBlocked(t *testing.T) {
	inBubble(t, two, func(cfg *Config) {
		bothInDefault(cfg)
		cfg.Apply = map[string]string{"narrow": "one"}
	}, func(r *rig) {
		r.block("one", true)
		r.want(r.login("narrow", "u"), errBlocked.Error())
		r.want(r.login("wide", "v"), "Access-Accept")
		if err := r.Accepting(); err != nil {
			t.Errorf("the other group is not blocked: %v", err)
		}
		r.block("two", true)
		r.want(r.login("wide", "w"), errBlocked.Error())
		if err := r.Accepting(); !errors.Is(err, errBlocked) {
			t.Errorf("%v, want %v", err, errBlocked)
		}
		r.block("one", false)
		r.want(r.login("narrow", "x"), "Access-Accept")
		if got := fmt.Sprint(r.byName["a"].users(), r.byName["b"].users()); got != "[x] [v]" {
			t.Errorf("servers got %s", got)
		}
	})
}

// TestLoop: a server that sends a request back to us as a client gets it once more, not twice.
func TestLoop(t *testing.T) {
	inBubble(t, map[string][]string{DefaultList: {"a"}}, nil, func(r *rig) {
		marks := func() string { // the Proxy-States of the last request that the server got
			var attrs string
			all := r.byName["a"].arrivals
			for typ, value := range radius.Attributes(all[len(all)-1].Attributes()).All() {
				if typ == radius.ProxyState {
					attrs += attr(typ, value)
				}
			}
			return attrs
		}
		r.want(r.login("nas", "u"), "Access-Accept")
		r.want(r.login("server", "u", marks()), "Access-Accept")
		r.want(r.login("server", "u", marks()), errLoop.Error())
		if s := r.Stats(); s.Looped != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestReason: if one group did not respond and the other is blocked, the request had no response.
func TestReason(t *testing.T) {
	inBubble(t, two, bothInDefault, func(r *rig) {
		r.byName["a"].setAnswer(silent)
		r.block("two", true)
		l := r.login("", "u")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.want(l, errNoResponse.Error())
		if s := r.Stats(); s.NoResponse != 1 || s.Blocked != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestBadAnswer: an answer that cannot be rewritten goes to nobody.
func TestBadAnswer(t *testing.T) {
	heard := &records{}
	inBubble(t, map[string][]string{DefaultList: {"a"}}, func(cfg *Config) { cfg.Admissions = heard }, func(r *rig) {
		heard.events = r.events
		r.byName["a"].setAnswer(func(radius.Packet) (radius.Code, string, bool) {
			return radius.CodeAccessAccept, vsa(311, 16, "\x80\x01short"), true
		})
		r.want(r.login("", "u"), "Access-Accept of server a: Vendor-Specific: the length of an encrypted value is wrong")
		if got := r.events.String(); got != "" {
			t.Errorf("events %s", got)
		}
	})
}

// TestWrongCode: other codes are no answers.
func TestWrongCode(t *testing.T) {
	inBubble(t, map[string][]string{DefaultList: {"a"}}, nil, func(r *rig) {
		r.byName["a"].setAnswer(func(radius.Packet) (radius.Code, string, bool) {
			return radius.CodeAccountingResponse, "", true
		})
		l := r.login("", "u")
		r.want(l, "waits")
		time.Sleep(time.Minute)
		synctest.Wait()
		r.want(l, errNoResponse.Error())
	})
}

// TestLimits: 100,000 requests whose server does not answer need bounded memory, and others are
// served.
func TestLimits(t *testing.T) {
	inBubble(t, two, func(cfg *Config) { cfg.Apply = map[string]string{"flood": "one", "office": "two"} }, func(r *rig) {
		r.byName["a"].setAnswer(silent)
		for range 1000 {
			for range 100 {
				r.send("flood", "f")
			}
			if l := r.login("office", "o"); l.String() != "Access-Accept" {
				t.Fatalf("office: %v", l)
			}
			if s := r.Stats(); s.InFlight > client.DefaultMaxInFlight {
				t.Fatalf("%d requests in flight", s.InFlight)
			}
		}
		s := r.Stats()
		if s.Busy != 100_000-client.DefaultMaxInFlight || s.InFlight != client.DefaultMaxInFlight {
			t.Errorf("%+v", s)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := r.Stats(); s.NoResponse != client.DefaultMaxInFlight || s.InFlight != 0 {
			t.Errorf("a minute later: %+v", s)
		}
	})
}

// TestTotalLimits: one group has at most half of the total, in requests and in octets.
func TestTotalLimits(t *testing.T) {
	for _, tt := range []struct {
		name              string
		requests, octets  int
		attrs             string
		wantOne, wantBoth int
	}{
		{"requests", 10, 0, "", 5, 10},
		{"octets", 0, 10_000, strings.Repeat(attr(radius.ProxyState, strings.Repeat("p", 200)), 4), 5, 11},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, map[string][]string{"one": {"a"}, "two": {"b"}, "three": {"c"}}, func(cfg *Config) {
				cfg.Apply = map[string]string{"1": "one", "2": "two", "3": "three"}
				cfg.MaxInFlight, cfg.MaxOctets = tt.requests, tt.octets
			}, func(r *rig) {
				for _, s := range r.byName {
					s.setAnswer(silent)
				}
				for range 20 {
					r.send("1", "u", tt.attrs)
				}
				if s := r.Stats(); s.InFlight != tt.wantOne {
					t.Errorf("one group has %d requests, want %d", s.InFlight, tt.wantOne)
				}
				for range 20 {
					r.send("2", "u", tt.attrs)
				}
				for range 20 {
					r.send("3", "u", tt.attrs)
				}
				if s := r.Stats(); s.InFlight != tt.wantBoth {
					t.Errorf("all groups have %d requests, want %d", s.InFlight, tt.wantBoth)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
			})
		})
	}
}

// TestBusyGroup: a group without room is like one that does not respond.
func TestBusyGroup(t *testing.T) {
	inBubble(t, two, func(cfg *Config) {
		bothInDefault(cfg)
		cfg.MaxInFlight = 4
	}, func(r *rig) {
		r.byName["a"].setAnswer(silent)
		first := []*login{r.login("", "1"), r.login("", "2")}
		r.want(r.login("", "3"), "Access-Accept")
		if got := r.byName["b"].users(); !slices.Equal(got, []string{"3"}) {
			t.Errorf("the second group got %v", got)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, l := range first {
			r.want(l, "Access-Accept")
		}
	})
}

// TestReload: requests in flight on a group that is closed continue with the new one, from the start
// of its schedule.
func TestReload(t *testing.T) {
	inBubble(t, map[string][]string{DefaultList: {"a"}}, nil, func(r *rig) {
		r.byName["a"].setAnswer(silent)
		l := r.login("", "u")
		old := r.groups[DefaultList]
		next := r.addGroup(DefaultList, client.GroupConfig{}, "b")
		if err := r.Reconfigure(Routes{Lists: map[string][]string{DefaultList: {DefaultList}}, Groups: map[string]*client.Group{DefaultList: next}}); err != nil {
			t.Fatal(err)
		}
		r.want(l, "waits")
		_ = old.Close()
		synctest.Wait()
		r.want(l, "Access-Accept")
		if s := r.Stats().Groups[0]; s.Requests != 2 || s.Answers != 1 || s.InFlight != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestReloadKeepsPlace: a request that the first group did not answer does not go there again.
func TestReloadKeepsPlace(t *testing.T) {
	inBubble(t, two, bothInDefault, func(r *rig) {
		reload := func(name, member string) {
			old := r.groups[name]
			r.addGroup(name, client.GroupConfig{HoldDown: -1}, member) // never dead
			if err := r.Reconfigure(Routes{Lists: map[string][]string{DefaultList: {"one", "two"}}, Groups: maps.Clone(r.groups)}); err != nil {
				t.Fatal(err)
			}
			_ = old.Close()
			synctest.Wait()
		}
		reload("one", "a")
		r.byName["a"].setAnswer(silent)
		r.byName["b"].setAnswer(silent)
		l := r.login("", "u")
		time.Sleep(5 * time.Second) // it is with the second group
		synctest.Wait()
		r.byName["a"].setAnswer(rejectAll)
		r.byName["b"].setAnswer(acceptAll)
		reload("two", "b")
		r.want(l, "Access-Accept")
	})
}

// TestClosedGroup: if a group is closed and no other takes its place, its requests are dropped.
func TestClosedGroup(t *testing.T) {
	inBubble(t, map[string][]string{DefaultList: {"a"}}, nil, func(r *rig) {
		r.byName["a"].setAnswer(silent)
		l := r.login("", "u")
		_ = r.groups[DefaultList].Close()
		synctest.Wait()
		r.want(l, errStopping.Error())
		r.want(r.login("", "v"), errStopping.Error())
	})
}

// TestReloadRemoves: without another group, requests in flight are dropped.
func TestReloadRemoves(t *testing.T) {
	inBubble(t, two, bothInDefault, func(r *rig) {
		r.byName["a"].setAnswer(silent)
		r.byName["b"].setAnswer(silent)
		l := r.login("", "u")
		routes := Routes{Lists: map[string][]string{DefaultList: {"two"}}, Groups: map[string]*client.Group{"two": r.groups["two"]}}
		if err := r.Reconfigure(routes); err != nil {
			t.Fatal(err)
		}
		_ = r.groups["one"].Close()
		synctest.Wait()
		r.want(l, "waits") // for the second group
		if err := r.Reconfigure(Routes{}); err != nil {
			t.Fatal(err)
		}
		_ = r.groups["two"].Close()
		synctest.Wait()
		r.want(l, errStopping.Error())
		if err := r.Accepting(); !errors.Is(err, errNoList) {
			t.Errorf("%v, want %v", err, errNoList)
		}
	})
}

func TestReconfigureErrors(t *testing.T) {
	inBubble(t, two, bothInDefault, func(r *rig) {
		for _, tt := range []struct {
			name   string
			routes Routes
			want   string
		}{
			{"no group", Routes{Lists: map[string][]string{"l": {"x"}}}, `relay: list "l": there is no group "x"`},
			{"twice", Routes{Lists: map[string][]string{"l": {"one", "one"}}, Groups: r.groups}, `relay: list "l" has group "one" twice`},
			{"no list", Routes{Apply: map[string]string{"c": "l"}}, `relay: client "c": there is no list "l"`},
		} {
			if err := r.Reconfigure(tt.routes); fmt.Sprint(err) != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
		r.want(r.login("", "u"), "Access-Accept")
	})
}

// TestUnusable: what cannot be rewritten goes to no server, and nobody hears of it.
func TestUnusable(t *testing.T) {
	heard := &records{events: &events{}}
	inBubble(t, map[string][]string{DefaultList: {"a"}}, func(cfg *Config) { cfg.Admissions = heard }, func(r *rig) {
		full := strings.Repeat(attr(radius.ProxyState, strings.Repeat("p", 200)), 19) // of 4,096 octets, these are 3,838
		for _, tt := range []struct{ name, attrs, want string }{
			{"password", attr(radius.UserPassword, "short"), "User-Password: the length of an encrypted value is wrong"},
			{"large", full + attr(radius.CHAPPassword, strings.Repeat("c", 17)) + attr(radius.ReplyMessage, strings.Repeat("r", 180)), errLarge.Error()},
		} {
			r.want(r.login("", tt.name, tt.attrs), tt.want)
		}
		if s := r.Stats(); s.Unusable != 2 || len(r.byName["a"].users()) != 0 {
			t.Errorf("%+v, and the server got %v", s, r.byName["a"].users())
		}
	})
}

// TestChallengeWithoutState: the next round is a login like any other.
func TestChallengeWithoutState(t *testing.T) {
	inBubble(t, map[string][]string{DefaultList: {"a"}}, nil, func(r *rig) {
		r.byName["a"].setAnswer(func(radius.Packet) (radius.Code, string, bool) {
			return radius.CodeAccessChallenge, attr(radius.ReplyMessage, "token?"), true
		})
		l := r.login("", "u")
		r.want(l, "Access-Challenge")
		if s := r.Stats(); s.States != 0 || !strings.Contains(l.attrs, "token?") {
			t.Errorf("%+v, the NAS got %q", s, l.attrs)
		}
	})
}

// TestSession: the log of packets has the Acct-Session-Id and the User-Name that the server gets.
func TestSession(t *testing.T) {
	for _, tt := range []struct{ name, up, want string }{{"the NAS's", "", "theirs"}, {"ours", "0A000001", "0A000001"}} {
		t.Run(tt.name, func(t *testing.T) {
			x := &exchange{}
			p := accessRequest(attr(radius.UserName, "u"), attr(radius.AcctSessionID, "theirs"))
			if err := x.out.plan(p, radius.Standard(), ourProxyState); err != nil {
				t.Fatal(err)
			}
			if err := x.out.add(admission.Upstream{SessionID: tt.up}, p.Authenticator()); err != nil {
				t.Fatal(err)
			}
			if got := x.Session(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if got := x.User(); got != "u" {
				t.Errorf("user %q", got)
			}
		})
	}
}
