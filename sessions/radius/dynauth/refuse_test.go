package dynauth

import (
	"log/slog"
	"testing"

	"aaasess/internal/logtest"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestRefusedLines: each server has a line of the log for each reason, whatever another server sends.
func TestRefusedLines(t *testing.T) {
	var log logtest.Buffer
	r := New(Config{
		Table: newTable(t), MayChange: func(string, *sessions.Session) bool { return true },
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	one := listen(t, r, "r2")
	two := dial(t, "127.0.0.2", one.to)
	for _, tt := range []struct {
		server *server
		attrs  []string
		cause  radius.ErrorCause
	}{
		{one, []string{attr(radius.AcctSessionID, "00000001")}, radius.SessionContextNotFound},
		{one, []string{attr(radius.AcctSessionID, "00000002")}, radius.SessionContextNotFound},
		{two, []string{attr(radius.AcctSessionID, "00000001")}, radius.SessionContextNotFound},
		{two, []string{attr(radius.AcctSessionID, "00000003")}, radius.SessionContextNotFound},
		{one, nil, radius.MissingAttribute},
	} {
		tt.server.sendOnly(tt.attrs...)
		if _, cause := tt.server.receive(); cause != tt.cause {
			t.Fatalf("the answer is %v, want %v", cause, tt.cause)
		}
	}
	for text, want := range map[string]int{
		"request refused": 3, "server=r1": 2, "server=r2": 1, radius.SessionContextNotFound.String(): 2, radius.MissingAttribute.String(): 1,
	} {
		if got := log.Count(text); got != want {
			t.Errorf("%q is %d times in the log, want %d: %s", text, got, want, &log)
		}
	}
}
