package radius

import "log/slog"

// Secret is the secret that is shared with a client (RFC 2865 section 3), of any octets. It does
// not print itself: String, %v, %#v and slog give "<secret>".
type Secret string

// String does not tell the secret.
func (Secret) String() string { return "<secret>" }

// GoString does not tell the secret.
func (Secret) GoString() string { return "<secret>" }

// LogValue does not tell the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("<secret>") }
