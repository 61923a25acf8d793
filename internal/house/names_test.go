package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// importNames has the names under which packages are imported: by path, then by name.
type importNames map[string]map[string]bool

func (n importNames) add(t *testing.T, file string, text []byte) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range f.Imports {
		what, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := packageName(what)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "_" {
			continue
		}
		if n[what] == nil {
			n[what] = map[string]bool{}
		}
		n[what][name] = true
	}
}

// packageName returns the name of a package by its import path.
func packageName(what string) string {
	base := path.Base(what)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" { // a major version
		base = path.Base(path.Dir(what))
	}
	return base
}

func isOurs(what string) bool { return strings.HasPrefix(what, "aaasess/") }

// faults returns packages with several names, and names of several packages, at least one of them
// ours.
func (n importNames) faults() (out []string) {
	owner := map[string]string{}
	for _, what := range slices.Sorted(maps.Keys(n)) {
		names := slices.Sorted(maps.Keys(n[what]))
		if len(names) > 1 {
			out = append(out, fmt.Sprintf("%s is imported as %s", what, strings.Join(names, " and ")))
		}
		for _, name := range names {
			if other := owner[name]; isOurs(other) || isOurs(what) && other != "" {
				out = append(out, fmt.Sprintf("%s is %s in one file and %s in another", name, other, what))
			}
			owner[name] = what
		}
	}
	return out
}

// TestImportNames: a package has one name in all files, and a name of ours stands for one package.
func TestImportNames(t *testing.T) {
	names := importNames{}
	sources(t, func(path string, text []byte) { names.add(t, path, text) })
	for _, fault := range names.faults() {
		t.Error(fault)
	}
}

func TestImportNamesCanFail(t *testing.T) {
	for name, tt := range map[string]struct {
		imports []string // of a file each
		want    int
	}{
		"one name":              {[]string{`"a/x"`, `"a/x"`}, 0},
		"two packages, aliases": {[]string{`"aaasess/x"`, `bx "b/x"`}, 0},
		"two names":             {[]string{`"a/x"`, `y "a/x"`}, 1},
		"two packages":          {[]string{`"aaasess/x"`, `"b/x"`}, 1},
		"a major version":       {[]string{`"a/x"`, `x "a/x"`, `"b/y/v2"`, `y "b/y/v2"`}, 0},
		"for its effect":        {[]string{`"a/x"`, `_ "a/x"`}, 0},
	} {
		names := importNames{}
		for _, i := range tt.imports {
			names.add(t, "x.go", []byte("package p\n\nimport "+i+"\n"))
		}
		if got := names.faults(); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
}

// sentinels returns the exported errors of a package that only their declaration and errors.Is
// mention.
func sentinels(t *testing.T, files map[string][]byte) (unused []string) {
	t.Helper()
	declared, used := map[string]bool{}, map[string]bool{}
	for file, text := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for _, id := range n.Names {
					if strings.HasPrefix(id.Name, "Err") {
						declared[path.Dir(file)+"."+id.Name] = true
					}
				}
				for _, v := range n.Values {
					ast.Inspect(v, func(n ast.Node) bool { return uses(n, file, used) })
				}
				return false
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Is" {
					return false
				}
			}
			return uses(n, file, used)
		})
	}
	for name := range declared {
		_, id, _ := strings.Cut(name, ".")
		if !used[name] && !used[id] {
			unused = append(unused, name)
		}
	}
	slices.Sort(unused)
	return unused
}

// uses records an error that is mentioned: by package and name inside its package, by name
// elsewhere.
func uses(n ast.Node, file string, used map[string]bool) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		used[n.Sel.Name] = true
		return false
	case *ast.Ident:
		used[path.Dir(file)+"."+n.Name] = true
	}
	return true
}

// TestSentinels: an exported error must be returned by the product.
func TestSentinels(t *testing.T) {
	files := map[string][]byte{}
	sources(t, func(path string, text []byte) {
		if !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "test/") {
			files[path] = text
		}
	})
	for _, name := range sentinels(t, files) {
		t.Errorf("%s is exported, but never returned", name)
	}
}

func TestSentinelsCanFail(t *testing.T) {
	const declared = "package p\n\nimport \"errors\"\n\nvar ErrX = errors.New(\"x\")\n\n"
	for name, tt := range map[string]struct {
		code string
		want int
	}{
		"returned":         {"func f() error { return ErrX }\n", 0},
		"in another error": {"var ErrY = fmt.Errorf(\"%w\", ErrX)\n\nfunc f() error { return ErrY }\n", 0},
		"never":            {"", 1},
		"only compared":    {"func f(err error) bool { return errors.Is(err, ErrX) }\n", 1},
	} {
		if got := sentinels(t, map[string][]byte{"p/x.go": []byte(declared + tt.code)}); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
}
