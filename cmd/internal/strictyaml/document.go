package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Document is a file that is being checked: it knows where its values stand, and collects faults.
type Document struct {
	engine *Engine
	file   string
	dir    string           // that relative file names begin in
	places map[string]place // of values, by path
	faults []*Error
}

// Decode fills v, a pointer to a struct, from the text of a file: first with the defaults, then with
// what the file says. Errors call the file name; relative file names in it begin in dir.
//
// An error is about the file as a whole, and v is not filled. Faults of single values are not an error
// here: such values are left zero or at their default, and [Document.Err] reports them, together with
// those that the caller adds.
func (e *Engine) Decode(name string, data []byte, dir string, v any) (*Document, error) {
	d := &Document{engine: e, file: name, dir: dir, places: map[string]place{}}
	body := d.parse(data)
	if body == nil {
		return nil, d.Err()
	}
	d.SetDefaults(v)
	d.decode(body, "", placeOf(body), reflect.ValueOf(v).Elem(), "")
	return d, nil
}

// Fault adds a fault of the value at a path. If the value is a default, the fault stands at the place
// of the nearest value around it.
func (d *Document) Fault(path, format string, args ...any) {
	for in := path; ; in = in[:max(0, strings.LastIndexByte(in, '.'))] {
		if at, ok := d.places[in]; ok {
			d.add(at, path, format, args...)
			return
		}
	}
}

// Faulty reports whether the value at a path has a fault. If so, a zero value tells nothing.
func (d *Document) Faulty(path string) bool {
	return slices.ContainsFunc(d.faults, func(e *Error) bool { return e.Path == path })
}

// Given reports whether the file has a value at a path, right or wrong.
func (d *Document) Given(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Line is the line of the value at a path, or 0 if the file has none.
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

// Unique makes a Unique that has seen nothing yet.
func (d *Document) Unique() Unique { return Unique{d, map[string]string{}} }

// Check adds a fault if the value occurred before; it reads "VALUE is already WHAT line 7". Empty values
// are not checked.
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
