package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// logPage is the page that lists the log messages about how sessions are ended.
const logPage = "../../docs/disconnect.md"

// endMessages matches the beginning of the log messages about how sessions are ended: by operators, by
// servers, and by aaasess itself.
const endMessages = "(?:disconnect(?:: | by )|dynamic authorization(?:: | request)|session (?:is|cleared) )"

// endMessage matches a message about the end of sessions.
var endMessage = regexp.MustCompile("^" + endMessages)

// listedMessage matches a table row that begins with such a message.
var listedMessage = regexp.MustCompile("(?m)^\\| `(" + endMessages + "[^`]*)` \\| .")

// listedMessages returns the messages in the tables of a page.
func listedMessages(page string) (out []string) {
	for _, m := range listedMessage.FindAllStringSubmatch(page, -1) {
		out = append(out, m[1])
	}
	return out
}

// loggedMessages returns the string literals of a file that are messages about the end of sessions.
func loggedMessages(t *testing.T, path string, text []byte) (out []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			if s, _ := literal(e); endMessage.MatchString(s) {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}

// difference returns the messages of a that b does not have.
func difference(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// TestLogPage: docs/disconnect.md lists exactly the messages of the sources, because operators
// search for them.
func TestLogPage(t *testing.T) {
	page, err := os.ReadFile(logPage)
	if err != nil {
		t.Fatal(err)
	}
	listed := listedMessages(string(page))
	var logged []string
	sources(t, func(path string, text []byte) {
		if !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "internal/house/") {
			logged = append(logged, loggedMessages(t, path, text)...)
		}
	})
	for _, s := range difference(logged, listed) {
		t.Errorf("%q is logged, and %s does not list it", s, logPage)
	}
	for _, s := range difference(listed, logged) {
		t.Errorf("%s lists %q, and nothing logs it", logPage, s)
	}
	if len(logged) == 0 {
		t.Error("no messages found")
	}
}

func TestLogPageCanFail(t *testing.T) {
	listed := listedMessages("| line | meaning |\n|---|---|\n| `disconnect: a` | x |\n| `disconnect by b` | x |\n| `other` | x |\n| `session is c` | x |\n| `session d` | x |\n" +
		"| `dynamic authorization: e` | x |\n| `dynamic authorization request f` | x |\n")
	logged := loggedMessages(t, "x.go", []byte(`package p

func f() {
	log.Info("disconnect: a")
	log.Warn("disconnect: c", "err", 1)
	log.Info("disconnect attribute")
	log.Info("session is c")
	log.Info("session cleared g")
	log.Info("session table")
	log.Info("dynamic authorization: h")
	log.Info("dynamic authorization request f")
	lines = append(lines, "dynamic authorization")
}
`))
	if got, want := difference(logged, listed), []string{"disconnect: c", "session cleared g", "dynamic authorization: h"}; !slices.Equal(got, want) {
		t.Errorf("logged and not listed: %q, want %q", got, want)
	}
	if got, want := difference(listed, logged), []string{"disconnect by b", "dynamic authorization: e"}; !slices.Equal(got, want) {
		t.Errorf("listed and not logged: %q, want %q", got, want)
	}
}
