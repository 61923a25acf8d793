package main

import (
	"testing"
	"time"

	"aaasess/sessions"
)

func TestParseBoot(t *testing.T) {
	tests := []struct {
		name, id, uptime string
		want             sessions.Boot
	}{
		{"as Linux has it", "d2b3a3a5-4ae4-4f5b-9b0e-7d1f3f0e3f10\n", "3672.41 7023.18\n", sessions.Boot{ID: "d2b3a3a5-4ae4-4f5b-9b0e-7d1f3f0e3f10", Uptime: 3672410 * time.Millisecond}},
		{"no id", "\n", "3672.41 7023.18\n", sessions.Boot{}},
		{"no number", "d2b3", "long\n", sessions.Boot{}},
		{"no uptime", "d2b3", "", sessions.Boot{}},
		{"negative", "d2b3", "-1 2", sessions.Boot{}},
		{"not a number", "d2b3", "NaN 1", sessions.Boot{}},
		{"too large", "d2b3", "1e300 1", sessions.Boot{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := parseBoot(tt.id, tt.uptime)
			if d := got.Uptime - tt.want.Uptime; got.ID != tt.want.ID || d < -time.Millisecond || d > time.Millisecond {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if b := thisBoot(); b.ID == "" || b.Uptime <= 0 {
		t.Errorf("this host: %+v", b)
	}
}
