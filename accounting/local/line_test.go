package local

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"pgregory.net/rapid"
)

var eventAt = time.Date(2001, 6, 27, 4, 47, 46, 500_000_000, time.UTC)

// stop is the network stop of S1.
func stop() *accounting.Record {
	var b []byte
	b = radius.AppendAttribute(b, radius.NASIPAddress, "\xac\x10\x19\x0f")
	b = radius.AppendUint32(b, radius.NASPort, 5)
	b = radius.AppendAttribute(b, radius.UserName, `user "one"`)
	b = radius.AppendAttribute(b, radius.Class, "\x00\x01")
	b = radius.AppendUint32(b, radius.AcctStatusType, 2)
	b = radius.AppendAttribute(b, radius.VendorSpecific, "\x00\x00\x00\x09\x01\x03x")
	b = radius.AppendAttribute(b, radius.AcctSessionID, "0000000E")
	b = radius.AppendAttribute(b, radius.Class, "b")
	b = radius.AppendUint32(b, radius.AcctSessionTime, 171)
	b = radius.AppendUint32(b, radius.AcctTerminateCause, 6)
	b = radius.AppendUint32(b, radius.EventTimestamp, uint32(eventAt.Unix()))
	b = radius.AppendAttribute(b, 200, "\xff")
	return &accounting.Record{
		Session: 14, Type: sessions.Stop, At: eventAt, List: "network/default", NASSession: "5F2A",
		Next: []accounting.MethodName{"group x"}, Attrs: radius.Attributes(b),
	}
}

// other is a record of a status type other than start, interim and stop.
func other(session sessions.ID, status uint32, id string) *accounting.Record {
	b := radius.AppendUint32(nil, radius.AcctStatusType, status)
	b = radius.AppendAttribute(b, radius.AcctSessionID, id)
	return &accounting.Record{Session: session, Type: sessions.Other, At: eventAt, List: "network/default", Attrs: radius.Attributes(b)}
}

// vendorRecord is a stop with vendor-specific attributes.
func vendorRecord() *accounting.Record {
	var b []byte
	b = radius.AppendAttribute(b, radius.VendorSpecific, "\x00\x00\x00\x09\x01\x05a=b\xbb\x06\x00\x00\x00\x07\x06\x03x\x01\x03c")
	b = radius.AppendAttribute(b, radius.VendorSpecific, "\x00\x00\x01\x37\x17\x06\x00\x00\x00\x05")
	b = radius.AppendAttribute(b, 64, "\x01\x00\x00\x0d")
	b = radius.AppendAttribute(b, 64, "\x02\x00\x00\x03")
	b = radius.AppendAttribute(b, radius.VendorSpecific, "\x01\x02")
	b = radius.AppendAttribute(b, radius.VendorSpecific, "\x00\x00\x00\x09\x01\x07d=\"e\"")
	b = radius.AppendAttribute(b, 64, "\x02\x00\x00\x0d")
	b = radius.AppendUint32(b, radius.ServiceType, 2)
	return &accounting.Record{Session: 14, Type: sessions.Stop, At: eventAt, List: "network/default", Attrs: radius.Attributes(b)}
}

const stopLine = `{"time":"2001-06-27T04:47:46.5Z","type":"Stop","session":"0000000E","number":14,"nasSession":"5F2A",` +
	`"list":"network/default","delay":90,"attributes":{"NAS-IP-Address":"172.16.25.15","NAS-Port":5,` +
	`"User-Name":"user \"one\"","Class":["0x0001","0x62"],"Acct-Status-Type":"Stop",` +
	`"Cisco-AVPair":"x","Acct-Session-Id":"0000000E","Acct-Session-Time":171,` +
	`"Acct-Terminate-Cause":"Admin-Reset","Event-Timestamp":"2001-06-27T04:47:46Z","Attr-200":"0xff"}}` + "\n"

