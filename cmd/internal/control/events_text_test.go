package control

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting/tap"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestEventFilters: events are selected as "show sessions" selects sessions, and by the group that
// gets the record.
func TestEventFilters(t *testing.T) {
	alice := func(e *tap.Event) {}
	for _, tt := range []struct {
		name, query string
		change      func(*tap.Event)
		want        bool
	}{
		{"no filter", "", alice, true},
		{"user", "user=alice", alice, true},
		{"another user", "user=bob", alice, false},
		{"nas by the client's name", "nas=bras-1", alice, true},
		{"nas by what it calls itself", "nas=as5200", alice, true},
		{"another nas", "nas=bras-2", alice, false},
		{"kind", "kind=network", alice, true},
		{"another kind", "kind=exec", alice, false},
		{"id", "id=00000007&id=0000000D", alice, true},
		{"another id", "id=00000007", alice, false},
		{"line", "line=tty1", alice, true},
		{"address", "address=10.0.0.0/24", alice, true},
		{"acct-session-id", "acct-session-id=a", alice, true},
		{"two filters", "user=alice&kind=exec", alice, false},
		{"group", "group=isp", alice, true},
		{"a group that is not the first", "group=isp", func(e *tap.Event) { e.Methods = []string{"local", "group isp"} }, true},
		{"another group", "group=old", alice, false},
		{"a group, of no record", "group=isp", func(e *tap.Event) { e.Methods, e.NotRecorded = nil, "why" }, false},
		{"group and user", "group=isp&user=bob", alice, false},
		{"of no session", "user=alice", func(e *tap.Event) { e.Session = someone(0, "alice") }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newEventScene(t)
				c := s.open(tt.query)
				e := tap.Event{Notice: sessions.Notice{Type: sessions.Start, Session: someone(13, "alice")}, Methods: []string{"group isp"}}
				tt.change(&e)
				s.tap.Offer(&e)
				if got := c.lines(t); (len(got) == 1) != tt.want {
					t.Errorf("got %q", got)
				}
				c.gone()
				<-c.ended
			})
		})
	}
}

// TestDescribeEvent: the fields of an event that are not those of its session.
func TestDescribeEvent(t *testing.T) {
	at := time.Date(2001, 6, 27, 7, 0, 0, 123_456_789, time.FixedZone("CEST", 7200))
	number := func(t radius.Type, n uint32) radius.Attributes {
		return radius.Attributes(radius.AppendUint32(nil, t, n))
	}
	const plain = `"time":"2001-06-27T05:00:01.123Z","at":"2001-06-27T05:00:00.123Z",`
	for _, tt := range []struct {
		name  string
		event tap.Event
		want  string
	}{
		{
			"a start by NAS",
			tap.Event{Notice: sessions.Notice{Type: sessions.Start, Attrs: number(radius.AcctStatusType, 1)}, List: "network/default", Methods: []string{"group isp", "local"}},
			`{` + plain + `"type":"Start","id":"0000000D","sessionTime":9,"list":"network/default","methods":["group isp","local"]}`,
		},
		{
			"a stop with a cause, broadcast",
			tap.Event{Notice: sessions.Notice{Type: sessions.Stop, Attrs: number(radius.AcctTerminateCause, 1)}, List: "n/\xff", Methods: []string{"group isp", "group b"}, Broadcast: true},
			`{` + plain + `"type":"Stop","terminateCause":"User-Request","id":"0000000D","sessionTime":9,"list":"n/\\xff","methods":["group isp","group b"],"broadcast":true}`,
		},
		{
			"the cause that aaasess knows better",
			tap.Event{Notice: sessions.Notice{Type: sessions.Stop, Attrs: number(radius.AcctTerminateCause, 1), Cause: sessions.CauseAdminReset}},
			`{` + plain + `"type":"Stop","terminateCause":"Admin-Reset","id":"0000000D","sessionTime":9,"list":"","methods":[]}`,
		},
		{
			"a cause without a name",
			tap.Event{Notice: sessions.Notice{Type: sessions.Stop, Attrs: number(radius.AcctTerminateCause, 4711)}},
			`{` + plain + `"type":"Stop","terminateCause":"4711","id":"0000000D","sessionTime":9,"list":"","methods":[]}`,
		},
		{
			"an interim of aaasess has its own session time",
			tap.Event{Notice: sessions.Notice{Type: sessions.Interim, Lasted: 90*time.Second + 1}},
			`{` + plain + `"type":"Interim-Update","made":true,"id":"0000000D","sessionTime":90,"list":"","methods":[]}`,
		},
		{
			"a resync",
			tap.Event{Notice: sessions.Notice{Type: sessions.Start, Only: "group isp"}, Methods: []string{"group isp"}},
			`{` + plain + `"type":"Start","made":true,"resync":true,"id":"0000000D","sessionTime":0,"list":"","methods":["group isp"]}`,
		},
		{
			"another event, of no session",
			tap.Event{Notice: sessions.Notice{Type: sessions.Other, Session: someone(0, ""), Attrs: number(radius.AcctStatusType, 9)}, NotRecorded: "why"},
			`{` + plain + `"type":"Tunnel-Start","id":"","sessionTime":0,"list":"","methods":[],"notRecorded":"why"}`,
		},
		{
			"another event without a name",
			tap.Event{Notice: sessions.Notice{Type: sessions.Other, Attrs: number(radius.AcctStatusType, 4711)}},
			`{` + plain + `"type":"4711","id":"0000000D","sessionTime":9,"list":"","methods":[]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.event
			e.At, e.Seen = at, at.Add(time.Second)
			if e.Session == nil {
				e.Session = someone(13, "alice")
				e.Session.Usage.SessionTime = 9
			}
			b, err := json.Marshal(api.EventLine{AccountableEvent: newEventScene(t).describeEvent(&e)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, withoutSession(string(b))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// withoutSession removes the fields of a session but its id and session time.
func withoutSession(line string) string {
	before, rest, _ := strings.Cut(line, `,"number":`)
	_, rest, _ = strings.Cut(rest, `,"sessionTime":`)
	time, rest, _ := strings.Cut(rest, `,`)
	_, rest, _ = strings.Cut(rest, `"list":`)
	return before + `,"sessionTime":` + time + `,"list":` + rest
}
