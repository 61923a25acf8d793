package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const referenceFile = "../../../../deploy/aaasess.yaml"

func readReference(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// alternative is a secret in a comment of the reference file.
var alternative = regexp.MustCompile(`#   (secret: \{(file|credential): (\S+)\}).*`)

func TestReferenceIsTaken(t *testing.T) {
	text := readReference(t)
	c, err := Parse("aaasess.yaml", []byte(text), "/etc/aaasess")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.RADIUS.Clients) < 2 || len(c.RADIUS.Servers) < 2 || len(c.RADIUS.Groups) < 1 || len(c.Accounting.Lists) != 3 {
		t.Errorf("the reference shows too little: %+v", c)
	}
}

// The forms of a secret that stand in comments are right too.
func TestReferenceAlternatives(t *testing.T) {
	text := readReference(t)
	found := alternative.FindAllStringSubmatch(text, -1)
	if len(found) != 2 {
		t.Fatalf("found %d alternatives, want 2", len(found))
	}
	dir := t.TempDir()
	t.Setenv(credentialsDir, dir)
	for _, alt := range found {
		if err := os.WriteFile(dir+"/"+alt[3], []byte("from elsewhere\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Parse("aaasess.yaml", []byte(strings.Replace(text, `secret: "change me 1"`, alt[1], 1)), dir)
		if err != nil {
			t.Errorf("%s: %v", alt[1], err)
		} else if got := c.RADIUS.Clients[0].Secret; got != "from elsewhere" {
			t.Errorf("%s: not the secret of the file", alt[1])
		}
	}
}

// undocumented is the keys of the raw structs that a reference file does not have, has without a
// comment, with a value that is not the default and no word of it, or without [restart].
func undocumented(t *testing.T, text string) (missing []string) {
	t.Helper()
	d := &decoder{faults: &faults{file: "aaasess.yaml"}, dir: ".", places: map[string]place{}}
	body := parseSource([]byte(text), d.faults)
	if body == nil {
		t.Fatal(d.err())
	}
	var raw rawConfig
	root := reflect.ValueOf(&raw).Elem()
	d.setDefaults(root)
	d.decode(body, "", placeOf(body), root, "")
	lines := strings.Split(text, "\n")

	keys(reflect.TypeFor[rawConfig](), "", func(path string, f field) {
		at, ok := d.places[strings.ReplaceAll(path, "[]", "[0]")]
		if !ok {
			missing = append(missing, path+" is missing")
			return
		}
		comment := commentOf(lines, f.key, at.line)
		if comment == "" && !slices.Contains(selfEvident, path) {
			missing = append(missing, path+" has no comment")
		}
		if f.tag.Get("restart") != "" && !strings.Contains(comment, "[restart]") {
			missing = append(missing, path+" is not marked [restart]")
		}
		if def := f.tag.Get("default"); def != "" {
			want := strings.Join(strings.Fields(def), ", ")
			line := strings.ReplaceAll(lines[at.line-1], `"`, "")
			if !strings.HasSuffix(line, ": "+want) && !strings.HasSuffix(line, ": ["+want+"]") && !strings.Contains(comment, "default: "+def) {
				missing = append(missing, fmt.Sprintf("%s does not show its default, %s", path, def))
			}
		}
	})
	return missing
}

// selfEvident is what a comment would only repeat.
var selfEvident = []string{
	"radius", "radius.clients[].disconnect.port", "radius.servers[].port",
	"accounting.exec.default.record", "accounting.exec.default.methods", // as for network
	"accounting.connection.default.record", "accounting.connection.default.methods",
}

// commentOf is the comment above a key whose value begins in a line, counted from 1.
func commentOf(lines []string, key string, line int) string {
	i := line - 1
	for i > 0 && !strings.Contains(lines[i], key+":") { // the value of a mapping begins below its key
		i--
	}
	var comment []string
	for i--; i >= 0 && strings.HasPrefix(strings.TrimSpace(lines[i]), "#"); i-- {
		comment = append(comment, strings.Trim(lines[i], " #"))
	}
	slices.Reverse(comment)
	return strings.Join(comment, " ")
}

// No option without a doc line.
func TestReferenceIsComplete(t *testing.T) {
	text := readReference(t)
	for _, fault := range undocumented(t, text) {
		t.Error(fault)
	}
	for _, f := range fieldsOf(reflect.TypeFor[rawSecretSource]()) {
		if !strings.Contains(text, "{"+f.key+": ") {
			t.Errorf("a secret's %s is missing", f.key)
		}
	}
}

func TestReferenceIsCompleteFailing(t *testing.T) {
	text := readReference(t)
	for _, tc := range []struct{ old, instead, want string }{
		{"      window: 1024\n", "", "radius.groups[].window is missing"},
		{"      window: 1024\n", "      window: 1025\n", "radius.groups[].window does not show its default, 1024"},
		{"  # The longest wait between attempts. [restart]\n", "", "sessions.disconnect.retry-max has no comment"},
		{"between attempts. [restart]\n", "between attempts.\n", "sessions.disconnect.retry-max is not marked [restart]"},
		{"# [restart] default: var/state\n", "# [restart]\n", "state does not show its default, var/state"},
	} {
		broken := strings.Replace(text, tc.old, tc.instead, 1)
		if strings.HasPrefix(tc.old, "  # ") {
			broken = strings.Replace(text, "  "+tc.old, "", 1)
		}
		if got := undocumented(t, broken); !slices.Contains(got, tc.want) {
			t.Errorf("without %q: %q, want %q", tc.old, got, tc.want)
		}
	}
}
