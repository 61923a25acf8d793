package onoff

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// identity are attributes that identify this NAS.
func identity() radius.Attributes {
	b := radius.AppendAttribute(nil, radius.NASIdentifier, "nas1")
	return radius.Attributes(radius.AppendUint32(b, radius.NASIPAddress, 0xC0000201))
}

// readable returns a record's attributes, one per line.
func readable(r *accounting.Record) (lines []string) {
	for p := range radius.Standard().Print(r.Attrs) {
		lines = append(lines, p.Name+" = "+p.Text)
	}
	return lines
}

func TestRecord(t *testing.T) {
	moment := time.Date(2013, 2, 24, 16, 6, 41, 0, time.UTC)
	m := machine{state: SendAcctOn, sessionID: "242FFF0000008F512A3985", askedAt: moment, cause: 7}
	head := []string{"Acct-Authentic = RADIUS", "NAS-Identifier = nas1", "NAS-IP-Address = 192.0.2.1", "Acct-Session-Id = 242FFF0000008F512A3985", "Event-Timestamp = 2013-02-24T16:06:41Z"}

	on := m.record(identity())
	if diff := cmp.Diff(append([]string{"Acct-Status-Type = Accounting-On"}, head...), readable(on)); diff != "" {
		t.Errorf("On: want (-) and got (+):\n%s", diff)
	}
	if on.Type != sessions.On || on.At != moment || on.Session != 0 {
		t.Errorf("On: %+v", on)
	}
	const golden = "2806000000072d060000000120066e6173310406c0000201" +
		"2c18" + "32343246464630303030303038463531324133393835" + "3706512a3a91"
	if got := hex.EncodeToString([]byte(on.Attrs)); got != golden {
		t.Errorf("On: octets\n%s, want\n%s", got, golden)
	}

	m.state = SendAcctOff
	off := m.record(identity())
	want := append(append([]string{"Acct-Status-Type = Accounting-Off"}, head...), "Acct-Terminate-Cause = Admin-Reboot")
	if diff := cmp.Diff(want, readable(off)); diff != "" || off.Type != sessions.Off {
		t.Errorf("Off of type %d: want (-) and got (+):\n%s", off.Type, diff)
	}

	m.askedAt = time.Unix(-5, 0)
	if _, ok := m.record(identity()).Attrs.Get(radius.EventTimestamp); ok {
		t.Error("Event-Timestamp of a clock that is not set")
	}
}

// TestReason: what a TACACS+ server is told as the reason. Real devices tell reload at their start.
func TestReason(t *testing.T) {
	for trigger, want := range map[Trigger]string{
		TriggerStartUp: "reload", TriggerShutDown: "reload", TriggerConfigChange: "reconfigure", TriggerPerform: "reconfigure",
	} {
		m := machine{state: SendAcctOn, trigger: trigger}
		if got := m.record(identity()).Reason; got != want {
			t.Errorf("%s: %s, want %s", trigger, got, want)
		}
	}
}

func TestIdentity(t *testing.T) {
	attr := func(typ radius.Type, value string) radius.Attributes {
		return radius.Attributes(radius.AppendAttribute(nil, typ, value))
	}
	name := attr(radius.NASIdentifier, "n")
	class := attr(radius.Class, strings.Repeat("x", 248)) // 250 octets
	tests := []struct {
		name string
		who  radius.Attributes
		want string // of the error; "" for none
	}{
		{"NAS-Identifier", name, ""},
		{"NAS-IP-Address", attr(radius.NASIPAddress, "\xc0\x00\x02\x01"), ""},
		{"NAS-IPv6-Address", attr(radius.NASIPv6Address, strings.Repeat("\x01", 16)), ""},
		{"more besides", name + attr(radius.CalledStationID, "x"), ""},
		{"nothing", "", "one of NAS-Identifier"},
		{"no attribute that identifies the NAS", attr(radius.CalledStationID, "x"), "one of NAS-Identifier"},
		{"damaged", name + "\x01", "malformed"},
		{"an id of a session", name + attr(radius.AcctSessionID, "x"), "Acct-Session-Id cannot be set"},
		{"what the group adds", name + attr(radius.AcctDelayTime, "\x00\x00\x00\x00"), "Acct-Delay-Time cannot be set"},
		{"what no Accounting-Request has", name + attr(2, "x"), "User-Password cannot be set"},
		{"as much as there is room for", name + radius.Attributes(strings.Repeat(string(class), 15)), ""},
		{"too much", name + radius.Attributes(strings.Repeat(string(class), 16)), "4003 octets of attributes, at most"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := New(Config{Group: "g", Attributes: tt.who}, newAnnouncer().Announce)
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want != "" && (!errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "group g")):
				t.Fatalf("got %v, want %q", err, tt.want)
			case err == nil:
				m := machine{state: SendAcctOff, sessionID: strings.Repeat("x", 253), askedAt: at(0)}
				if n := len(m.record(o.cfg.Attributes).Attrs); n > accounting.MaxAttributes {
					t.Errorf("%d octets in a record", n)
				}
			}
		})
	}
}

func TestNewSessionID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-F]{22}$`)
	used := map[string]bool{}
	before := time.Now().Unix()
	for range 10_000 {
		id := newSessionID()
		if !form.MatchString(id) || used[id] {
			t.Fatalf("%q, used before: %v", id, used[id])
		}
		used[id] = true
		var created int64
		if _, err := fmt.Sscanf(id[14:], "%X", &created); err != nil || created < before || created > time.Now().Unix() {
			t.Fatalf("%q was created at %d, %v", id, created, err)
		}
	}
}
