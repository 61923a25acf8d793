package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/manpage"
	"aaasess/internal/goldentest"
)

const (
	manFile = "../../../../docs/man/aaasess.yaml.5"
	manDate = "2026-11-29" // when the meaning of the page last changed
)

// keyPage writes the keys of structs into a page.
type keyPage struct {
	*manpage.Page
	sections map[reflect.Type]string // the path of the section that describes the keys of a struct
}

// section describes the keys of a struct, and then those of the structs below it.
func (p *keyPage) section(heading, path string, t reflect.Type) {
	p.Subsection(heading)
	type below struct {
		path string
		typ  reflect.Type
	}
	var next []below
	for i := range t.NumField() {
		f := t.Field(i)
		at, typ := keysBelow(strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), "."), f)
		term := manpage.Bold(f.Tag.Get("yaml"))
		if typ == nil {
			p.Term(term+": "+manpage.Plain(kind(f)), f.Tag.Get("doc")+details(f))
			continue
		}
		text := f.Tag.Get("doc") + details(f)
		if first, described := p.sections[typ]; described {
			text += " Keys: see " + first + "."
		} else {
			p.sections[typ] = at
			next = append(next, below{at, typ})
		}
		p.Term(term+": "+manpage.Plain(kind(f)), text)
	}
	for _, b := range next {
		p.section(b.path, b.path, b.typ)
	}
}

// keysBelow returns the struct of a key whose value is a mapping, or a list or map of mappings, and
// the path of its keys; nil for other keys.
func keysBelow(path string, f reflect.StructField) (string, reflect.Type) {
	t := f.Type
	if !isScalar(t) {
		switch t.Kind() {
		case reflect.Slice:
			t, path = t.Elem(), path+"[]"
		case reflect.Map:
			for ; t.Kind() == reflect.Map && !isScalar(t); path += "{}" {
				t = t.Elem()
			}
		case reflect.Pointer:
			t = t.Elem()
		}
	}
	if isScalar(t) {
		return path, nil
	}
	return path, t
}

// suchAs matches the example in what a value must be.
var suchAs = regexp.MustCompile(`( in quotes,)? such as [^ ,]+`)

// kind returns what the value of a key is.
func kind(f reflect.StructField) string {
	wants := suchAs.ReplaceAllString(engine.Wants(f.Type, f.Tag), "")
	switch {
	case f.Type.Kind() == reflect.Map && f.Tag.Get("each") != "":
		return "a mapping; each key is " + f.Tag.Get("wants") + "; each value is a mapping, whose keys are each " + reflect.StructTag(f.Tag.Get("each")).Get("wants")
	case f.Tag.Get("single") != "":
		return wants + "; or a list of these"
	case f.Type.Kind() == reflect.Map:
		return "a mapping; each key is " + f.Tag.Get("wants")
	case f.Type.Kind() == reflect.Slice && !isScalar(f.Type) && wants == "":
		return "a list of mappings"
	case f.Type.Kind() == reflect.Slice && !isScalar(f.Type):
		return "a list; each entry is " + wants
	case wants == "":
		return "a mapping"
	}
	return wants
}

// details returns what the tags say of a key besides its description.
func details(f reflect.StructField) (text string) {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	isList := t.Kind() == reflect.Slice && !isScalar(t)
	if lo, hi := f.Tag.Get("min"), f.Tag.Get("max"); hi != "" {
		switch {
		case isList && lo == "":
			text += fmt.Sprintf(" At most %s entries.", hi)
		case isList:
			text += fmt.Sprintf(" From %s to %s entries.", lo, hi)
		case t.Kind() == reflect.String && lo == "0":
			text += fmt.Sprintf(" At most %s octets.", hi)
		case t.Kind() == reflect.String:
			text += fmt.Sprintf(" From %s to %s octets.", lo, hi)
		default:
			text += fmt.Sprintf(" From %s to %s.", lo, hi)
		}
	}
	if f.Tag.Get("required") != "" {
		text += " Required."
	}
	if def := f.Tag.Get("default"); def != "" {
		text += " Default: " + strings.ReplaceAll(def, " ", ", ") + "."
	}
	switch f.Tag.Get("restart") {
	case "yes":
		text += " A change needs a restart."
	case "presence":
		text += " To add or remove it needs a restart."
	}
	return text
}

// manExample is the example of the page.
const manExample = `
state: /var/lib/aaasess
control: {socket: /run/aaasess/aaasess.sock}

snmp:
  agentx: {}                    # through the snmpd of this host
  session-mib-disconnect: true

radius:
  clients:
    - name: bras-1
      address: 192.0.2.1
      secret: {file: bras-1.secret}
  servers:
    - name: r1
      address: radius1.example.net
      secret: {file: r1.secret}
  groups:
    - {name: isp, servers: [r1]}

accounting:
  network: {default: {record: start-stop, methods: [group isp, local]}}
  local: {file: /var/log/aaasess/accounting.jsonl}
`

