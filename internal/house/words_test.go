package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"unicode"
)

// vagueWords are words that no name in the code may contain, with a better choice.
var vagueWords = map[string]string{
	"odd":        "say what differs: custom, invalid, unprintable",
	"strange":    "say what differs: unknown, unexpected",
	"stranger":   "unknown, foreign",
	"guilty":     "suspect",
	"blame":      "suspect",
	"blamed":     "suspect",
	"vain":       "failed",
	"convict":    "set aside",
	"rouse":      "wake",
	"unwait":     "wake, cancel",
	"grasp":      "parse, match",
	"obey":       "execute, apply",
	"tend":       "run, maintain",
	"desk":       "queue, dispatcher",
	"grievance":  "fault, problem",
	"grievances": "faults, problems",
}

// vagueVerbs are words that are no name of a function or method by themselves, because they do not
// say what it does.
var vagueVerbs = map[string]string{
	"take": "read, remove, receive, accept, reserve",
	"gain": "mark up, add",
	"lose": "mark down, remove",
	"made": "say what was made, or use a noun",
	"part": "split, or say the part of what",
}

// vagueNames are names that may contain such a word, with the reason: "path name".
var vagueNames = map[string]string{}

// nameFaults returns the names in a file that contain a vague word, each once.
func nameFaults(t *testing.T, path string, text []byte) (out []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	fault := func(name, better string) {
		if vagueNames[path+" "+name] == "" && !seen[name] {
			out = append(out, fmt.Sprintf("the name %s says little; better: %s", name, better))
		}
		seen[name] = true
	}
	function := func(name string) {
		if better := vagueVerbs[strings.ToLower(name)]; better != "" {
			fault(name, better)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			function(n.Name.Name)
		case *ast.InterfaceType:
			for _, method := range n.Methods.List {
				for _, id := range method.Names {
					function(id.Name)
				}
			}
		case *ast.Ident:
			for _, word := range words(n.Name) {
				if better := vagueWords[word]; better != "" {
					fault(n.Name, better)
				}
			}
		}
		return true
	})
	return out
}

// words splits a name in camel case into its words, in lower case: "ParseHTTPBody" has "parse",
// "http" and "body".
func words(name string) (out []string) {
	letters := []rune(name)
	begin := 0
	for i := 1; i <= len(letters); i++ {
		switch {
		case i == len(letters), letters[i] == '_':
		case unicode.IsUpper(letters[i]) && !unicode.IsUpper(letters[i-1]): // parse|HTTP
		case i+1 < len(letters) && unicode.IsUpper(letters[i]) && unicode.IsLower(letters[i+1]): // HTTP|Body
		default:
			continue
		}
		if word := strings.Trim(strings.ToLower(string(letters[begin:i])), "_0123456789"); word != "" {
			out = append(out, word)
		}
		begin = i
	}
	return out
}

// TestNames: names use the words of the field.
func TestNames(t *testing.T) {
	sources(t, func(path string, text []byte) {
		for _, fault := range nameFaults(t, path, text) {
			t.Errorf("%s: %s", path, fault)
		}
	})
}

func TestNamesCanFail(t *testing.T) {
	for name, tt := range map[string]struct {
		code string
		want int
	}{
		"plain":                  {"func (q *Queue) Wake() {}", 0},
		"a function":             {"func rouse() {}", 1},
		"a method":               {"func (q *Queue) Rouse() {}", 1},
		"a word in the middle":   {"func ParseOddBody() {}", 1},
		"a word at the end":      {"var methodBlamed bool", 1},
		"after an abbreviation":  {"type HTTPDesk struct{}", 1},
		"after a number":         {"const rfc2866_Odd = 1", 1},
		"a field":                {"type x struct{ guilty bool }", 1},
		"a local variable":       {"func f() { stranger := 1; _ = stranger }", 1},
		"a part of another word": {"func extend(tendency, oddity int) {}", 0},
		"a vague verb":           {"func (q *Queue) Take() {}", 1},
		"in an interface":        {"type x interface{ take() }", 1},
		"with an object":         {"func takeSnapshot() {}", 0},
		"a part as a variable":   {"func f() { part := 1; _ = part }", 0},
		"in a comment or text":   {"// Odd.\nconst x = \"odd\"", 0},
	} {
		if got := nameFaults(t, "x.go", []byte("package p\n\n"+tt.code+"\n")); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
}
