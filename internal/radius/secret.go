package radius

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a shared secret (RFC 2865 section 3), of any octets. It does not reveal itself when
// printed: the verbs of package fmt, JSON and YAML values, and slog show "<secret>". Three cases
// are not covered: encoding/gob, a Secret as the key of a JSON map, and fmt of a value that has a
// Secret in an unexported field, where fmt calls no method.
type Secret string

const redacted = "<secret>"

// Format hides the secret for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String hides the secret.
func (Secret) String() string { return redacted }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
