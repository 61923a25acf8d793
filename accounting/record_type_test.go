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
		if got := tt.record.includes(tt.event); got != tt.want {
			t.Errorf("%s: %s: got %t", tt.record, tt.event, got)
		}
	}
}
