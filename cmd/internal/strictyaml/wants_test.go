package strictyaml

import (
	"reflect"
	"testing"
	"time"
)

func TestWants(t *testing.T) {
	type file struct {
		Text     string           `yaml:"text"`
		Enum     string           `yaml:"enum" enum:"a b c"`
		Wait     *time.Duration   `yaml:"wait"`
		Secret   Secret           `yaml:"secret"`
		Sizes    []Size           `yaml:"sizes"`
		Words    []string         `yaml:"words" single:"yes" each:"enum:\"a b\""`
		Mapping  struct{}         `yaml:"mapping"`
		Mappings []struct{}       `yaml:"mappings"`
		Pointer  *struct{ X int } `yaml:"pointer"`
	}
	want := []string{"text", "a, b or c", "a duration such as 5s", "a secret", "a size such as 256MiB", "a or b", "", "", ""}
	e := New(nil)
	for i, f := range fieldsOf(reflect.TypeFor[file]()) {
		if got := e.Wants(f.typ, f.tag); got != want[i] {
			t.Errorf("%s: %q, want %q", f.key, got, want[i])
		}
	}
}
