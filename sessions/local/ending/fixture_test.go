package ending

import (
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// sessionOf returns the live session that a table makes of a start, with an Acct-Session-Id, a user and
// further pairs of type and value.
func sessionOf(t *testing.T, name, user string, end *sessions.Ending, pairs ...any) *sessions.Session {
	t.Helper()
	attrs := radius.AppendAttribute(nil, radius.AcctSessionID, name)
	if user != "" {
		attrs = radius.AppendAttribute(attrs, radius.UserName, user)
	}
	for i := 0; i < len(pairs); i += 2 {
		switch v := pairs[i+1].(type) {
		case string:
			attrs = radius.AppendAttribute(attrs, pairs[i].(radius.Type), v)
		case int:
			attrs = radius.AppendUint32(attrs, pairs[i].(radius.Type), uint32(v))
		}
	}
	journal := sessionstest.NewJournal()
	t.Cleanup(journal.Close)
	table := sessions.New(sessions.Config{}, journal)
	ev := sessions.Event{
		Type: sessions.Start, Kind: sessions.Network, AcctSessionID: name, Attrs: radius.Attributes(attrs), At: time.Now(), End: end,
		NAS: sessions.NAS{Identifier: "host-1"}, IfIndex: 7,
	}
	if err := table.Apply(ev, nil); err != nil {
		t.Fatal(err)
	}
	return table.Row(1)
}

// wantOutcome checks the text of an outcome.
func wantOutcome(t *testing.T, got interface{ String() string }, want string) {
	t.Helper()
	if !strings.HasPrefix(got.String(), want) {
		t.Errorf("outcome %q, want %q", got, want)
	}
}
