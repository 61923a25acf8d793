package strictyaml

import (
	"fmt"
	"strings"
)

// Error is one fault of a file. [Document.Err] joins them: errors.As finds the first.
type Error struct {
	// File is the name passed to Decode.
	File string
	// Line and Column count from 1; columns are characters.
	Line, Column int
	// Path is the path of the key, such as clients[2].secret; "" for a fault of the whole file.
	Path string
	// Text says what is wrong. It never contains a secret.
	Text string
}

// Error returns "file:line:column: path: text".
func (e *Error) Error() string {
	at := fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column)
	if e.Path != "" {
		at += e.Path + ": "
	}
	return at + e.Text
}

// place is a place in the file, from 1.
type place struct{ line, column int }

// shown formats a key for an error. It hides text that does not look like a key, because that may
// be a mistyped secret.
func shown(key string) string {
	if key == "" || len(key) > 32 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return "(not shown)"
	}
	return `"` + key + `"`
}
