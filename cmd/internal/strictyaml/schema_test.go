package strictyaml_test

import (
	"flag"
	"os"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/schema.json")

// TestSchema: the schema covers every type and tag.
func TestSchema(t *testing.T) {
	const golden = "testdata/schema.json"
	got := engine.Schema("a file", reflect.TypeFor[file]())
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
