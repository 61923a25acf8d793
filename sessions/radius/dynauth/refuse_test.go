package dynauth

import (
	"log/slog"
	"testing"

	"aaasess/internal/logtest"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/termination"
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

// FuzzForServer: a server gets the attributes of the NAS's answer in their order, with our
// Acct-Session-Id, and with the one Error-Cause of the conclusion.
func FuzzForServer(f *testing.F) {
	f.Add([]byte(attr(radius.AcctSessionID, "S1")+string(radius.AppendUint32(nil, radius.ErrorCauseType, 401))+attr(radius.VendorSpecific, "x")), uint32(503))
	f.Add([]byte(attr(radius.ErrorCauseType, "")+attr(radius.ErrorCauseType, "")), uint32(0))
	s := &sessions.Session{ID: 0xD, Attrs: radius.Attributes(attr(radius.AcctSessionID, "S1"))}
	f.Fuzz(func(t *testing.T, attrs []byte, cause uint32) {
		if !radius.Attributes(attrs).Valid() {
			t.Skip()
		}
		reply := dae.Reply{Outcome: termination.Outcome{Answer: termination.NAK, ErrorCause: radius.ErrorCause(cause)}, Attrs: attrs}
		got := radius.Attributes(forServer(reply, s))
		if !got.Valid() {
			t.Fatalf("the server gets %x", string(got))
		}
		if first, _ := got.Uint32(radius.ErrorCauseType); cause != 0 && first != cause {
			t.Errorf("Error-Cause %d becomes %d in %x", cause, first, string(got))
		}
		for rest := got; len(rest) > 0; rest = rest[rest[1]:] {
			if radius.Type(rest[0]) == radius.AcctSessionID && string(rest[2:rest[1]]) != "0000000D" {
				t.Errorf("Acct-Session-Id in %x", string(got))
			}
		}
	})
}
