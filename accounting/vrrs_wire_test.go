package accounting_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
)

// TestVRRSOnTheWire: a router reports that it becomes the master of a group, that it restarts as
// master, and that it is none any more. The server gets an Accounting-On for each beginning and an
// Accounting-Off for each end, without the usage of a session: RFC 2866 section 5.13 allows it only in
// records of sessions.
func TestVRRSOnTheWire(t *testing.T) {
	const (
		head = "NAS-IP-Address = 172.16.25.15\nCisco-AVPair = vrrs-name=pool1\nAcct-Status-Type = Accounting-"
		tail = "\nEvent-Timestamp = now\nAcct-Delay-Time = 0"
	)
	tests := []struct {
		name, sent string
		want       []string
	}{
		{
			"master", head + "On\nEvent-Timestamp = 2001-06-27T04:46:46Z\nAcct-Session-Id = 00000001",
			[]string{head + "On\nEvent-Timestamp = 2001-06-27T04:46:46Z\nAcct-Session-Id = 00000001\nAcct-Delay-Time = 0"},
		},
		{
			"the same, and nothing says that it is a copy", head + "On\nAcct-Session-Id = 00000003\nClass = 0x01",
			[]string{head + "On\nClass = 0x01\nAcct-Session-Id = 00000001" + tail},
		},
		{
			"master again, without a backup", head + "On\nAcct-Session-Id = 00000004\nEvent-Timestamp = 2001-06-27T04:47:46Z",
			[]string{
				"Acct-Status-Type = Accounting-Off\nNAS-IP-Address = 172.16.25.15\nAcct-Session-Id = 00000001\n" +
					"Cisco-AVPair = vrrs-name=pool1\nClass = 0x01\nAcct-Terminate-Cause = Lost-Carrier" + tail,
				head + "On\nEvent-Timestamp = 2001-06-27T04:47:46Z\nAcct-Session-Id = 00000002\nAcct-Delay-Time = 0",
			},
		},
		{
			"backup", head + "Off\nAcct-Session-Id = 00000002\nAcct-Session-Time = 60\nAcct-Output-Octets = 5",
			[]string{head + "Off\nAcct-Session-Id = 00000002" + tail},
		},
	}
	r := newRelay(t, acctradius.Spec{})
	sent := time.Now() // the first: a master that is replaced ended when it was last heard of
	for i, tt := range tests {
		r.report(byte(i), parsed(t, strings.Split(tt.sent, "\n"), radius.Standard()))
		var want, got [][]string
		for _, text := range tt.want {
			want, got = append(want, strings.Split(text, "\n")), append(got, printed(r.next(), sent))
		}
		// Those of two sessions may come in any order.
		slices.SortFunc(got, func(a, b []string) int { return strings.Compare(sessionID(a), sessionID(b)) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want (-) and on the wire (+):\n%s", tt.name, diff)
		}
	}
	if rows := r.table.View(); rows.Len() != 0 || rows.Total != 0 || r.table.Groups() != 0 {
		t.Errorf("%d rows, %d in all, %d groups", rows.Len(), rows.Total, r.table.Groups())
	}
}

// sessionID returns the line of the Acct-Session-Id of a record.
func sessionID(lines []string) string {
	return lines[slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "Acct-Session-Id = ") })]
}
