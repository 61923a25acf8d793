package sessions

import (
	"reflect"
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

// TestRareIsEmpty: no field of rare is forgotten, and a session whose last rare field is cleared has none.
func TestRareIsEmpty(t *testing.T) {
	for field := range reflect.TypeFor[rare]().Fields() {
		var r rare
		switch f := reflect.NewAt(field.Type, reflect.ValueOf(&r).Elem().FieldByIndex(field.Index).Addr().UnsafePointer()).Elem(); f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.New(field.Type.Elem()))
		case reflect.Slice:
			f.Set(reflect.MakeSlice(field.Type, 1, 1))
		case reflect.Int64:
			f.SetInt(-1 << 63)
		default:
			f.SetUint(1)
		}
		if r.isEmpty() {
			t.Errorf("with %s it is empty", field.Name)
		}
	}
	var s Session
	s.SetTold(1)
	before := s
	if s.SetTold(0); s.rare != nil || before.Told() != 1 {
		t.Errorf("%+v, and before %d", s.rare, before.Told())
	}
}
