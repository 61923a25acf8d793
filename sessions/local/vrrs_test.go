package local

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
	localreport "aaasess/sessions/local/report"
	"aaasess/sessions/sessionstest"
)

// newReporter returns a Server without a socket, its journal, and a function that reports as a user and
// returns the status.
func newReporter(t *testing.T, rules ...Rule) (j *sessionstest.Journal, report func(uid uint32, verb localreport.Verb, body string) int) {
	t.Helper()
	j = sessionstest.NewJournal()
	t.Cleanup(j.Close)
	table := sessions.New(sessions.Config{}, j)
	s := &Server{table: table, sink: table, cfg: Config{
		NASIdentifier: "r1", Names: radius.Standard, Now: time.Now, Describe: func(s *sessions.Session) any { return s.ID.String() },
		UserName: func(uid uint32) (string, error) {
			if uid == 1000 {
				return "alice", nil
			}
			return "", errors.New("none")
		},
	}}
	return j, func(uid uint32, verb localreport.Verb, body string) int {
		t.Helper()
		c := &caller{uid: uid, groups: func() []uint32 { return []uint32{100} }, rules: rules}
		answer, err := s.carryOut(c, verb, []byte(body))
		if err != nil {
			return asProblem(err).Status
		}
		if !json.Valid(answer) {
			t.Errorf("the answer is %s", answer)
		}
		return http.StatusOK
	}
}

// TestVRRS: a group of routers starts and stops, and has the name that its source gives it.
func TestVRRS(t *testing.T) {
	j, report := newReporter(t)
	const group = `{"source":"keepalived","session":"VI_1","kind":"vrrs"`
	for _, tt := range []struct {
		name string
		verb localreport.Verb
		body string
		want int
	}{
		{"backup from the beginning", localreport.Stop, group + `}`, http.StatusNotFound},
		{"master", localreport.Start, group + `,"at":"2026-11-30T17:00:00Z"}`, http.StatusOK},
		{"an update", localreport.Update, group + `}`, http.StatusBadRequest},
		{"a failure", localreport.Fail, group + `}`, http.StatusBadRequest},
		{"with a user", localreport.Start, group + `,"user":"alice"}`, http.StatusBadRequest},
		{"with an address", localreport.Stop, group + `,"address":"192.0.2.1"}`, http.StatusBadRequest},
		{"master of a group with another name", localreport.Start, `{"source":"x","session":"2","kind":"vrrs","attributes":[{"name":"Cisco-AVPair","value":"vrrs-name=pool"}]}`, http.StatusOK},
		{"backup", localreport.Stop, group + `,"at":"2026-11-30T17:00:05Z"}`, http.StatusOK},
		{"master again", localreport.Start, group + `,"at":"2026-11-30T17:00:07Z"}`, http.StatusOK},
	} {
		if got := report(0, tt.verb, tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	var got []string
	for _, n := range j.Notices() {
		group, _ := n.Attrs.Get(radius.ServiceType)
		got = append(got, n.Type.String()+" "+n.Session.ID.String()+" "+n.Attrs.VRRS()+group)
	}
	want := []string{"Start 00000001 vrrs-name=VI_1", "Start 00000002 vrrs-name=pool", "Stop 00000001 vrrs-name=VI_1", "Start 00000003 vrrs-name=VI_1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

// TestOwnCommands: who may report only commands reports only its own.
func TestOwnCommands(t *testing.T) {
	users := Rule{Owner: Owner{Group: true, ID: 100}, May: Command}
	j, report := newReporter(t, users)
	const text = `{"source":"bash","session":"1","level":1,"text":"ls"`
	for _, tt := range []struct {
		name string
		uid  uint32
		body string
		want int
	}{
		{"without a user", 1000, text + `}`, http.StatusOK},
		{"with its own name", 1000, text + `,"user":"alice"}`, http.StatusOK},
		{"with another name", 1000, text + `,"user":"bob"}`, http.StatusForbidden},
		{"of a user without a name", 1001, text + `}`, http.StatusForbidden},
		{"of root, with any name", 0, text + `,"user":"bob"}`, http.StatusOK},
	} {
		if got := report(tt.uid, localreport.Command, tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	var got []string
	for _, n := range j.Notices() {
		got = append(got, n.Session.User())
	}
	if diff := cmp.Diff([]string{"alice", "alice", "bob"}, got); diff != "" {
		t.Error(diff)
	}
	if users.May&Write == Write || users.May.String() != "command" {
		t.Errorf("the right is %s", users.May)
	}
}
