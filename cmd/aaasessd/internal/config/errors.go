package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one fault of a configuration file. [Parse] joins them: errors.As finds the first.
type Error struct {
	// File is the name that Parse was given.
	File string
	// Line and Column count from 1; columns are characters.
	Line, Column int
	// Path is the key, such as radius.clients[2].secret; "" if it is about the whole file.
	Path string
	// Text says what is wrong. It never contains a secret.
	Text string
}

// Error gives file:line:column: path: text.
func (e *Error) Error() string {
	at := fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column)
	if e.Path != "" {
		at += e.Path + ": "
	}
	return at + e.Text
}

// place is where something stands in the file, from 1.
type place struct{ line, column int }

// faults collects what is wrong with a file.
type faults struct {
	file string
	list []*Error
}

func (f *faults) add(at place, path, format string, args ...any) {
	f.list = append(f.list, &Error{File: f.file, Line: at.line, Column: at.column, Path: path, Text: fmt.Sprintf(format, args...)})
}

// err joins the faults in the order of the file; nil if there are none.
func (f *faults) err() error {
	slices.SortStableFunc(f.list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, len(f.list))
	for i, e := range f.list {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// shown is a key as an error may repeat it: what does not look like a key may be a mistyped secret.
func shown(key string) string {
	if key == "" || len(key) > 32 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return "(not shown)"
	}
	return `"` + key + `"`
}
