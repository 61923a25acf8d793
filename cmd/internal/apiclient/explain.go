package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"syscall"
	"time"
)

// invalidError says in plain words what is wrong with an answer. It wraps [ErrInvalid] and the cause,
// whose own text is that of a Go package.
type invalidError struct {
	text  string
	cause error
}

func (e *invalidError) Error() string   { return ErrInvalid.Error() + ": " + e.text }
func (e *invalidError) Unwrap() []error { return []error{ErrInvalid, e.cause} }

// fieldError is an error in the value of a field, or below it.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// inField names the field that an error, if any, is about.
func inField(field string, err error) error {
	if err == nil {
		return nil
	}
	return &fieldError{field, err}
}

// kindError is returned if a value of another kind stands where an object or a list must begin or
// end.
type kindError struct {
	got  json.Token
	want json.Delim
}

func (e *kindError) Error() string {
	want := map[json.Delim]string{'{': "an object", '[': "a list", '}': "the end of the object", ']': "the end of the list"}[e.want]
	return fmt.Sprintf("found %s, want %s", tokenText(e.got), want)
}

// tokenText describes a token in words.
func tokenText(token json.Token) string {
	switch t := token.(type) {
	case json.Delim:
		switch t {
		case '{':
			return "an object"
		case '[':
			return "a list"
		}
		return "the end of an object or list"
	case string:
		return "text"
	case bool:
		return "true or false"
	case nil:
		return "null"
	}
	return fmt.Sprintf("number %v", token)
}

// explain returns the reason why an answer could not be read.
func (a *answer) explain(err error) error {
	if cause := context.Cause(a.ctx); cause != nil {
		return cause
	}
	return &invalidError{decodeText(err), err}
}

// decodeText describes an error of reading or decoding JSON.
func decodeText(err error) string {
	field := ""
	if in, ok := errors.AsType[*fieldError](err); ok {
		field, err = in.field, in.err
	}
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var kind *kindError
	var badTime *time.ParseError
	switch {
	case errors.As(err, &mismatch):
		field = strings.Trim(field+"."+mismatch.Field, ".")
		return place(field) + "found " + foundText(mismatch.Value) + ", want " + wantText(mismatch.Type)
	case errors.As(err, &kind):
		return place(field) + kind.Error()
	case errors.As(err, &badTime):
		return fmt.Sprintf("%sfound %q, want a time as in RFC 3339", place(field), badTime.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends early"
	case errors.As(err, &syntax) && field == "":
		return fmt.Sprintf("wrong JSON at octet %d", syntax.Offset)
	case errors.As(err, &syntax): // the offset counts from some token of the list
		return place(field) + "wrong JSON"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed"
	}
	return place(field) + err.Error()
}

// place begins a text about a field; "" means the whole answer.
func place(field string) string {
	if field == "" {
		return ""
	}
	return fmt.Sprintf("field %q: ", field)
}

// foundText describes a json.UnmarshalTypeError.Value.
func foundText(value string) string {
	switch value {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "number":
		return "a number"
	}
	return value // number and its digits
}

// wantText describes the values of a type.
func wantText(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wantText(t.Elem())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("an integer from %d to %d", int64(-1)<<(t.Bits()-1), int64(1)<<(t.Bits()-1)-1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("an integer from 0 to %d", ^uint64(0)>>(64-t.Bits()))
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}
