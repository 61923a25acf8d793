package wire

import (
	"errors"
	"strconv"
)

// Errors of the parsers.
var (
	// ErrMalformed is wrapped by every error about octets that violate the RFCs
	// (snmpInASNParseErrs).
	ErrMalformed = errors.New("wire: malformed message")
	// ErrVersion is wrapped if msgVersion is not 0, 1 or 3 (snmpInBadVersions).
	ErrVersion = errors.New("wire: unknown message version")
)

// syntaxError is a problem and its place. Its text is built only on demand: a flood of bad messages
// is counted, not printed.
type syntaxError struct {
	varbind int    // from 1; 0 means outside the variable bindings
	field   string // name in the RFCs
	problem string
}

func (f *syntaxError) Error() string {
	s := ErrMalformed.Error() + ": "
	if f.varbind > 0 {
		s += "varbind " + strconv.Itoa(f.varbind) + ": "
	}
	return s + f.field + ": " + f.problem
}

func (f *syntaxError) Unwrap() error { return ErrMalformed }

// versionError is an undefined msgVersion.
type versionError Version

func (v versionError) Error() string { return ErrVersion.Error() + ": " + strconv.Itoa(int(v)) }

func (v versionError) Unwrap() error { return ErrVersion }
