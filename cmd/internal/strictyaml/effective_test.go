package strictyaml_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/cmd/internal/strictyaml"
)

// effective decodes a text and returns the lines of what is in effect. Those of defaults have "# " in
// front.
func effective(t testing.TB, text string) string {
	t.Helper()
	var f file
	d, err := engine.Decode("test.yaml", []byte(text), t.TempDir(), &f)
	if err == nil {
		err = d.Err()
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	var b strings.Builder
	for _, l := range d.Effective(&f) {
		if l.Default {
			b.WriteString("# ")
		}
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

func TestEffective(t *testing.T) {
	got := effective(t, `# the password is swordfish
secret: "swordfish"
name: "a: b" # swordfish
limits: {requests: 1}
lists:
  one: {name: x, secret: "swordfish", timeout: 3s}
secrets: {one: "swordfish"}
peers: [{name: "p\x1bq", secret: "swordfish"}, {name: 'r'}]
words: a
levels: {"1": {two: {name: deep}}}
`)
	want := `name: "a: b"
secret: <secret>
peers:
  - name: "p\x1bq"
    secret: <secret>
  - name: r
limits:
  requests: 1
#   failures: 8
lists:
  one:
    name: x
    secret: <secret>
    timeout: 3s
secrets:
  one: <secret>
words: a
levels:
  "1":
    two:
      name: deep
# level: low
# on: true
# count: 3
# port: 1813
# wait: 5s
# room: 1MiB
# folder: var
# listen: [127.0.0.1:1, "[::1]:2"]
# color: green
# upper: U
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEffectiveSecrets: no secret of a file is in what is in effect, wherever it is in the file, and
// all other values are: the text means the same file.
func TestEffectiveSecrets(t *testing.T) {
	secret := rapid.StringMatching(`[a-z"\\ #:'{}]{4}[0-9]{20}[a-z]`)
	word := rapid.StringMatching(`[ -~]{1,4}[äß]?`)
	rapid.Check(t, func(t *rapid.T) {
		var secrets []string
		hidden := func() string {
			s := secret.Draw(t, "secret")
			secrets = append(secrets, s[4:])
			return fmt.Sprintf("%q", s)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "secret: %s # %s\n", hidden(), hidden())
		if rapid.Bool().Draw(t, "peers") {
			fmt.Fprintf(&b, "peers:\n- secret: %s\n  name: %q\n- {name: y, secret: %s}\n", hidden(), word.Draw(t, "name"), hidden())
		}
		if rapid.Bool().Draw(t, "lists") {
			fmt.Fprintf(&b, "lists: {one: {secret: %s, name: z}}\nsecrets: {one: %s}\n", hidden(), hidden())
		}
		if rapid.Bool().Draw(t, "levels") {
			fmt.Fprintf(&b, "levels:\n  \"3\":\n    one:\n      name: w\n      secret: |-\n        %s\n", "x"+strings.Trim(hidden(), `"`))
		}
		fmt.Fprintf(&b, "name: %q\nlisten: [\"[::1]:7\"]\nlimits: {}\nwords: [b, a]\nwait: 7s\nfrom: [10.0.0.0/8]\n", word.Draw(t, "word"))
		text := b.String()
		decode := func(text string) (*strictyaml.Document, *file) {
			var f file
			d, err := engine.Decode("test.yaml", []byte(text), "/", &f)
			if err == nil {
				err = d.Err()
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			return d, &f
		}
		d, before := decode(text)
		var lines []string
		for _, l := range d.Effective(before) {
			lines = append(lines, l.Text)
		}
		out := strings.Join(lines, "\n") + "\n"
		for _, s := range secrets {
			if strings.Contains(out, s) {
				t.Fatalf("the secret %s is in\n%s", s, out)
			}
		}
		_, after := decode(strings.ReplaceAll(out, "<secret>", `"other"`))
		if diff := cmp.Diff(withoutSecrets(before), withoutSecrets(after)); diff != "" {
			t.Errorf("%s\n%s", diff, out)
		}
	})
}

// withoutSecrets formats a file; its secrets are all the same then.
func withoutSecrets(f *file) string {
	text := fmt.Sprintf("%+v", reflect.ValueOf(*f))
	if f.Limits != nil {
		text += fmt.Sprintf(" %+v", *f.Limits)
	}
	for _, p := range f.Peers {
		text += fmt.Sprint(p.Timeout == nil || *p.Timeout > time.Duration(0))
	}
	at := strings.Index(text, "Limits:")
	return text[:at] + text[at+len("Limits:0x000000000000"):]
}
