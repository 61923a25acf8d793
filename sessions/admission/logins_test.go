package admission

import (
	"fmt"
	"reflect"
	"testing"

	"aaasess/internal/radius"
)

// pointers returns the parts of a type that the garbage collector would follow.
func pointers(t reflect.Type, name string) (out []string) {
	switch t.Kind() {
	case reflect.Struct:
		for f := range t.Fields() {
			out = append(out, pointers(f.Type, name+"."+f.Name)...)
		}
	case reflect.Array:
		return pointers(t.Elem(), name+"[]")
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
	default:
		out = append(out, name+" "+t.String())
	}
	return out
}

// TestNoPointers: the garbage collector has nothing to mark in what is kept of each login.
func TestNoPointers(t *testing.T) {
	for _, of := range []any{entry{}, place{}, link{}, renewal{}} {
		typ := reflect.TypeOf(of)
		if got := pointers(typ, typ.Name()); got != nil {
			t.Errorf("pointers: %q", got)
		}
	}
	if pointers(reflect.TypeFor[login](), "login") == nil {
		t.Error("login has strings, and none was found")
	}
}

// TestHandle: a handle of a login that is not kept any more is not that of the next one in its place.
func TestHandle(t *testing.T) {
	x := newLogins()
	keep := func(user string) handle {
		q := loginAt(nas1, user)
		w := whoOf(&q.NAS, q.Kind, q.Attrs)
		l := newLogin(q, &w)
		return x.keep(&l, 0)
	}
	if x.entryOf(handle{}) != nil {
		t.Error("there is a login before the first")
	}
	first := keep("first")
	l := x.login(first.ref)
	l.granted = attrs(radius.UserName, "other")
	if again := x.replace(first.ref, &l, 1); again != first || x.entryOf(first) == nil || x.login(first.ref).also != "other" {
		t.Errorf("replaced: %v, %v, %+v", first, again, x.login(first.ref))
	}
	x.drop(first.ref)
	if x.entryOf(first) != nil {
		t.Error("it was dropped")
	}
	second := keep("second")
	if second.ref != first.ref {
		t.Fatalf("places %d and %d", first.ref, second.ref)
	}
	if x.entryOf(first) != nil || x.entryOf(second) == nil {
		t.Error("the second login was taken for the first")
	}
}

// TestBurst: after a burst the memory is given back, and what named its logins names none.
func TestBurst(t *testing.T) {
	for _, n := range []int{burst, burst + 1} {
		x := newLogins()
		var all []handle
		for i := range n {
			q := loginAt(nas1, fmt.Sprint("user", i))
			w := whoOf(&q.NAS, q.Kind, q.Attrs)
			l := newLogin(q, &w)
			all = append(all, x.keep(&l, 0))
		}
		for _, h := range all {
			x.drop(h.ref)
		}
		if given := len(x.kept.chunks) == 0; given != (n > burst) || x.octets != 0 || len(x.chains) > 0 || len(x.nases.byValue) > 0 {
			t.Errorf("%d logins: given back %v; %d octets, %d chains, %d NASes", n, given, x.octets, len(x.chains), len(x.nases.byValue))
		}
		q := loginAt(nas1, "another")
		w := whoOf(&q.NAS, q.Kind, q.Attrs)
		l := newLogin(q, &w)
		if h := x.keep(&l, 0); x.entryOf(h) == nil {
			t.Error("no login after the burst")
		}
		for _, h := range all {
			if x.entryOf(h) != nil {
				t.Fatalf("%d logins: %v names another login", n, h)
			}
		}
	}
}
