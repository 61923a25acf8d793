package sessions

import (
	"testing"

	"pgregory.net/rapid"
)

// TestFingerprintsOfModel: fingerprints keep the same as six places would, whatever order packets
// have, and a state of a session keeps its own when a later one is made of it.
func TestFingerprintsOfModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var now fingerprints
		var model allFingerprints
		states, want := []fingerprints{now}, []allFingerprints{model}
		for i, typ := range rapid.SliceOfN(rapid.SampledFrom([]EventType{Start, Interim, Stop}), 0, 12).Draw(t, "packets") {
			f := fingerprint{sum: uint64(i + 1), attrs: uint32(i), at: uint32(i % 2)}
			switch {
			case typ == Start && model[0].sum == 0:
				model[0] = f
			case typ == Stop:
				model[1] = f
			default:
				model[2], model[3], model[4], model[5] = f, model[2], model[3], model[4]
			}
			now.add(&Event{Type: typ, fingerprint: f})
			states, want = append(states, now), append(want, model)
		}
		for i := range states {
			if got := states[i].all(); got != want[i] {
				t.Fatalf("after %d packets: %v, want %v", i, got, want[i])
			}
		}
	})
}

// TestFirstFingerprint: a session that has had only a start needs no room for fingerprints of later packets.
func TestFirstFingerprint(t *testing.T) {
	s := newSession(1, &NAS{}, &Event{Type: Start, AcctSessionID: "1", fingerprint: fingerprint{sum: 1}})
	if s.fingerprints.later != nil {
		t.Errorf("room for fingerprints of later packets: %v", s.fingerprints.later)
	}
}
