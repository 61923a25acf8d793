package strictyaml_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/strictyaml"
)

// FuzzDecode: no text makes the decoder panic, and every fault has a place in the text.
func FuzzDecode(f *testing.F) {
	for _, tt := range slices.Concat(rejectedSources, rejectedValues) {
		if len(tt.text) < 1500 {
			f.Add([]byte(tt.text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decode(string(data), "/nowhere")
		if err == nil {
			if got.Name == "" || len(got.Name) > 8 || got.Count < -5 || got.Count > 100 || got.Port == 0 || got.Room < 1<<10 ||
				len(got.Listen) < 1 || len(got.Listen) > 3 || got.Folder == "" {
				t.Errorf("out of its ranges: %+v", got)
			}
			return
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("error is a %T", err)
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, e := range joined.Unwrap() {
			var fault *strictyaml.Error
			if !errors.As(e, &fault) || fault.File != "f.yaml" || fault.Line < 1 || fault.Line > lines || fault.Column < 1 || fault.Text == "" {
				t.Errorf("fault without a place: %#v", e)
			}
		}
	})
}
