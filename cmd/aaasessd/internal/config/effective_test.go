package config

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/strictyaml"
)

// secretsOf returns all secrets in a value.
func secretsOf(v reflect.Value) (secrets []string) {
	switch {
	case v.Type() == reflect.TypeFor[strictyaml.Secret]():
		return []string{v.String()}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return secretsOf(v.Elem())
	case v.Kind() == reflect.Struct && v.Type().PkgPath() != "net/netip":
		for i := range v.NumField() {
			secrets = append(secrets, secretsOf(v.Field(i))...)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			secrets = append(secrets, secretsOf(v.Index(i))...)
		}
	case v.Kind() == reflect.Map:
		for it := v.MapRange(); it.Next(); {
			secrets = append(secrets, secretsOf(it.Value())...)
		}
	}
	return secrets
}

// TestEffective: what is in effect of a file means the same as the file, and has none of its secrets.
func TestEffective(t *testing.T) {
	for _, name := range []string{"default.yaml", referenceFile} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			// Secrets that are in no other text.
			n := 0
			data = regexp.MustCompile(`(secret|password|community|key): [^{\n#,}]+`).ReplaceAllFunc(data, func(b []byte) []byte {
				key, _, _ := bytes.Cut(b, []byte(":"))
				n++
				return []byte(string(key) + `: "swordfish-` + strings.Repeat("x", n) + `"`)
			})
			cfg, err := Parse(name, data, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var raw rawConfig
			if _, err := engine.Decode(name, data, t.TempDir(), &raw); err != nil {
				t.Fatal(err)
			}
			var b, given strings.Builder
			for _, l := range cfg.Effective() {
				b.WriteString(l.Text + "\n")
				if !l.Default {
					given.WriteString(l.Text + "\n")
				}
			}
			text := b.String()
			found := 0
			for _, s := range secretsOf(reflect.ValueOf(raw)) {
				if s == "" {
					continue
				}
				found++
				if strings.Contains(text, s) {
					t.Errorf("the secret %s is in\n%s", s, text)
				}
			}
			if found == 0 || strings.Count(text, "<secret>") != found {
				t.Errorf("%d secrets, %d of them in\n%s", found, strings.Count(text, "<secret>"), text)
			}
			another := func([]byte) []byte {
				n++
				return []byte(`"swordfish-` + strings.Repeat("x", n) + `"`)
			}
			again, err := Parse(name, regexp.MustCompile("<secret>").ReplaceAllFunc([]byte(given.String()), another), t.TempDir())
			if err != nil {
				t.Fatalf("%v in\n%s", err, given.String())
			}
			var lines strings.Builder
			for _, l := range again.Effective() {
				lines.WriteString(l.Text + "\n")
			}
			sorted := func(text string) []string {
				return slices.Sorted(strings.SplitSeq(text, "\n"))
			}
			if diff := cmp.Diff(sorted(text), sorted(lines.String())); diff != "" {
				t.Errorf("it has other lines the second time: %s", diff)
			}
		})
	}
}
