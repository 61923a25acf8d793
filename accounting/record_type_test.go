package accounting

import (
	"testing"

	"aaasess/sessions"
)

func TestRecordType(t *testing.T) {
	for _, want := range []RecordType{None, StartStop, StopOnly, StopFailure} {
		var got RecordType
		if err := got.UnmarshalText([]byte(want.String())); got != want || err != nil {
			t.Errorf("%s: got %s, %v", want, got, err)
		}
	}
	if err := new(RecordType).UnmarshalText([]byte("wait-start")); err == nil {
		t.Errorf("wait-start: %v", err)
	}
	if s := RecordType(9).String(); s != "record-type(9)" {
		t.Error(s)
	}
}

func TestRecordTypeIncludes(t *testing.T) {
	user := &sessions.Session{Kind: sessions.Network}
	tests := []struct {
		record RecordType
		event  sessions.EventType
		want   bool
	}{
		{StartStop, sessions.Start, true},
		{StartStop, sessions.Interim, true},
		{StartStop, sessions.Stop, true},
		{StartStop, sessions.Other, true},
		{StopOnly, sessions.Start, false},
		{StopOnly, sessions.Interim, false},
		{StopOnly, sessions.Stop, true},
		{StopOnly, sessions.Other, false},
		{None, sessions.Stop, false},
	}
	for _, tt := range tests {
		if got := tt.record.includes(&sessions.Notice{Type: tt.event, Session: user}); got != tt.want {
			t.Errorf("%s: %s: got %t", tt.record, tt.event, got)
		}
	}
}

// TestStopFailure: S1 "generates a \"stop\" accounting record for any calls that do not reach user
// authentication [...]. All calls that pass user authentication behave as they did before; that is,
// no additional accounting records are seen."
func TestStopFailure(t *testing.T) {
	failed, passed := &sessions.Session{Kind: sessions.Resource}, &sessions.Session{Kind: sessions.Resource, Reached: true}
	for _, event := range []sessions.EventType{sessions.Start, sessions.Interim, sessions.Stop, sessions.Other} {
		if StopFailure.includes(&sessions.Notice{Type: event, Session: passed}) {
			t.Errorf("%s of a call that passed", event)
		}
		if got := StopFailure.includes(&sessions.Notice{Type: event, Session: failed}); got != (event == sessions.Stop) {
			t.Errorf("%s of a call that failed: %t", event, got)
		}
		for _, s := range []*sessions.Session{failed, passed} { // S1's example has both lists: start-stop contains the other
			if !StartStop.includes(&sessions.Notice{Type: event, Session: s}) {
				t.Errorf("%s is not in start-stop", event)
			}
		}
		if StopFailure.includes(&sessions.Notice{Type: event, Session: &sessions.Session{Kind: sessions.Network}}) {
			t.Errorf("%s of a user", event)
		}
	}
}
