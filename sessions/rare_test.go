package sessions

import (
	"testing"
	"unsafe"
)

// TestSessionIsSmall: a session has the size of an object of the Go runtime, so that no memory is lost,
// and one that has had only a start has nothing that is rare.
func TestSessionIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Session{}); size > 192 {
		t.Errorf("a session has %d octets; the next objects of the runtime have 208, 16 MB more for a million", size)
	}
	start := event(Start, 0)
	if s := newSession(1, &start.NAS, &start); s.rare != nil {
		t.Errorf("a new session has %+v", s.rare)
	}
}
