package control_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

func listed(d interface {
	List(api.Query) (api.SessionsHead, []api.Session)
}, q api.Query,
) (ids []uint32, matched int) {
	head, rows := d.List(q)
	for _, s := range rows {
		ids = append(ids, s.Number)
	}
	return ids, head.Matched
}

// TestListInProcess: List, Detail and the socket say the same.
func TestListInProcess(t *testing.T) {
	d, client := start(t, nil)
	for _, user := range []string{"alice", "bob", "carol"} {
		begin(t, d, user, time.Now(), with(radius.CallingStationID, "c-"+user))
	}
	q := api.Query{Sort: "-user", Search: "o", Limit: 2}
	head, rows := d.Server.List(q)
	list, err := client.Sessions(t.Context(), q)
	if diff := cmp.Diff(collect(t, list, err), rows); diff != "" || head != (api.SessionsHead{Total: 3, Matched: 2}) || rows[0].User != "carol" {
		t.Errorf("%+v %s", head, diff)
	}
	want, err := client.Session(t.Context(), 2)
	got, ok := d.Server.Detail(2)
	if diff := cmp.Diff(*want, got); diff != "" || err != nil || !ok || got.CallingStation != "c-bob" {
		t.Errorf("%v, %v %s", err, ok, diff)
	}
	if _, ok := d.Server.Detail(4); ok {
		t.Error("session 4 is live")
	}
}

// TestOneEvaluation: equal queries share one look at the table until it changes.
func TestOneEvaluation(t *testing.T) {
	var looks atomic.Int32 // a search asks for the client's name once, and so does each row of an answer
	d, _ := start(t, func(c *control.Config) {
		c.ClientName = func(netip.Addr) string { looks.Add(1); return "" }
	})
	begin(t, d, "alice", time.Now())
	begin(t, d, "bob", time.Now())
	for _, step := range []struct {
		name    string
		change  func()
		q       api.Query
		matched int
		looks   int32
	}{
		{"first", nil, api.Query{Search: "zed", Limit: 5}, 0, 1},
		{"again", nil, api.Query{Search: "zed", Limit: 5}, 0, 0},
		{"another part", nil, api.Query{Search: "zed", Limit: 5, Offset: 5}, 0, 1},
		{"without a limit", nil, api.Query{Search: "zed"}, 0, 1},
		{"without a limit, again", nil, api.Query{Search: "zed"}, 0, 1},
		{"a session begins", func() { begin(t, d, "zed", time.Now()) }, api.Query{Search: "zed", Limit: 5}, 1, 2},
		{"again, after the change", nil, api.Query{Search: "zed", Limit: 5}, 1, 1},
		{"which are stuck is not in the table", nil, api.Query{Search: "x", Limit: 5, Filter: api.Filter{NAS: "q", State: "stuck"}}, 0, 2},
		{"stuck again", nil, api.Query{Search: "x", Limit: 5, Filter: api.Filter{NAS: "q", State: "stuck"}}, 0, 2},
	} {
		if step.change != nil {
			step.change()
		}
		looks.Store(0)
		_, matched := listed(d.Server, step.q)
		if got := looks.Load(); matched != step.matched || step.q.State == "" && got != step.looks || step.q.State != "" && got == 0 {
			t.Errorf("%s: %d match, %d looks", step.name, matched, got)
		}
	}
}

// TestLiveOrder: the order of counters that the interfaces of this host change is never an old one.
func TestLiveOrder(t *testing.T) {
	d, _ := start(t, nil)
	octets := map[uint32]uint64{7: 10, 8: 20}
	d.Table.SetRefresher(func() {
		var samples []sessions.Sample
		for i, n := range octets {
			samples = append(samples, sessions.Sample{IfIndex: i, Traffic: sessions.Traffic{n}})
		}
		d.Table.Refreshed(d.Table.BeginRefresh(), 1, samples)
	})
	for i, user := range []string{"ann", "bob"} {
		begin(t, d, user, time.Now(), func(ev *sessions.Event) { ev.IfIndex, ev.Link = uint32(7+i), &sessions.Link{Host: 1} })
	}
	q := api.Query{Sort: "octets", Limit: 5}
	if got, _ := listed(d.Server, q); !slices.Equal(got, []uint32{2, 1}) {
		t.Error(got)
	}
	octets[7] = 30
	if got, _ := listed(d.Server, q); !slices.Equal(got, []uint32{1, 2}) {
		t.Error(got)
	}
}

// TestDisconnectOne: the session is being ended, and the log says who asked for it, once.
func TestDisconnectOne(t *testing.T) {
	lines := make(logLines, 64)
	d, _ := start(t, func(cfg *control.Config) { cfg.Logger = slog.New(slog.NewTextHandler(lines, nil)) })
	begin(t, d, "alice", time.Now())
	begin(t, d, "bob", time.Now())
	d.NAS.Unable("bob", errors.New("its NAS knows no Disconnect-Request"))
	for _, tt := range []struct {
		name string
		id   api.ID
		err  string
	}{
		{"live", 1, ""},
		{"again", 1, ""},
		{"cannot be ended", 2, "session 00000002 cannot be ended: its NAS knows no Disconnect-Request"},
		{"not live", 3, "session 00000003 is not live"},
	} {
		err := d.Server.DisconnectOne(t.Context(), tt.id, "op", "192.0.2.7")
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if s, ok := d.Server.Detail(1); !ok || s.State != "terminating" {
		t.Errorf("%+v", s)
	}
	if s, ok := d.Server.Detail(2); !ok || s.State != "active" {
		t.Errorf("%+v", s)
	}
	count := 0
	for len(lines) > 0 {
		if strings.Contains(<-lines, `msg="disconnect by status page" person=op from=192.0.2.7 session=00000001 user=alice`) {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d log lines", count)
	}
}

// BenchmarkList is a page of a list: a search, an order, and the description of its rows.
func BenchmarkList(b *testing.B) {
	d, _ := start(b, nil)
	now := time.Now()
	const n = 100_000
	for i := range n {
		user := "user-" + api.ID(i*2654435761).String()
		ev := sessions.Event{
			Type: sessions.Start, Kind: sessions.Network, At: now, AcctSessionID: "s-" + user,
			NAS: sessions.NAS{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 50)})},
			Attrs: radius.Attributes(radius.AppendAttribute(radius.AppendAttribute(radius.AppendAttribute(radius.AppendAttribute(nil,
				radius.UserName, user), radius.AcctSessionID, "s-"+user), radius.CallingStationID, "00-11-22-33-44-55"), radius.NASPortID, "Gi0/1.100")),
		}
		if err := d.Table.Apply(ev, func(error) {}); err != nil {
			b.Fatal(err)
		}
	}
	begin(b, d, "last", now)
	for _, q := range []api.Query{
		{Limit: 50},
		{Limit: 50, Sort: "user", Offset: n / 2},
		{Limit: 50, Sort: "nas", Offset: n / 2},
		{Limit: 50, Sort: "address"},
		{Limit: 50, Search: "nobody"},
		{Limit: 50, Search: "user-00", Sort: "octets"},
	} {
		b.Run(strings.ReplaceAll(q.Values().Encode(), "&", ","), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				q.Limit = 50 + i%200 // no answer is used again
				d.Server.List(q)
			}
		})
		b.Run("shared,"+strings.ReplaceAll(q.Values().Encode(), "&", ","), func(b *testing.B) {
			q.Limit = 50
			for b.Loop() {
				d.Server.List(q)
			}
		})
	}
}
