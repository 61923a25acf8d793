package mibs

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// FS has the module texts, each as NAME.txt in its root. os.CopyFS copies them to a folder for
// net-snmp's -M.
//
//go:embed *.txt
var FS embed.FS

// Own is the text of AAASESS-MIB, our own module. A program that needs only this one does not get the
// others.
//
//go:embed AAASESS-MIB.txt
var Own string

// ErrNoModule is returned if a module, or one that it imports, is not in FS.
var ErrNoModule = errors.New("no such module")

// maxSubIDs is the maximum length of an OID (RFC 2578, 3.5). It also ends the search in circular
// definitions.
const maxSubIDs = 128

// Object is an OBJECT-TYPE definition: a scalar, a column, a table or a row.
type Object struct {
	Name string
	// OID is the object's OID, without a scalar's .0 or a row's index.
	OID []uint32
	// Syntax is the name of the type in the definition: "DisplayString", "Gauge32", "OCTET STRING",
	// "SEQUENCE OF CasnActiveEntry".
	Syntax string
	// Base is the base type of Syntax (RFC 2578, 7.1), such as "OCTET STRING" for DisplayString;
	// "SEQUENCE OF" for a table and "SEQUENCE" for a row.
	Base string
	// Refinement is the range, size or enumeration, without spaces: "(0..255)", "(SIZE(0..255))",
	// "{true(1),false(2)}". An object without its own refinement has that of its textual
	// convention. If it is empty, all values of the base type are allowed.
	Refinement string
	// Units is the text of the UNITS clause, such as "seconds", or empty.
	Units string
	// Access is the MAX-ACCESS clause: "not-accessible",
	// "accessible-for-notify", "read-only", "read-write" or "read-create".
	Access string
	// Status is "current", "deprecated" or "obsolete".
	Status string
	// Index are the objects of a row's INDEX clause. If the last one is IMPLIED, that word and a space
	// precede it (RFC 2578, 7.7).
	Index []string
	// Augments is the row whose INDEX a row has, or empty (RFC 2578, 7.8).
	Augments string
}

// Objects returns the objects of a module in FS, in the order of its text. The error is
// ErrNoModule, or names the line that could not be parsed.
func Objects(module string) ([]Object, error) { return objects(FS, module) }

func objects(fsys fs.FS, name string) ([]Object, error) {
	l := library{fsys: fsys, modules: map[string]*module{}}
	m, err := l.load(name)
	if err != nil {
		return nil, err
	}
	objs := slices.Clone(m.objects)
	for i := range objs {
		o := &objs[i]
		if o.OID, err = l.oid(m, o.Name, maxSubIDs); err != nil {
			return nil, fmt.Errorf("mibs: %s: %s: %w", name, o.Name, err)
		}
		t, err := l.base(m, typ{o.Syntax, o.Refinement}, maxSubIDs)
		if err != nil {
			return nil, fmt.Errorf("mibs: %s: %s: %w", name, o.Name, err)
		}
		o.Base, o.Refinement = t.name, t.refinement
	}
	return objs, nil
}

// library has the modules that one call has read.
type library struct {
	fsys    fs.FS
	modules map[string]*module // nil while the module's imports are being read
}

// load reads a module and its imports, and checks that all imported names exist.
func (l *library) load(name string) (*module, error) {
	if m, ok := l.modules[name]; ok {
		if m == nil {
			return nil, fmt.Errorf("mibs: %s: imports itself", name)
		}
		return m, nil
	}
	l.modules[name] = nil
	src, err := fs.ReadFile(l.fsys, name+".txt")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fmt.Errorf("mibs: %s: %w", name, ErrNoModule)
	}
	if err != nil {
		return nil, fmt.Errorf("mibs: %s: %w", name, err)
	}
	m, err := parse(string(src))
	if err != nil {
		return nil, fmt.Errorf("mibs: %s: %w", name, err)
	}
	if m.name != name {
		return nil, fmt.Errorf("mibs: %s: the text is module %q", name, m.name)
	}
	for _, s := range m.imports {
		o, err := l.load(s.module)
		if err != nil {
			return nil, err
		}
		_, isNode := o.nodes[s.name]
		_, isType := o.types[s.name]
		if !isNode && !isType && !o.macros[s.name] {
			return nil, fmt.Errorf("mibs: %s: %s has no %s to import", name, s.module, s.name)
		}
	}
	l.modules[name] = m
	return m, nil
}

// oid follows the parents of a node of m up to the root, in at most left steps.
func (l *library) oid(m *module, name string, left int) ([]uint32, error) {
	if other, ok := m.from[name]; ok {
		m = l.modules[other]
	}
	n, ok := m.nodes[name]
	switch {
	case name == "iso":
		return []uint32{1}, nil
	case !ok:
		return nil, fmt.Errorf("%s is not a node of %s", name, m.name)
	case n.parent == "":
		return slices.Clone(n.arcs), nil
	case left == 0:
		return nil, fmt.Errorf("no path from %s to the root", name)
	}
	id, err := l.oid(m, n.parent, left-1)
	if err != nil {
		return nil, err
	}
	if len(id)+len(n.arcs) > maxSubIDs {
		return nil, fmt.Errorf("%s has more than %d sub-identifiers", name, maxSubIDs)
	}
	return append(id, n.arcs...), nil
}

// base resolves a type of m to its base type, in at most left steps. It keeps the first refinement
// on the way.
func (l *library) base(m *module, t typ, left int) (typ, error) {
	switch t.name {
	case "INTEGER", "OCTET STRING", "OBJECT IDENTIFIER", "BITS", "SEQUENCE",
		"Integer32", "Unsigned32", "Gauge32", "Counter32", "Counter64", "TimeTicks", "IpAddress", "Opaque":
		return t, nil
	}
	if row, ok := strings.CutPrefix(t.name, "SEQUENCE OF "); ok {
		if m.types[row].name != "SEQUENCE" {
			return t, fmt.Errorf("%s is not a row of %s", row, m.name)
		}
		return typ{name: "SEQUENCE OF"}, nil
	}
	if other, ok := m.from[t.name]; ok {
		m = l.modules[other]
	}
	def, ok := m.types[t.name]
	if !ok || left == 0 {
		return t, fmt.Errorf("%s is not a type of %s", t.name, m.name)
	}
	if t.refinement != "" {
		def.refinement = t.refinement
	}
	return l.base(m, def, left-1)
}
