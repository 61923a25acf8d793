package local

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aaasess/internal/radius"
	localreport "aaasess/sessions/local/report"
)

// FuzzReport: each body is either refused with a problem that can be shown, or makes an event whose
// attributes are well formed. What is read is what is written.
func FuzzReport(f *testing.F) {
	f.Add(uint8(0), []byte(`{"source":"openvpn","session":"tun0-1","user":"älice","address":"10.8.0.2","ipv6Prefixes":["2001:db8::/64"],"nasPort":3}`))
	f.Add(uint8(1), []byte(`{"source":"a","session":"b","inputOctets":18446744073709551615,"sessionTime":4294967295}`))
	f.Add(uint8(2), []byte(`{"source":"a","session":"b","at":"2026-01-02T03:04:05.678+02:00","terminateCause":"User-Request"}`))
	f.Add(uint8(4), []byte(`{"source":"a","session":"b","stop":true,"attributes":[{"name":"Class","value":"0x01"}]}`))
	f.Add(uint8(5), []byte(`{"source":"a","session":"b","level":15,"text":"enable secret x"}`))
	f.Add(uint8(0), []byte("{\"source\":\"a\",\"session\":\"\xff\"}"))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, verb uint8, body []byte) {
		r, err := decode(body)
		if err != nil {
			p, ok := errors.AsType[*localreport.Problem](err)
			if !ok || !utf8.ValidString(p.Pointer+p.Detail) || p.Status != 400 {
				t.Fatalf("%v", err)
			}
			return
		}
		b, err := json.Marshal(&r)
		if err != nil {
			return // a time of a year that JSON has not
		}
		again, err := decode(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if b2, err := json.Marshal(&again); err != nil || string(b) != string(b2) {
			t.Fatalf("%s became %s, %v", b, b2, err)
		}
		verbs := localreport.Verbs()
		tr := translation{Report: &r, verb: verbs[int(verb)%len(verbs)], names: radius.Standard(), nasID: "h", now: now}
		var attrs radius.Attributes
		if tr.verb == localreport.Fail || tr.verb == localreport.Command {
			attrs = tr.oneOff().Attrs
		} else {
			attrs = tr.event().Attrs
		}
		if tr.fault != nil {
			if !utf8.ValidString(tr.fault.Detail + tr.fault.Pointer) {
				t.Fatalf("%q", tr.fault.Detail)
			}
			return
		}
		if !attrs.Valid() || attrs.Text(radius.AcctSessionID) != r.Source+"/"+r.Session || strings.Contains(r.Source, "/") {
			t.Fatalf("%s: %x", body, attrs)
		}
	})
}
