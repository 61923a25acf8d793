package acctcontrol

import (
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

// A set-aside record without a session is shown with the NAS's own id and the name of its status
// type (R27).
func TestSetAsideOther(t *testing.T) {
	made := time.Unix(5, 0)
	other := func(session sessions.ID, status uint32, id string) accounting.SetAside {
		b := radius.AppendUint32(nil, radius.AcctStatusType, status)
		b = radius.AppendAttribute(b, radius.AcctSessionID, id)
		b = radius.AppendAttribute(b, radius.UserName, "alice")
		rec := &accounting.Record{Session: session, Type: sessions.Other, At: made, List: "network/default", Attrs: radius.Attributes(b)}
		return accounting.SetAside{Seq: 1, From: "group/a", At: made, Reason: "why", Record: rec}
	}
	want := api.SetAside{Seq: 1, From: "group/a", At: made.UTC(), Reason: "why", List: "network/default", User: "alice"}
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

// A set-aside record is shown with the names of the dictionary, including those of vendors (R26).
func TestSetAsideNames(t *testing.T) {
	st, err := store.Open("state", store.Config{Disk: store.NewDisk(), MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	b := radius.AppendUint32(nil, radius.ServiceType, 2)
	b = radius.AppendAttribute(b, radius.VendorSpecific, "\x00\x00\x00\x09\x01\x05a=b\xbb\x06\x00\x00\x00\x07")
	b = radius.AppendAttribute(b, radius.VendorSpecific, "\x01\x02")
	b = radius.AppendAttribute(b, 81, "\x01100")
	rec := accounting.Record{Session: 1, Type: sessions.Start, At: time.Unix(5, 0), List: "network/default", Attrs: radius.Attributes(b)}
	entry := accounting.SetAsideEntry{From: "group/a", At: time.Unix(6, 0), Reason: "why", Data: accounting.AppendRecord(nil, &rec)}
	done := make(chan error, 1)
	st.Commit(store.Change{Appends: []store.Append{{Queue: accounting.SetAsideQueue, Data: accounting.AppendSetAsideEntry(nil, &entry)}}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	d := New(Config{Store: st, Names: radius.Standard})
	list, err := d.SetAside(0, 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, error %v", list, err)
	}
	got, err := d.SetAsideRecord(list[0].Seq)
	if err != nil {
		t.Fatal(err)
	}
	want := []api.Attribute{
		{Name: "Service-Type", Value: "Framed-User"},
		{Name: "Cisco-AVPair", Value: "a=b"},
		{Name: "Cisco-Multilink-ID", Value: "7"},
		{Name: "Vendor-Specific", Value: "0x0102"},
		{Name: "Tunnel-Private-Group-Id:1", Value: "100"},
	}
	if diff := cmp.Diff(want, got.Attributes); diff != "" {
		t.Errorf("want (-) and shown (+):\n%s", diff)
	}
}
