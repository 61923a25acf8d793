package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

const (
	// maxFunction is the maximum number of lines of a function of the product, maxTest of a test.
	// Lines of composite literals do not count: they are data.
	maxFunction = 60
	maxTest     = 100
	// maxPackage is the maximum number of lines of a package without its tests.
	maxPackage = 2000
)

// longFunctions are functions that may be longer, with the reason.
var longFunctions = map[string]string{}

// largePackages are packages that may be larger, with their maximum and the reason. If one shrinks,
// reduce its number or remove it.
var largePackages = map[string]struct {
	lines int
	why   string
}{
	"accounting":                   {2400, "a record, its layout and its attributes, the routes, and the Router that makes it"},
	"accounting/delivery":          {3500, "one machine: queues, lanes, starts that wait and methods share its goroutine; each file is one step of it"},
	"agent/agentx":                 {3050, "codec and machine of one protocol, and its figures by type of PDU"},
	"agent/snmp/notify":            {2350, "targets, engine discovery and the machine of informs"},
	"bench/stand":                  {2600, "one or two files for each program that is measured, with its configuration"},
	"bench":                        {4000, "the sections of docs/benchmarks.md and their prose, one or two files each"},
	"cmd/aaasessd":                 {3500, "one file for each part of the daemon, which it opens and connects"},
	"cmd/aaasessd/internal/config": {3950, "the keys of one file, and what must hold between them"},
	"cmd/internal/api":             {2200, "the messages of all requests of the control socket, one file for each group of them"},
	"cmd/internal/control":         {3650, "one file for each group of requests"},
	"internal/radius":              {2150, "the wire: packets, attributes, their encryption, and the dictionary with its values"},
	"internal/radius/client":       {3000, "servers, paths, groups and exchanges of both purposes, and the tests of idle and dead servers, are one machine under one mutex; their statistics, and the log of their packets"},
	"internal/tacacs/client":       {2400, "servers, paths, connections, groups and exchanges are one machine under one mutex"},
	"sessions":                     {7150, "the table, its machine and its codec share what a session is, and calls and groups of routers are sessions; nesting decides when its ends are recorded; events without a session have its numbers, and so have logins before their start, which may be rows; attributes that are unique at a NAS are indexed; the interfaces of this host count for its sessions"},
	"sessions/radius":              {2650, "three listeners and what they share: clients, sockets, duplicates, replays, counters and times, log"},
	"internal/partner":             {2650, "one or two files for each foreign program, with its configuration"},
	"store":                        {5200, "engine, repair, inventory and modes of one set of files"},
}

// longFaults returns the functions of a file that are too long.
func longFaults(t *testing.T, path string, text []byte) (out []string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	limit := maxFunction
	if strings.HasSuffix(path, "_test.go") {
		limit = maxTest
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || longFunctions[path+" "+fn.Name.Name] != "" {
			continue
		}
		if n := codeLines(fset, fn); n > limit {
			out = append(out, fmt.Sprintf("%s has %d lines, more than %d", fn.Name.Name, n, limit))
		}
	}
	return out
}

// codeLines returns how many lines a function has, without those inside the braces of composite
// literals.
func codeLines(fset *token.FileSet, fn *ast.FuncDecl) int {
	line := func(p token.Pos) int { return fset.Position(p).Line }
	n := line(fn.End()) - line(fn.Pos()) + 1
	ast.Inspect(fn, func(node ast.Node) bool {
		if lit, ok := node.(*ast.CompositeLit); ok {
			n -= max(0, line(lit.Rbrace)-line(lit.Lbrace)-1)
			return false
		}
		return true
	})
	return n
}

// sizeFault returns the problem of a package's size, or "".
func sizeFault(pkg string, lines int) string {
	limit, why := maxPackage, "split it, or list it with its reason"
	if large, listed := largePackages[pkg]; listed {
		if limit = large.lines; lines <= maxPackage {
			return fmt.Sprintf("has %d lines: remove it from largePackages", lines)
		}
		why = "the reason for its size was: " + large.why
	}
	if lines <= limit {
		return ""
	}
	return fmt.Sprintf("has %d lines, more than %d; %s", lines, limit, why)
}

func TestSizes(t *testing.T) {
	packages := map[string]int{}
	sources(t, func(path string, text []byte) {
		for _, fault := range longFaults(t, path, text) {
			t.Errorf("%s: %s", path, fault)
		}
		if !strings.HasSuffix(path, "_test.go") {
			packages[filepath.Dir(path)] += bytes.Count(text, []byte("\n"))
		}
	})
	for pkg, lines := range packages {
		if fault := sizeFault(pkg, lines); fault != "" {
			t.Errorf("%s %s", pkg, fault)
		}
	}
	for pkg := range largePackages {
		if packages[pkg] == 0 {
			t.Errorf("%s is in largePackages, but does not exist", pkg)
		}
	}
}

// TestSizesCanFail: each rule has a case that breaks it.
func TestSizesCanFail(t *testing.T) {
	function := func(lines int) []byte {
		return []byte("package x\n\nfunc f() {\n" + strings.Repeat("\tg()\n", lines-2) + "}\n")
	}
	data := []byte("package x\n\nfunc f() {\n\t_ = []int{\n" + strings.Repeat("\t\t1,\n", 300) + "\t}\n}\n")
	for name, tt := range map[string]struct {
		path string
		text []byte
		want int
	}{
		"a function":                {"a/x.go", function(maxFunction), 0},
		"a long function":           {"a/x.go", function(maxFunction + 1), 1},
		"a test":                    {"a/x_test.go", function(maxTest), 0},
		"a long test":               {"a/x_test.go", function(maxTest + 1), 1},
		"much data, little to read": {"a/x.go", data, 0},
	} {
		if got := longFaults(t, tt.path, tt.text); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
	for name, tt := range map[string]struct {
		pkg   string
		lines int
		fault bool
	}{
		"a package":                     {"a", maxPackage, false},
		"a large package":               {"a", maxPackage + 1, true},
		"a listed one":                  {"store", largePackages["store"].lines, false},
		"a listed one that grows":       {"store", largePackages["store"].lines + 1, true},
		"a listed one that need not be": {"store", maxPackage, true},
	} {
		if got := sizeFault(tt.pkg, tt.lines); (got != "") != tt.fault {
			t.Errorf("%s: %q", name, got)
		}
	}
}
