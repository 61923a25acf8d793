package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

// masked is the text of every Secret.
const masked = "<secret>"

// credentialsDir is the environment variable with the folder of the service's credentials
// (systemd.exec(5)).
const credentialsDir = "CREDENTIALS_DIRECTORY"

// maxSecretFile is the size of the largest file with a secret, in octets. It rejects a wrong path,
// such as that of a log.
const maxSecretFile = 4096

// Secret is text that does not print itself: package fmt, encoders for JSON and YAML, and slog
// print "<secret>". In the configuration file it is text in quotes, or a mapping that says where to
// read it: {file: PATH}, or {credential: NAME} for a credential of systemd. Read from a file, it
// may have any octets.
type Secret string

var secretType = reflect.TypeFor[Secret]()

// Format prints "<secret>" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// String returns "<secret>".
func (Secret) String() string { return masked }

// LogValue returns "<secret>".
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText returns "<secret>".
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// newSecret checks a secret in the configuration file itself.
func newSecret(text string) (Secret, error) {
	switch text {
	case "":
		return "", errors.New("is empty")
	case masked:
		return "", fmt.Errorf("%s is a placeholder, not a secret", masked)
	}
	if strings.ContainsRune(text, '\n') { // probably a missing quote
		return "", errors.New("must be one line of text; put a secret of several lines into a file of its own")
	}
	return Secret(text), nil
}

// secretSource says where to read a secret. Exactly one field is set.
type secretSource struct {
	File       Path   `yaml:"file" doc:"A file that has the secret; a newline at its end is cut off."`
	Credential string `yaml:"credential" doc:"The name of a credential that systemd passes (LoadCredential=)."`
}

// secret returns a secret from the configuration file, or from the place that the file names.
func (d *Document) secret(n ast.Node, path string, at place) (Secret, bool) {
	const want = "text in quotes, {file: PATH} or {credential: NAME}"
	var s Secret
	var err error
	if text, ok := textOf(n); ok {
		s, err = newSecret(text)
	} else if _, ok := n.(ast.MapNode); ok {
		var from secretSource
		before := len(d.faults)
		d.structure(n, path, at, reflect.ValueOf(&from).Elem())
		switch {
		case len(d.faults) > before:
			return "", false
		case (from.File == "") == (from.Credential == ""):
			err = fmt.Errorf("must be %s", want)
		case from.File != "":
			s, err = readSecret(string(from.File))
		default:
			s, err = readCredential(from.Credential)
		}
	} else {
		err = fmt.Errorf("must be %s, is %s", want, kindOf(n))
	}
	if err != nil {
		d.add(at, path, "%v", err)
		return "", false
	}
	if isPlaceholder(s) {
		d.warnings = append(d.warnings, &Error{File: d.file, Line: at.line, Column: at.column, Path: path, Text: "is a placeholder that says \"change me\""})
	}
	return s, true
}

// isPlaceholder reports whether a secret says "change me", in any spelling.
func isPlaceholder(s Secret) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, string(s))
	return strings.Contains(letters, "changeme")
}

// readSecret reads a secret from a file, without one newline at its end.
func readSecret(path string) (Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", withoutOp(path, err)
	}
	if !info.Mode().IsRegular() { // reading a pipe could block
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

// withoutOp formats an error of the file system as "path: reason".
func withoutOp(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", path, pe.Err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
