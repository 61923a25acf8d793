package strictyaml_test

import (
	"flag"
	"reflect"
	"testing"

	"aaasess/internal/goldentest"
)

var update = flag.Bool("update", false, "write testdata/schema.json")

// TestSchema: the schema covers every type and tag.
func TestSchema(t *testing.T) {
	got := engine.Schema("a file", reflect.TypeFor[file]())
	goldentest.Check(t, "testdata/schema.json", string(got), *update, "go test -update")
}
