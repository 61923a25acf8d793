package local

import (
	"net/http"
	"testing"
	"time"

	localreport "aaasess/sessions/local/report"
)

// TestOwners: whose reports of a live session count.
func TestOwners(t *testing.T) {
	tests := []struct {
		name            string
		starts, reports uint32
		ok              bool
	}{
		{"its own", ann, ann, true},
		{"of another user", ann, bob, false},
		{"root's, by a user", 0, ann, false},
		{"a user's, by root", ann, 0, true},
		{"of another member of the group", carl, dora, true},
		{"of a member, by who has a rule of his own", carl, ann, false},
		{"a user's, by a member of a group", ann, carl, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.must(tt.starts, localreport.Start, `{`+tun+`,"user":"alice"}`)
			for _, one := range []struct {
				verb localreport.Verb
				more string
			}{{localreport.Update, ``}, {localreport.Start, `,"user":"alice"`}, {localreport.Start, `,"user":"mallory"`}, {localreport.Stop, ``}} {
				r := w.report(tt.reports, one.verb, `{`+tun+one.more+`}`)
				if got := r.Code == http.StatusOK; got != tt.ok || !got && (r.Code != http.StatusForbidden || r.problem.Pointer != "/session") {
					t.Errorf("%s%s: %d %s", one.verb, one.more, r.Code, r.Body)
				}
			}
			if !tt.ok {
				w.wantAccounted("Start 1")
				w.must(tt.starts, localreport.Stop, `{`+tun+`}`)
			}
		})
	}
}

// TestOwnerStays: root's update does not make the session root's.
func TestOwnerStays(t *testing.T) {
	w := newWorld(t)
	w.must(ann, localreport.Start, `{`+tun+`,"user":"alice"}`)
	w.must(0, localreport.Update, `{`+tun+`,"inputOctets":7}`)
	w.must(ann, localreport.Stop, `{`+tun+`}`)
	w.wantAccounted("Start 1", "Interim-Update 1", "Stop 1")
}

// TestEndedSessionsOfOthers: nobody adds to an ended session of another user, and its name is free.
func TestEndedSessionsOfOthers(t *testing.T) {
	w := newWorld(t)
	w.must(ann, localreport.Start, `{`+tun+`,"user":"alice"}`)
	w.must(ann, localreport.Stop, `{`+tun+`}`)
	if r := w.report(bob, localreport.Stop, `{`+tun+`,"inputOctets":7}`); r.Code != http.StatusForbidden {
		t.Errorf("stop: %d %s", r.Code, r.Body)
	}
	w.clock = w.clock.Add(time.Second)
	w.must(bob, localreport.Start, `{`+tun+`,"user":"alice"}`)
	w.wantAccounted("Start 1", "Stop 1", "Start 2")
}

// TestRights: who may do what.
func TestRights(t *testing.T) {
	c := func(uid uint32) *caller {
		return &caller{uid: uid, daemon: 33, groups: func() []uint32 { return groupsOf[uid] }, rules: rules}
	}
	tests := []struct {
		name  string
		uid   uint32
		right Right
		owner string // "": no
	}{
		{"root", 0, All, "uid/0"},
		{"the daemon's user", 33, All, "uid/33"},
		{"by name", ann, Write, "uid/1001"},
		{"another right", ann, Read, ""},
		{"two rights", bob, Read, "uid/1002"},
		{"a member", carl, Write, "gid/100"},
		{"a member, another right", carl, Disconnect, ""},
		{"nobody listed", eve, Write, ""},
		{"unknown", nobody, Read, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			owner, ok := c(tt.uid).may(tt.right)
			if ok != (tt.owner != "") || ok && owner.String() != tt.owner {
				t.Errorf("%v %t, want %q", owner, ok, tt.owner)
			}
		})
	}
	if got := All.String(); got != "read, write, disconnect" {
		t.Errorf("%q", got)
	}
}

// TestForbidden: a user without the right gets a problem that names the configuration key, before
// anything of the body is read.
func TestForbidden(t *testing.T) {
	w := newWorld(t)
	for _, uid := range []uint32{eve, nobody} {
		if r := w.report(uid, localreport.Start, `not JSON`); r.Code != http.StatusForbidden {
			t.Errorf("%d: %d %s", uid, r.Code, r.Body)
		}
	}
	w.SetAccess([]Rule{{Owner{ID: eve}, Write}})
	w.must(eve, localreport.Start, `{`+tun+`,"user":"a"}`)
	if r := w.report(ann, localreport.Stop, `{`+tun+`}`); r.Code != http.StatusForbidden {
		t.Errorf("the old rules hold: %d", r.Code)
	}
}
