package sessions

import "testing"

func TestKindNames(t *testing.T) {
	for _, want := range []Kind{Network, Exec, Connection} {
		var got Kind
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%v: %v, %v", want, got, err)
		}
	}
	for _, text := range []string{"", "commands", "Exec", "kind(4)"} {
		got := Exec
		if err := got.UnmarshalText([]byte(text)); err == nil || got != Exec {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
