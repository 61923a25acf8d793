package main

import (
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// A record without a row that was set aside is shown with the NAS's own id and the name of its status type (R27).
func TestSetAsideOther(t *testing.T) {
	made := time.Unix(5, 0)
	other := func(session sessions.ID, status uint32, id string) accounting.SetAside {
		b := radius.AppendUint32(nil, radius.AcctStatusType, status)
		b = radius.AppendAttribute(b, radius.AcctSessionID, id)
		b = radius.AppendAttribute(b, radius.UserName, "alice")
		rec := &accounting.Record{Session: session, Type: sessions.Other, At: made, List: "network/default", Attrs: radius.Attributes(b)}
		return accounting.SetAside{Seq: 1, From: "group/a", At: made, Reason: "why", Record: rec}
	}
	want := control.SetAside{Seq: 1, From: "group/a", At: made.UTC(), Reason: "why", List: "network/default", User: "alice"}
	tests := []struct {
		record        accounting.SetAside
		session, name string
	}{
		{other(0xa6f7a050, 11, "S1"), "S1", "Tunnel-Reject"},
		{other(13, 15, "0000000D"), "0000000D", "Failed"},
		{other(13, 4000, "0000000D"), "0000000D", "4000"},
	}
	for _, tt := range tests {
		want.Session, want.Type = tt.session, tt.name
		if diff := cmp.Diff(want, setAside(&tt.record)); diff != "" {
			t.Errorf("want (-) and shown (+):\n%s", diff)
		}
	}
}
