package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Document is a file that is being checked. It knows the places of its values, and collects faults.
type Document struct {
	engine *Engine
	file   string
	dir    string           // folder for relative file names
	body   ast.Node         // the mapping that is the file
	places map[string]place // of values, by path
	faults []*Error
	// warnings are about values that are valid and probably unintended.
	warnings []*Error
}

// Warnings returns what is valid in the file and probably unintended, such as a secret that says
// "change me".
func (d *Document) Warnings() []*Error { return d.warnings }

// Decode fills a struct from the text of a file: first with the defaults, then with the values of
// the file. v is a pointer to the struct. name is the name of the file in errors. Relative file
// names in the text start in dir.
//
// An error means that the file as a whole is invalid, and that v is not filled. A fault of a single
// value is no error here: the value is left zero or at its default. [Document.Err] reports these
// faults, together with those that the caller adds.
func (e *Engine) Decode(name string, data []byte, dir string, v any) (*Document, error) {
	d := &Document{engine: e, file: name, dir: dir, places: map[string]place{}}
	body := d.parse(data)
	if body == nil {
		return nil, d.Err()
	}
	d.body = body
	d.SetDefaults(v)
	d.decode(body, "", placeOf(body), reflect.ValueOf(v).Elem(), "")
	return d, nil
}

// Fault adds a fault of the value at a path. If the value is a default, the fault has the place of
// the nearest mapping or list around it.
func (d *Document) Fault(path, format string, args ...any) {
	for in := path; ; in = in[:max(0, strings.LastIndexByte(in, '.'))] {
		if at, ok := d.places[in]; ok {
			d.add(at, path, format, args...)
			return
		}
	}
}

// AddWarning adds a warning about the value at a path, which the file has.
func (d *Document) AddWarning(path, format string, args ...any) {
	at := d.places[path]
	d.warnings = append(d.warnings, &Error{File: d.file, Line: at.line, Column: at.column, Path: path, Text: fmt.Sprintf(format, args...)})
}

// Faulty reports whether the value at a path has a fault. The value may then be zero.
func (d *Document) Faulty(path string) bool {
	return slices.ContainsFunc(d.faults, func(e *Error) bool { return e.Path == path })
}

// Given reports whether the file has a value at a path, valid or not.
func (d *Document) Given(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Line returns the line of the value at a path, or 0 if the file has none.
func (d *Document) Line(path string) int { return d.places[path].line }

// Err joins the faults in the order of the file, each an [*Error]; nil if there are none.
func (d *Document) Err() error {
	slices.SortStableFunc(d.faults, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, len(d.faults))
	for i, e := range d.faults {
		errs[i] = e
	}
	return errors.Join(errs...)
}

func (d *Document) add(at place, path, format string, args ...any) {
	d.faults = append(d.faults, &Error{File: d.file, Line: at.line, Column: at.column, Path: path, Text: fmt.Sprintf(format, args...)})
}

// Unique finds values that occur twice.
type Unique struct {
	doc  *Document
	seen map[string]string // paths by value
}

// Unique returns a Unique without values.
func (d *Document) Unique() Unique { return Unique{d, map[string]string{}} }

// Check adds the fault "VALUE is already WHAT line 7" if the value occurred before. It ignores
// empty values.
func (u Unique) Check(path, value, what string) {
	if value == "" {
		return
	}
	if first, twice := u.seen[value]; twice {
		u.doc.Fault(path, "%s is already %s line %d", value, what, u.doc.Line(first))
		return
	}
	u.seen[value] = path
}
