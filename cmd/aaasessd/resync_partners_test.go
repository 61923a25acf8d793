//go:build partners

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/cmd/internal/api"
	"aaasess/internal/partner"
)

// ofLine adds what a NAS reports of the session on a line, which began an hour before the packet.
func ofLine(line int, octets uint32) func(*layeh.Packet) error {
	return func(p *layeh.Packet) error {
		ago := time.Hour
		errs := []error{
			rfc2865.NASPort_Set(p, rfc2865.NASPort(line)), rfc2865.Class_SetString(p, fmt.Sprint("class", line)),
		}
		if rfc2866.AcctStatusType_Get(p) == acctStart {
			errs = append(errs, rfc2869.ConnectInfo_SetString(p, "V.90"), rfc2866.AcctDelayTime_Set(p, 3600))
		} else {
			ago = 0
			errs = append(errs, rfc2866.AcctSessionTime_Set(p, 3600), rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(octets)))
		}
		return errors.Join(append(errs, rfc2869.EventTimestamp_Set(p, time.Now().Add(-ago)))...)
	}
}

// sqlSession is a row of FreeRADIUS's table of sessions.
type sqlSession struct {
	user, port, connect, octets string
	start                       int64
}

// liveSessions returns the sessions without a stop in a FreeRADIUS's database, by their unique id.
func liveSessions(t *testing.T, fr *partner.FreeRADIUSProc) map[string]sqlSession {
	t.Helper()
	all := map[string]sqlSession{}
	for _, row := range fr.Query("SELECT acctuniqueid, username, nasportid, connectinfo_start, acctinputoctets, acctstarttime FROM radacct WHERE acctstoptime IS NULL") {
		f := strings.Split(row, "|")
		start, err := strconv.ParseInt(f[5], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		all[f[0]] = sqlSession{f[1], f[2], f[3], f[4], start}
	}
	return all
}

// TestResyncFreeRADIUS: FreeRADIUS with SQL has lost its sessions, or some of them. A resync brings
// back all that live, with their user, line, start and, by interims, counters. Those that are there
// stay as they are.
func TestResyncFreeRADIUS(t *testing.T) {
	const n, over = 60, 10
	fr := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Secret: "upstream", SQL: true})
	l := launch(t, with(t, groupConfig(t, "isp", fr.Addr), "timeout: 100ms, retransmit: 0", "timeout: 2s, retransmit: 5, resync-mark: attribute Filter-Id"), environment{})
	for i := range n {
		sid := fmt.Sprint("S", i)
		l.mustAccount(packet(acctStart, sid, "alice", ofLine(i, 0)))
		if i%3 == 0 {
			l.mustAccount(packet(acctInterim, sid, "alice", ofLine(i, 4000)))
		}
		if i < over {
			l.mustAccount(packet(acctStop, sid, "alice", ofLine(i, 5000)))
		}
	}
	await := func(want int) (got map[string]sqlSession) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d sessions are live", want), func() bool {
			got = liveSessions(t, fr)
			return len(got) == want && l.queue("group/isp").Records == 0
		}, &got)
		return got
	}
	before := await(n - over)
	for _, tt := range []struct{ name, typ, lost string }{
		{"starts, nothing lost", api.ResyncStart, "0"},
		{"interims, nothing lost", api.ResyncInterim, "0"},
		{"interims, some lost", api.ResyncInterim, "nasportid > 30"},
		{"interims, all lost", api.ResyncInterim, "1"},
		{"starts, all lost", api.ResyncStart, "1"},
	} {
		fr.Query("DELETE FROM radacct WHERE " + tt.lost)
		if _, err := l.client().BeginResync(t.Context(), "isp", api.ResyncRequest{Type: tt.typ}); err != nil {
			t.Fatal(err)
		}
		if r := l.awaitResync("isp"); r.State != "done" || r.Records != n-over {
			t.Fatalf("%s: %+v", tt.name, r)
		}
		after := await(n - over)
		for id, s := range after {
			want := before[id]
			if d := s.start - want.start; d >= -2 && d <= 2 { // by interims it is rounded
				s.start = want.start
			}
			if tt.typ == api.ResyncStart && tt.lost != "0" {
				want.octets = "0"
			}
			if diff := cmp.Diff(want, s, cmp.AllowUnexported(sqlSession{})); diff != "" {
				t.Errorf("%s: before (-), after (+):\n%s", tt.name, diff)
			}
		}
	}
	for i := over; i < n; i++ {
		l.mustAccount(packet(acctStop, fmt.Sprint("S", i), "alice", ofLine(i, 6000)))
	}
	await(0)
	if got := fr.Query("SELECT acctinputoctets FROM radacct"); !slices.Equal(got, slices.Repeat([]string{"6000"}, n-over)) {
		t.Errorf("the stops tell %v", got)
	}
	marked := 0
	for _, r := range fr.Detail() {
		typ, mark, delay := r.Get("Acct-Status-Type"), r.Get("Filter-Id"), r.Get("Acct-Delay-Time")
		if mark == "resync" {
			marked++
		}
		if seconds, err := strconv.Atoi(delay); err != nil || mark != "" && (mark != "resync" || typ == "Stop" || typ == "Start" && seconds < 3600) {
			t.Errorf("a record is marked wrongly: %v", r)
		}
	}
	if marked < 5*(n-over) { // there may be retransmissions
		t.Errorf("%d marked records", marked)
	}
}