// manPage returns aaasess.yaml(5).
func manPage() string {
	page := manpage.New(manpage.Title{
		Name: "aaasess.yaml", Section: 5, Date: manDate, Manual: "aaasess manual",
		Summary: "configuration of aaasessd",
	})
	page.Section("DESCRIPTION")
	page.Text(manDescription)
	page.Section("VALUES")
	for _, v := range manValues {
		page.Term(manpage.Bold(v[0]), v[1])
	}
	page.Section("KEYS")
	page.Text(`The headings are the paths of the keys below them: name below radius.clients[] is a key of each
entry of the list clients in the mapping radius, and record below accounting.network{} one of each
value of the mapping network. A key that is not required may be missing, and then
has its default.`)
	p := keyPage{page, map[reflect.Type]string{}}
	p.section("The file", "", reflect.TypeFor[rawConfig]())
	page.Section("EXAMPLE")
	page.Text(`A NAS whose records go to one RADIUS server, and while that does not answer, to a file. snmpd serves
the session table.`)
	page.Code(manExample)
	page.Section("FILES")
	page.Term(manpage.Italic("/etc/aaasess/aaasess.yaml"), "The usual place of the configuration.")
	page.Section("SEE ALSO")
	page.Paragraph(manpage.Bold("aaasessd") + "(8), " + manpage.Bold("aaasess") + "(1), " + manpage.Bold("snmpd.conf") + "(5), " +
		manpage.Bold("systemd.exec") + "(5)")
	return page.String()
}

const manDescription = `aaasessd reads its configuration from the file that --config names. The file is YAML. It is strict:
an unknown key, a key that occurs twice, a value of another kind and a value out of its range are
errors. Anchors, aliases, tags, merge keys and several documents are not supported.

"aaasessd check" reports every error with its line and column. If the file has an error at the
start, the daemon does not start.

SIGHUP makes the daemon load the file again. It refuses the whole file if it has an error, or if a
key has changed whose change needs a restart. The log then says why, and the daemon keeps its old
configuration. A reload loses no session and no record.

"aaasessd schema" prints a JSON schema, with which editors complete and check the keys.`

var manValues = [][2]string{
	{"text", `Quotes are needed for text that looks like a number, true, false or null, and for text that begins
with a special character of YAML.`},
	{"a name", `1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first. Below
snmp.responder it has at most 32.`},
	{"a duration", "Numbers with the units ms, s, m and h: 500ms, 5s, 1h30m."},
	{"a size", "A number with the unit KiB, MiB, GiB or TiB: 256MiB."},
	{"a secret", `Text in quotes, or a mapping that says where the secret is. {file: PATH} is a file; a newline at its
end is cut off. {credential: NAME} is a credential of the systemd unit (LoadCredential= in
systemd.exec(5)). Neither logs nor errors show secrets.`},
	{"the name of a file", "A relative name begins in the folder of the configuration file."},
	{"an IP address and port", `127.0.0.1:1813 or "[::1]:1813".`},
	{"a prefix", `192.0.2.0/24 or "2001:db8::/32".`},
	{"an OID", `Numbers with dots, in quotes: "1.3.6.1.4.1.9.9.150".`},
}

// TestManPage: the page follows the tags. "make man" writes it.
func TestManPage(t *testing.T) {
	goldentest.Check(t, manFile, manPage(), *update, "make man")
}

// TestManExample: the example is valid.
func TestManExample(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"bras-1.secret", "r1.secret"} {
		if err := os.WriteFile(dir+"/"+name, []byte("not guessable\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Parse("aaasess.yaml", []byte(manExample), dir); err != nil {
		t.Error(err)
	}
}

// undescribedKeys returns the keys that a page does not describe. If several mappings have the same
// keys, as with backoff, only the first one is checked.
func undescribedKeys(page string) (missing []string) {
	seen := map[reflect.StructTag]bool{}
	allKeys(func(path string, f reflect.StructField) {
		heading, key := "The file", path
		if i := strings.LastIndex(path, "."); i >= 0 {
			heading, key = path[:i], path[i+1:]
		}
		if seen[f.Tag] {
			return
		}
		seen[f.Tag] = true
		escape := strings.NewReplacer("-", `\-`).Replace
		_, section, _ := strings.Cut(page, "\n.SS \""+escape(heading)+"\"\n")
		section, _, _ = strings.Cut(section, "\n.S")
		if !strings.Contains("\n"+section, "\n.TP\n\\fB"+escape(key)+"\\fR: ") {
			missing = append(missing, path)
		}
	})
	return missing
}

// TestManPageIsComplete: the page has every key.
func TestManPageIsComplete(t *testing.T) {
	for _, path := range undescribedKeys(manPage()) {
		t.Errorf("%s is not in %s", path, manFile)
	}
}

func TestManPageIsCompleteFailing(t *testing.T) {
	for name, tt := range map[string]struct {
		remove string
		want   []string
	}{
		"a key":        {`\fBhold\-down\fR: a duration`, []string{"radius.hold-down"}},
		"a mapping":    {`\fBlog\fR: a mapping`, []string{"log"}},
		"a section":    {".SS \"store\"", []string{"store.min-free", "store.max-size"}},
		"keys of many": {`\fBmax\-delay\fR: `, []string{"radius.backoff.max-delay"}},
	} {
		page := strings.Replace(manPage(), tt.remove, "", 1)
		if got := undescribedKeys(page); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
