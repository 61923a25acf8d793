package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// masked is what a Secret shows of itself.
const masked = "<secret>"

// credentialsDir is where systemd puts the credentials of a service (systemd.exec(5)).
const credentialsDir = "CREDENTIALS_DIRECTORY"

// maxSecretFile is far more than any secret has; it keeps a wrong path from being read.
const maxSecretFile = 4096

// Secret is a shared secret, of any octets. It does not print itself, whatever the verb (%p apart, which
// go vet refuses), and marshals as "<secret>".
type Secret string

// String does not tell the secret.
func (Secret) String() string { return masked }

// GoString does not tell the secret.
func (Secret) GoString() string { return masked }

// Format does not tell the secret: without it, a verb that strings don't have prints them.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalYAML does not tell the secret.
func (Secret) MarshalYAML() (any, error) { return masked, nil }

// MarshalJSON does not tell the secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// LogValue does not tell the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// newSecret checks a secret that stands in the configuration file.
func newSecret(text string) (Secret, error) {
	switch text {
	case "":
		return "", errors.New("is empty")
	case masked:
		return "", fmt.Errorf("%s stands for a secret, it is none", masked)
	}
	if strings.ContainsRune(text, '\n') { // more likely a slip of the quotes
		return "", errors.New("must be one line of text; a file can have a secret of several")
	}
	return Secret(text), nil
}

// readSecret reads a secret from a file, less one newline at its end.
func readSecret(path string) (Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", withoutOp(path, err)
	}
	if !info.Mode().IsRegular() { // a pipe would keep us waiting
		return "", fmt.Errorf("%s: is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", withoutOp(path, err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", withoutOp(path, err)
	}
	if len(b) > maxSecretFile {
		return "", fmt.Errorf("%s: has more than %d octets", path, maxSecretFile)
	}
	text, newline := strings.CutSuffix(string(b), "\n")
	if newline {
		text = strings.TrimSuffix(text, "\r")
	}
	if text == "" {
		return "", fmt.Errorf("%s: is empty", path)
	}
	return Secret(text), nil
}

// readCredential reads a credential that systemd passed (LoadCredential=, SetCredentialEncrypted=).
func readCredential(name string) (Secret, error) {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return "", errors.New("must be the name of a credential, not a path")
	}
	dir := os.Getenv(credentialsDir)
	if dir == "" {
		return "", fmt.Errorf("there are no credentials: systemd has not set $%s", credentialsDir)
	}
	return readSecret(filepath.Join(dir, name))
}

// withoutOp is an error of the file system as "path: reason".
func withoutOp(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", path, pe.Err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Reveal gives the octets of the secret, for the one place that signs with them.
func (s Secret) Reveal() string { return string(s) }
