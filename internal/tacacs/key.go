package tacacs

import (
	"fmt"
	"io"
	"log/slog"
)

// Key is the shared key that obfuscates bodies (RFC 8907 section 4.5), of any octets. It does not
// reveal itself when printed: the verbs of package fmt, JSON and YAML values, and slog show
// "<secret>". Three cases are not covered: encoding/gob, a Key as the key of a JSON map, and fmt of
// a value that has a Key in an unexported field, where fmt calls no method.
type Key string

const redacted = "<secret>"

// Format hides the key for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String hides the key.
func (Key) String() string { return redacted }

// LogValue hides the key.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the key.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
