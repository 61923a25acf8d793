package strictyaml_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"
)

// hidden is a secret. No part of it may appear in any output.
const hidden = "Hunter2#7"

func TestSecretDoesNotPrint(t *testing.T) {
	c := &file{Peers: []peer{{Name: "r1", Secret: hidden}}}
	s := c.Peers[0].Secret
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c"} {
		out = append(out, fmt.Sprintf(verb, s), fmt.Sprintf(verb, c.Peers))
	}
	out = append(out, s.String(), fmt.Sprint(&s))

	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", s, "servers", c.Peers)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "secret", s, "config", c)
	out = append(out, string(asJSON), string(asYAML), log.String())

	hex := fmt.Sprintf("%x", string(hidden))
	for _, text := range out {
		if strings.Contains(text, hidden) || strings.Contains(strings.ToLower(text), hex) {
			t.Errorf("has the secret: %s", text)
		}
		if !strings.Contains(text, "secret>") && !strings.Contains(text, `\u003csecret`) {
			t.Errorf("does not say that there is a secret: %s", text)
		}
	}
}

// withSecret returns a file with one peer and this YAML as its secret.
func withSecret(secret string) string {
	return "peers:\n  - {name: r1, secret: " + secret + "}\n"
}

func TestSecretSources(t *testing.T) {
	dir, credentials := t.TempDir(), t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	for path, text := range map[string]string{
		filepath.Join(dir, "plain"):       hidden,
		filepath.Join(dir, "newline"):     hidden + "\n",
		filepath.Join(dir, "crlf"):        hidden + "\r\n",
		filepath.Join(dir, "newlines"):    hidden + "\n\n",
		filepath.Join(dir, "cr"):          hidden + "\r",
		filepath.Join(dir, "octets"):      "\xff\x00\xfe",
		filepath.Join(credentials, "r1"):  hidden + "\n",
		filepath.Join(credentials, "sub"): "another",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ yaml, want string }{
		{`"` + hidden + `"`, hidden},
		{`"<secret> "`, "<secret> "},
		{`"123456"`, "123456"},
		{"{file: plain}", hidden},
		{"{file: newline}", hidden},
		{"{file: crlf}", hidden},
		{"{file: newlines}", hidden + "\n"},
		{"{file: cr}", hidden + "\r"},
		{"{file: octets}", "\xff\x00\xfe"},
		{"{file: " + filepath.Join(credentials, "sub") + "}", "another"},
		{"{credential: r1}", hidden},
	} {
		t.Run(tc.yaml, func(t *testing.T) {
			c := mustDecode(t, withSecret(tc.yaml), dir)
			if got := string(c.Peers[0].Secret); got != tc.want {
				t.Errorf("secret is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSecretSourcesRejected(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	for name, text := range map[string]string{"empty": "\n", "large": strings.Repeat("x", 4097)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	const at = "f.yaml:2:24: peers[0].secret: "
	const want = "text in quotes, {file: PATH} or {credential: NAME}"
	for _, tc := range []struct{ yaml, want string }{
		{`""`, at + "is empty"},
		{`"<secret>"`, at + "<secret> is a placeholder, not a secret"},
		{`"two\nlines"`, at + "must be one line of text; put a secret of several lines into a file of its own"},
		{"1234567890", at + "must be " + want + ", is an integer"},
		{"1.5", at + "must be " + want + ", is a number"},
		{"true", at + "must be " + want + ", is a boolean"},
		{"[x]", at + "must be " + want + ", is a list"},
		{"{}", at + "must be " + want},
		{"{file: a, credential: b}", at + "must be " + want},
		{"{file: none}", at + "DIR/none: no such file or directory"},
		{"{file: empty}", at + "DIR/empty: is empty"},
		{"{file: large}", at + "DIR/large: has more than 4096 octets"},
		{"{file: pipe}", at + "DIR/pipe: is not a regular file"},
		{"{file: .}", at + "DIR: is not a regular file"},
		{"{credential: r1}", at + "there are no credentials: systemd has not set $CREDENTIALS_DIRECTORY"},
		{"{credential: ../r1}", at + "must be the name of a credential, not a path"},
		{"{credential: ..}", at + "must be the name of a credential, not a path"},
		{"{path: x}", "f.yaml:2:25: peers[0].secret: unknown key \"path\"; the keys here: file, credential"},
	} {
		t.Run(tc.yaml, func(t *testing.T) {
			_, err := decode(withSecret(tc.yaml), dir)
			if got := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"); got != tc.want {
				t.Errorf("error\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// If a line with a secret is mistyped in any way, its error does not contain the secret.
func TestSecretNotInErrors(t *testing.T) {
	for _, line := range []string{
		"secret " + hidden, "secret:" + hidden, "secret: |" + hidden, "secret: >" + hidden, "secret: [" + hidden,
		"secret: {" + hidden + "}", "secret: {" + hidden + ": x}", "secret: [" + hidden + "]", "secrets: " + hidden,
		"secret: \"" + hidden, "secret: '" + hidden, "secret: @" + hidden, "secret: `" + hidden,
		"secret: *" + hidden, "secret: &" + hidden, "secret: !" + hidden, "secret: &" + hidden + " x", "secret: ? " + hidden,
		"secret: x: " + hidden, "secret: \"x\\y" + hidden + "\"", hidden + ": secret", hidden, "? " + hidden,
		"secret: " + hidden + "\n      secret: " + hidden, "secret: " + hidden + "\n  x", "timeout: {secret: " + hidden + "}",
		"timeout: {" + hidden + "}", "secret: \"" + hidden + "\\n\"", "\tsecret: " + hidden, "secret: \"" + hidden + "\xff\"",
	} {
		t.Run(line, func(t *testing.T) {
			_, err := decode("peers:\n    - name: r1\n      "+line+"\n", ".")
			if err == nil {
				t.Fatal("is accepted")
			}
			if strings.Contains(err.Error(), "unter2") {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}
