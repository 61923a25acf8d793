package wire

import (
	"errors"
	"strconv"
)

// Errors of the parsers.
var (
	// ErrMalformed is wrapped by each error about octets that are not what the RFCs say (snmpInASNParseErrs).
	ErrMalformed = errors.New("wire: malformed message")
	// ErrVersion is wrapped when msgVersion is none of 0, 1 and 3 (snmpInBadVersions).
	ErrVersion = errors.New("wire: unknown message version")
)

// fault is what is wrong and where. It is put into words only when somebody asks: a flood of bad
// messages is counted, not printed.
type fault struct {
	varbind int    // from 1; 0: not in a variable binding
	field   string // as the RFCs name it
	what    string
}

func (f *fault) Error() string {
	s := ErrMalformed.Error() + ": "
	if f.varbind > 0 {
		s += "varbind " + strconv.Itoa(f.varbind) + ": "
	}
	return s + f.field + ": " + f.what
}

func (f *fault) Unwrap() error { return ErrMalformed }

// versionError is an msgVersion that nobody defined.
type versionError Version

func (v versionError) Error() string { return ErrVersion.Error() + ": " + strconv.Itoa(int(v)) }

func (v versionError) Unwrap() error { return ErrVersion }