func TestAppendLine(t *testing.T) {
	tests := []struct {
		name string
		rec  *accounting.Record
		now  time.Time
		want string
	}{
		{"a stop, 90 seconds late", stop(), eventAt.Add(90*time.Second + 999*time.Millisecond), stopLine},
		{
			"a clock that was set back", &accounting.Record{Session: 1, Type: sessions.Start, At: eventAt, List: "exec/default"}, eventAt.Add(-time.Hour),
			`{"time":"2001-06-27T04:47:46.5Z","type":"Start","session":"00000001","number":1,"nasSession":"","list":"exec/default","delay":0,"attributes":{}}` + "\n",
		},
		{
			"a record without a row: the NAS's id, and no number", other(0xa6f7a050, 9, `S"1`), eventAt,
			`{"time":"2001-06-27T04:47:46.5Z","type":"Tunnel-Start","session":"S\"1","number":0,"nasSession":"","list":"network/default","delay":0,` +
				`"attributes":{"Acct-Status-Type":"Tunnel-Start","Acct-Session-Id":"S\"1"}}` + "\n",
		},
		{
			"one of a live session, of a status type without a name", other(13, 77, "0000000D"), eventAt,
			`{"time":"2001-06-27T04:47:46.5Z","type":"77","session":"0000000D","number":13,"nasSession":"","list":"network/default","delay":0,` +
				`"attributes":{"Acct-Status-Type":77,"Acct-Session-Id":"0000000D"}}` + "\n",
		},
		{
			"an Accounting-Off, with its own id and no number", &accounting.Record{Type: sessions.Off, At: eventAt, List: "system/default", Attrs: radius.Attributes(
				radius.AppendAttribute(radius.AppendUint32(nil, radius.AcctStatusType, 8), radius.AcctSessionID, "242FFF0000008F512A3985"))}, eventAt,
			`{"time":"2001-06-27T04:47:46.5Z","type":"Accounting-Off","session":"242FFF0000008F512A3985","number":0,"nasSession":"","list":"system/default","delay":0,` +
				`"attributes":{"Acct-Status-Type":"Accounting-Off","Acct-Session-Id":"242FFF0000008F512A3985"}}` + "\n",
		},
		{
			"vendors' attributes, in and out of order", vendorRecord(), eventAt,
			`{"time":"2001-06-27T04:47:46.5Z","type":"Stop","session":"0000000E","number":14,"nasSession":"","list":"network/default","delay":0,` +
				`"attributes":{"Cisco-AVPair":["a=b","c","d=\"e\""],"Cisco-Multilink-ID":7,"Vendor-Specific":["0x00000009060378","0x0102"],` +
				`"MS-Acct-Auth-Type":"EAP","Tunnel-Type:1":"VLAN","Tunnel-Type:2":["L2TP","VLAN"],"Service-Type":"Framed-User"}}` + "\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendLine([]byte("x"), tt.rec, radius.Standard(), tt.now)); got != "x"+tt.want {
				t.Errorf("got\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

// Whatever a NAS sends, a record is one line of valid JSON, and text is unchanged in it.
func TestAppendLineIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b []byte
		for range rapid.IntRange(0, 20).Draw(t, "attributes") {
			typ := radius.Type(rapid.Byte().Draw(t, "type"))
			b = radius.AppendAttribute(b, typ, string(rapid.SliceOfN(rapid.Byte(), 0, 253).Draw(t, "value")))
		}
		user := rapid.StringN(0, 60, 253).Draw(t, "user")
		list := rapid.String().Draw(t, "list")
		rec := &accounting.Record{Session: 3, Type: sessions.Interim, At: eventAt, List: list, Attrs: radius.Attributes(b)}
		if _, ok := rec.Attrs.Get(radius.UserName); !ok {
			rec.Attrs += radius.Attributes(radius.AppendAttribute(nil, radius.UserName, user))
		}
		line := appendLine(nil, rec, radius.Standard(), eventAt)
		if strings.Count(string(line), "\n") != 1 {
			t.Fatalf("not one line: %q", line)
		}
		var got struct {
			Type, List string
			Attributes map[string]any
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if got.Type != "Interim-Update" || utf8.ValidString(list) && got.List != list {
			t.Fatalf("type %q, list %q", got.Type, got.List)
		}
		if u := rec.Attrs.Text(radius.UserName); utf8.ValidString(u) && got.Attributes["User-Name"] != u && !isSlice(got.Attributes["User-Name"]) {
			t.Fatalf("User-Name %q became %q", u, got.Attributes["User-Name"])
		}
		seen := map[string]int{}
		for p := range radius.Standard().Print(rec.Attrs) {
			seen[p.Name]++
		}
		if len(got.Attributes) != len(seen) {
			t.Fatalf("%d attributes of %d names", len(got.Attributes), len(seen))
		}
		for name, n := range seen {
			v := got.Attributes[name]
			if several, ok := v.([]any); ok != (n > 1 || name == "Vendor-Specific") || ok && len(several) != n {
				t.Fatalf("%s, %d times: %v", name, n, v)
			}
		}
	})
}

func isSlice(v any) bool { _, ok := v.([]any); return ok }
