package radius

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a shared secret (RFC 2865 section 3), of any octets. It does not print itself: the verbs of package fmt,
// values in JSON and YAML, and slog give "<secret>". Three ways around that are left to who writes code: encoding/gob, a
// Secret as the key of a map in JSON, and fmt of a value that has one under an unexported field, where fmt calls no method.
type Secret string

const hidden = "<secret>"

// Format does not tell the secret, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// String does not tell the secret.
func (Secret) String() string { return hidden }

// LogValue does not tell the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText does not tell the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
