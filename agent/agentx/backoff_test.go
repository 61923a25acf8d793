package agentx

import (
	"testing"
	"time"
)

// TestBackoff: the pauses after each of these attempts, in a row.
func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	type attempt struct {
		reason Reason
		up     time.Duration
		at     time.Duration
		want   time.Duration
	}
	no, dup := NoMaster, DuplicateRegistration
	tests := map[string][]attempt{
		"away":          {{no, 0, 0, 50 * ms}, {no, 0, 0, 100 * ms}, {no, 0, 0, 200 * ms}, {no, 0, 0, 400 * ms}, {no, 0, 0, 800 * ms}, {no, 0, 0, 1000 * ms}, {no, 0, time.Hour, 1000 * ms}},
		"not permitted": {{PermissionDenied, 0, 0, 50 * ms}, {PermissionDenied, 0, 0, 100 * ms}, {no, 0, 0, 200 * ms}},
		"refused after it was away": {
			{no, 0, 0, 50 * ms}, {no, 0, 0, 100 * ms}, {dup, 0, time.Hour, 50 * ms}, {Refused, 0, time.Hour, 100 * ms},
		},
		"refused for long": {
			{dup, 0, 0, 50 * ms},
			{dup, 0, 0, 100 * ms},
			{dup, 0, 0, 200 * ms},
			{dup, 0, 0, 400 * ms},
			{dup, 0, 0, 800 * ms},
			{dup, 0, 59 * time.Second, 1000 * ms},
			{dup, 0, time.Minute, 3200 * ms},
			{dup, 0, time.Hour, 5000 * ms},
			{no, 0, time.Hour, 1000 * ms},
			{dup, 0, time.Hour, 50 * ms},
		},
		"by turns, away and refused": {
			{no, 0, 0, 50 * ms}, {dup, 0, 0, 50 * ms}, {no, 0, 0, 200 * ms}, {dup, 0, 0, 50 * ms}, {no, 0, 0, 800 * ms}, {dup, 0, 0, 50 * ms}, {no, 0, 0, 1000 * ms},
		},
		"short connections":       {{no, time.Second, 0, 50 * ms}, {no, time.Second, 0, 100 * ms}},
		"connections that settle": {{no, 0, 0, 50 * ms}, {no, 6 * time.Second, 0, 50 * ms}, {dup, 0, 0, 50 * ms}, {dup, 6 * time.Second, 0, 50 * ms}},
	}
	for name, attempts := range tests {
		t.Run(name, func(t *testing.T) {
			var b backoff
			begin := time.Now()
			for i, a := range attempts {
				if got := b.next(a.reason, a.up, begin.Add(a.at)); got != a.want {
					t.Errorf("pause %d is %s, want %s", i+1, got, a.want)
				}
			}
		})
	}
}

// TestBackoffLong: a great number of attempts, at which a shift would overflow.
func TestBackoffLong(t *testing.T) {
	for reason, want := range map[Reason]time.Duration{
		NoMaster: time.Second, PermissionDenied: time.Second, DuplicateRegistration: 5 * time.Second, Refused: 5 * time.Second,
	} {
		for _, n := range []int{63, 64, 1 << 40} {
			b := backoff{attempts: n, refusals: n}
			if got := b.next(reason, 0, time.Now()); got != want {
				t.Errorf("%s, attempt %d: %s, want %s", reason, n, got, want)
			}
		}
	}
}
