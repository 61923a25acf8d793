package mibs

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestLex(t *testing.T) {
	tests := map[string]struct {
		src  string
		want []string
		err  string
	}{
		"empty":             {src: "", want: nil},
		"assignment":        {src: "x ::= { mib-2 31 }", want: []string{"x", "::=", "{", "mib-2", "31", "}"}},
		"range":             {src: "(-2147483648..5|7)", want: []string{"(", "-2147483648", "..", "5", "|", "7", ")"}},
		"tag":               {src: "[APPLICATION 0]", want: []string{"[", "APPLICATION", "0", "]"}},
		"comment":           {src: "a -- b ::= {\nc", want: []string{"a", "c"}},
		"comment at word":   {src: "a--b\nc", want: []string{"a", "c"}},
		"string":            {src: "\"a -- b\n{\"x", want: []string{"a -- b\n{", "x"}},
		"empty string":      {src: `""`, want: []string{""}},
		"two in a comment":  {src: "a\n-- b -- c", err: "line 2: second --"},
		"open string":       {src: "a\n\"b\nc", err: "line 2: unterminated string"},
		"unexpected byte":   {src: "a\n\n\x00", err: `line 3: unexpected '\x00'`},
		"digits":            {src: "{ ''H, '0F'H '01'B }", want: []string{"{", "''H", ",", "'0F'H", "'01'B", "}"}},
		"open digits":       {src: "a\n'0F", err: "line 2: unterminated number"},
		"digits of nothing": {src: "''", err: "line 1: unterminated number"},
		"digits of base Q":  {src: "'1'Q", err: "line 1: unterminated number"},
		"single colon":      {src: "a : b", err: "line 1: unexpected ':'"},
		"hyphen at end":     {src: "a- b", err: "line 1: unexpected '-'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			toks, err := lex(tt.src)
			checkError(t, err, tt.err)
			if err != nil {
				return
			}
			var got []string
			for _, tok := range toks[:len(toks)-1] {
				got = append(got, tok.text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
			if last := toks[len(toks)-1]; last.kind != end {
				t.Errorf("last token is %v", last)
			}
		})
	}
}

func TestLexCountsLines(t *testing.T) {
	toks, err := lex("a -- x\n\"\n\n\" b\nc")
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, tok := range toks {
		got = append(got, tok.line)
	}
	if diff := cmp.Diff([]int{1, 2, 4, 5, 5}, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// Parts of a test module; body is between head and END.
const (
	head = "T-MIB DEFINITIONS ::= BEGIN\nIMPORTS Gauge32, OBJECT-TYPE, mib-2 FROM SNMPv2-SMI DisplayString FROM SNMPv2-TC;\n"
	tail = "\nEND\n"
	// rest is a correct end of an OBJECT-TYPE after its SYNTAX clause.
	rest = ` MAX-ACCESS read-only STATUS current DESCRIPTION "d" ::= { mib-2 99 } `
)

// testObjects returns the objects of a module text called T-MIB.
func testObjects(t testing.TB, text string) ([]Object, error) {
	t.Helper()
	files := fstest.MapFS{"T-MIB.txt": {Data: []byte(text)}}
	for _, name := range moduleNames(t) {
		files[name+".txt"] = &fstest.MapFile{Data: []byte(moduleText(t, name))}
	}
	return objects(files, "T-MIB")
}

func TestSyntax(t *testing.T) {
	tests := map[string]struct{ body, syntax, base, refinement, units string }{
		"base type":            {"x OBJECT-TYPE SYNTAX Gauge32" + rest, "Gauge32", "Gauge32", "", ""},
		"octets":               {"x OBJECT-TYPE SYNTAX OCTET STRING (SIZE (8 | 11))" + rest, "OCTET STRING", "OCTET STRING", "(SIZE(8|11))", ""},
		"oid":                  {"x OBJECT-TYPE SYNTAX OBJECT IDENTIFIER" + rest, "OBJECT IDENTIFIER", "OBJECT IDENTIFIER", "", ""},
		"bits":                 {"x OBJECT-TYPE SYNTAX BITS { a(0), b(1) }" + rest, "BITS", "BITS", "{a(0),b(1)}", ""},
		"own range":            {"x OBJECT-TYPE SYNTAX DisplayString (SIZE (0..8))" + rest, "DisplayString", "OCTET STRING", "(SIZE(0..8))", ""},
		"range of its type":    {"x OBJECT-TYPE SYNTAX DisplayString" + rest, "DisplayString", "OCTET STRING", "(SIZE(0..255))", ""},
		"type of a type":       {"A ::= B B ::= DisplayString (SIZE (3)) x OBJECT-TYPE SYNTAX A" + rest, "A", "OCTET STRING", "(SIZE(3))", ""},
		"tagged type":          {"A ::= [APPLICATION 6] IMPLICIT INTEGER x OBJECT-TYPE SYNTAX A" + rest, "A", "INTEGER", "", ""},
		"all optional clauses": {`x OBJECT-TYPE SYNTAX Gauge32 UNITS "s" MAX-ACCESS read-only STATUS current DESCRIPTION "d" REFERENCE "r" DEFVAL { { } } ::= { mib-2 99 }`, "Gauge32", "Gauge32", "", "s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := testObjects(t, head+tt.body+tail)
			if err != nil {
				t.Fatal(err)
			}
			want := []Object{{"x", []uint32{1, 3, 6, 1, 2, 1, 99}, tt.syntax, tt.base, tt.refinement, tt.units, "read-only", "current", nil, ""}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestIndex(t *testing.T) {
	for name, tt := range map[string]struct {
		clause   string
		index    []string
		augments string
	}{
		"none":     {"", nil, ""},
		"one":      {"INDEX { a }", []string{"a"}, ""},
		"two":      {"INDEX { a, b }", []string{"a", "b"}, ""},
		"implied":  {"INDEX { a, IMPLIED b }", []string{"a", "IMPLIED b"}, ""},
		"augments": {"AUGMENTS { aEntry }", nil, "aEntry"},
		"default":  {"INDEX { a } DEFVAL { ''H }", []string{"a"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := testObjects(t, head+"x OBJECT-TYPE SYNTAX Gauge32"+strings.Replace(rest, "::=", tt.clause+" ::=", 1)+tail)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.index, got[0].Index); diff != "" || got[0].Augments != tt.augments {
				t.Errorf("augments %q, index: want (-), got (+):\n%s", got[0].Augments, diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	x := "x OBJECT-TYPE SYNTAX Gauge32" + rest
	tests := map[string]struct{ text, err string }{
		"empty":                 {"", "line 1: unexpected end of text"},
		"other name":            {"U-MIB DEFINITIONS ::= BEGIN END", `the text is module "U-MIB"`},
		"no END":                {head + x, "line 3: unexpected end of text"},
		"text after END":        {head + x + tail + "y", `line 5: "y" after END`},
		"open import list":      {"T-MIB DEFINITIONS ::= BEGIN IMPORTS a FROM b", "unexpected end of text"},
		"import of nothing":     {"T-MIB DEFINITIONS ::= BEGIN IMPORTS nothing FROM SNMPv2-SMI; END", "SNMPv2-SMI has no nothing to import"},
		"unknown module":        {"T-MIB DEFINITIONS ::= BEGIN IMPORTS a FROM OTHER-MIB; END", "OTHER-MIB: no such module"},
		"module with a slash":   {"T-MIB DEFINITIONS ::= BEGIN IMPORTS a FROM \"../x\"; END", `unexpected "../x"`},
		"import of itself":      {"T-MIB DEFINITIONS ::= BEGIN IMPORTS a FROM T-MIB; END", "T-MIB: imports itself"},
		"name twice":            {head + x + x + tail, "line 3: x is defined twice"},
		"imported name":         {head + "Gauge32 ::= INTEGER" + tail, "Gauge32 is defined twice"},
		"unknown macro":         {head + "x TRAP-TYPE ::= { mib-2 1 }" + tail, `unexpected "TRAP-TYPE", want one of MODULE-IDENTITY`},
		"unknown access":        {head + strings.Replace(x, "read-only", "write-only", 1) + tail, `unexpected "write-only", want one of not-accessible`},
		"unknown status":        {head + strings.Replace(x, "current", "mandatory", 1) + tail, `unexpected "mandatory", want one of current`},
		"quoted keyword":        {head + strings.Replace(x, "MAX-ACCESS", `"MAX-ACCESS"`, 1) + tail, `unexpected "MAX-ACCESS", want MAX-ACCESS`},
		"ACCESS of SMIv1":       {head + strings.Replace(x, "MAX-ACCESS", "ACCESS", 1) + tail, `unexpected "ACCESS", want MAX-ACCESS`},
		"clauses out of order":  {head + `x OBJECT-TYPE STATUS current SYNTAX Gauge32` + tail, `unexpected "STATUS", want SYNTAX`},
		"no description":        {head + strings.Replace(x, `"d"`, "", 1) + tail, `unexpected "::="`},
		"open bracket":          {head + "x OBJECT-TYPE SYNTAX Gauge32 (0..", "text ends early"},
		"index without bracket": {head + strings.Replace(x, "::=", "INDEX y ::=", 1) + tail, `unexpected "y", want {`},
		"empty index":           {head + strings.Replace(x, "::=", "INDEX { } ::=", 1) + tail, `unexpected "}"`},
		"open index":            {head + strings.Replace(x, "::=", "INDEX { y ::=", 1) + tail, `unexpected "::=", want }`},
		"index after a comma":   {head + strings.Replace(x, "::=", "INDEX { y, } ::=", 1) + tail, `unexpected "}"`},
		"implied nothing":       {head + strings.Replace(x, "::=", "INDEX { IMPLIED } ::=", 1) + tail, `unexpected "}"`},
		"index and augments":    {head + strings.Replace(x, "::=", "INDEX { y } AUGMENTS { z } ::=", 1) + tail, `unexpected "AUGMENTS", want ::=`},
		"parent alone":          {head + "x OBJECT IDENTIFIER ::= { mib-2 }" + tail, `unexpected "}"`},
		"arc too large":         {head + "x OBJECT IDENTIFIER ::= { mib-2 4294967296 }" + tail, `"4294967296" is not a sub-identifier`},
		"negative arc":          {head + "x OBJECT IDENTIFIER ::= { mib-2 -1 }" + tail, `"-1" is not a sub-identifier`},
		"unknown parent":        {head + strings.Replace(x, "mib-2", "mib-3", 1) + tail, "mib-3 is not a node of T-MIB"},
		"unknown type":          {head + strings.Replace(x, "Gauge32", "Gauge33", 1) + tail, "Gauge33 is not a type of T-MIB"},
		"type not imported":     {head + strings.Replace(x, "Gauge32", "TruthValue", 1) + tail, "TruthValue is not a type of T-MIB"},
		"table of no row":       {head + strings.Replace(x, "Gauge32", "SEQUENCE OF Gauge32", 1) + tail, "Gauge32 is not a row of T-MIB"},
		"parent is its child":   {head + "a OBJECT IDENTIFIER ::= { b 1 } b OBJECT IDENTIFIER ::= { a 1 }" + strings.Replace(x, "mib-2", " a", 1) + tail, "to the root"},
		"type of itself":        {head + "A ::= A " + strings.Replace(x, "Gauge32", "A", 1) + tail, "A is not a type of T-MIB"},
		"endless OID":           {head + strings.Replace(x, "99", strings.Repeat("1 ", 123), 1) + tail, "x has more than 128 sub-identifiers"},
		"mark for a name":       {head + "{ OBJECT-TYPE" + tail, `unexpected "{"`},
		"macro without END":     {head + "X MACRO ::= BEGIN", "text ends early"},
		"string for an access":  {head + strings.Replace(x, "read-only", `"read-only"`, 1) + tail, `unexpected "read-only"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := testObjects(t, tt.text)
			checkError(t, err, tt.err)
			if got != nil {
				t.Errorf("objects beside the error: %v", got)
			}
		})
	}
}

// TestTruncated: no proper prefix of a module is a module.
func TestTruncated(t *testing.T) {
	text := strings.TrimSpace(moduleText(t, session))
	if _, err := parse(text); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(text); n += 7 {
		if _, err := parse(text[:n]); err == nil {
			t.Fatalf("the first %d bytes were accepted", n)
		}
	}
}

func TestObjectsOfUnknownModule(t *testing.T) {
	for _, name := range []string{"", "RFC1213-MIB", "../doc", "/etc/passwd", "SNMPv2-SMI.txt"} {
		if _, err := Objects(name); !errors.Is(err, ErrNoModule) {
			t.Errorf("Objects(%q): %v", name, err)
		}
	}
	broken := brokenFS{}
	if _, err := objects(broken, session); !errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrNoModule) {
		t.Errorf("unreadable file: %v", err)
	}
}

// brokenFS is a folder in which nothing can be read.
type brokenFS struct{}

func (brokenFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

// FuzzObjects: no text makes the parser panic or hang, and its results have everything that Object
// promises.
func FuzzObjects(f *testing.F) {
	for _, name := range moduleNames(f) {
		f.Add(strings.Replace(moduleText(f, name), name+" DEFINITIONS", "T-MIB DEFINITIONS", 1))
	}
	f.Add(head + "A ::= B B ::= A x OBJECT-TYPE SYNTAX A" + rest + tail)
	f.Add(head + "a OBJECT IDENTIFIER ::= { a 1 }" + tail)
	bases := []string{
		"INTEGER", "OCTET STRING", "OBJECT IDENTIFIER", "BITS", "SEQUENCE", "SEQUENCE OF", "Integer32", "Unsigned32",
		"Gauge32", "Counter32", "Counter64", "TimeTicks", "IpAddress", "Opaque",
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parse(text); err != nil {
			return
		}
		objs, err := testObjects(t, text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, o := range objs {
			switch {
			case o.Name == "" || seen[o.Name]:
				t.Errorf("name %q", o.Name)
			case len(o.OID) == 0 || len(o.OID) > maxSubIDs:
				t.Errorf("%s: OID %v", o.Name, o.OID)
			case !slices.Contains(accesses, o.Access) || !slices.Contains(statuses, o.Status):
				t.Errorf("%s: access %q, status %q", o.Name, o.Access, o.Status)
			case o.Syntax == "" || !slices.Contains(bases, o.Base):
				t.Errorf("%s: syntax %q, base %q", o.Name, o.Syntax, o.Base)
			}
			seen[o.Name] = true
		}
	})
}

// checkError checks that err contains want; "" means no error.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Fatalf("error: %v", err)
	case want != "" && err == nil:
		t.Fatalf("no error, want one with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Fatalf("error %q, want one with %q", err, want)
	}
}
