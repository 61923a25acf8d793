package notify

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// newCommon returns the shared part of senders: our engine with boots 1, and ids that count from 1.
func newCommon(t testing.TB, c *clock) *common {
	t.Helper()
	return newCommonOf(openEngine(t, engineFile(t), ourID, c.Now))
}

func newCommonOf(engine *usm.Engine) *common {
	last := int32(0)
	return &common{
		engine: engine, maxSize: DefaultMaxMessageSize, queue: 4,
		log: slog.New(slog.DiscardHandler), dial: dialUDP(nil),
		newID: func() int32 {
			last++
			return last
		},
	}
}

// event returns a notification with an OCTET STRING of n octets.
func event(t testing.TB, c *common, n int) *notification {
	t.Helper()
	vb := mib.Varbind{Name: mib.MustOID("1.3.6.1.2.1.1.5.0")}
	vb.Value.SetOctets(string(make([]byte, n)))
	note, err := (&Notifier{common: c}).encode(ColdStart, []mib.Varbind{vb})
	if err != nil {
		t.Fatal(err)
	}
	return note
}

// goldenVarbinds is authenticationFailure 90.12 s after the start.
const goldenVarbinds = "3029" + "300e" + "06082b06010201010300" + "43022334" +
	"3017" + "060a2b060106030101040100" + "06092b0601060301010505"

// TestEncodeGolden compares messages without encryption with their octets, which were checked with
// tshark.
func TestEncodeGolden(t *testing.T) {
	tests := []struct {
		name   string
		target Target
		want   string
	}{
		{
			"v2c trap", v2c("a", "127.0.0.1:162"),
			"3041" + "020101" + "04067075626c6963" + "a734" + "020101" + "020100" + "020100" + goldenVarbinds,
		},
		{
			"v2c inform", asInform(v2c("a", "127.0.0.1:162")),
			"3041" + "020101" + "04067075626c6963" + "a634" + "020101" + "020100" + "020100" + goldenVarbinds,
		},
		{
			"v3 trap", v3("a", "127.0.0.1:162", user(usm.NoAuth, usm.NoPriv)),
			"308182" + "020103" + "300e" + "020101" + "020300ffe3" + "040100" + "020103" +
				"04243022" + "040d80007ed9056e6f746966696572" + "020101" + "02015a" + "04076d616e61676572" + "0400" + "0400" +
				"3047" + "040d80007ed9056e6f746966696572" + "0400" +
				"a734" + "020102" + "020100" + "020100" + goldenVarbinds,
		},
		{
			"v3 inform: discovery", asInform(v3("a", "127.0.0.1:162", user(usm.HMACSHA512, usm.AES256))),
			"3045" + "020103" + "300e" + "020102" + "020300ffe3" + "040104" + "020103" +
				"0410300e" + "0400" + "020100" + "020100" + "0400" + "0400" + "0400" +
				"301e" + "040d80007ed9056e6f746966696572" + "0400" +
				"a00b" + "020103" + "020100" + "020100" + "3000",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			common := newCommon(t, c)
			c.advance(90*time.Second + 120*time.Millisecond)
			note, err := (&Notifier{common: common}).encode(AuthenticationFailure, nil)
			if err != nil {
				t.Fatal(err)
			}
			s, err := newSender(common, tt.target)
			if err != nil {
				t.Fatal(err)
			}
			var b []byte
			if s.trap != nil {
				b = s.trap.encode(note)
			} else {
				s.machine.add(note, c.now)
				b = s.machine.next(c.now)
			}
			if got := hex.EncodeToString(b); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

var (
	auths = []usm.AuthProtocol{usm.NoAuth, usm.HMACMD5, usm.HMACSHA, usm.HMACSHA224, usm.HMACSHA256, usm.HMACSHA384, usm.HMACSHA512}
	privs = []usm.PrivProtocol{usm.NoPriv, usm.DES, usm.AES128, usm.AES192, usm.AES256, usm.AES192C, usm.AES256C}
)

// TestTrapProtocols: a receiver that knows our users accepts traps with all protocols.
func TestTrapProtocols(t *testing.T) {
	c := newClock()
	common := newCommon(t, c)
	note := event(t, common, 1000)
	for _, a := range auths {
		for _, p := range privs {
			if a == usm.NoAuth && p != usm.NoPriv {
				continue
			}
			t.Run(fmt.Sprintf("%s %s", a, p), func(t *testing.T) {
				u := user(a, p)
				s, err := newSender(common, v3("a", "127.0.0.1:162", u))
				if err != nil {
					t.Fatal(err)
				}
				r := newFakeReceiver(t, openEngine(t, engineFile(t), theirID, c.Now))
				r.senders = []*usm.USM{newUSM(t, common.engine, u)}
				if answer := r.handle(s.trap.encode(note)); answer != nil {
					t.Errorf("a trap was answered: %x", answer)
				}
				got := r.arrivals()
				if len(got) != 1 {
					t.Fatalf("%d arrivals", len(got))
				}
				want := arrived{kind: wire.SNMPv2Trap, user: "manager", level: u.Level(), context: string(ourID)}
				got[0].requestID, got[0].varbinds = 0, nil
				if d := cmp.Diff(want, got[0], cmp.AllowUnexported(arrived{})); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestSizeBound: no message is larger than size, nor much smaller.
func TestSizeBound(t *testing.T) {
	ids := rapid.Int32Range(0, 1<<31-1)
	rapid.Check(t, func(rt *rapid.T) {
		target := v2c("a", "127.0.0.1:162")
		if rapid.Bool().Draw(rt, "v3") {
			a := rapid.SampledFrom(auths).Draw(rt, "auth")
			p := usm.NoPriv
			if a != usm.NoAuth {
				p = rapid.SampledFrom(privs).Draw(rt, "priv")
			}
			target = v3("a", "127.0.0.1:162", user(a, p))
		}
		target.Inform = rapid.Bool().Draw(rt, "inform")
		r, err := newReceiver(target, ourID)
		if err != nil {
			rt.Fatal(err)
		}
		e := encoder{maxSize: DefaultMaxMessageSize, context: ourID}
		varbinds := make([]byte, rapid.IntRange(0, 60000).Draw(rt, "octets"))
		kind, engineID := wire.SNMPv2Trap, ourID
		if target.Inform {
			kind, engineID = wire.InformRequest, make([]byte, maxEngineID)
		}
		var b []byte
		if target.Version == wire.Version2c {
			b = e.community(kind, target.Community, ids.Draw(rt, "request-id"), varbinds)
		} else {
			keys, err := target.User.Keys(engineID)
			if err != nil {
				rt.Fatal(err)
			}
			auth := authority{
				engineID: engineID, boots: ids.Draw(rt, "boots"), time: ids.Draw(rt, "time"),
				user: target.User.Name, level: target.User.Level(), keys: keys,
			}
			b = e.usm(kind, &auth, ids.Draw(rt, "msgID"), ids.Draw(rt, "request-id"), varbinds)
		}
		size := r.size(len(varbinds), len(ourID))
		if len(b) > size || len(b) < size-60 {
			rt.Errorf("%d octets, bound %d", len(b), size)
		}
	})
}
