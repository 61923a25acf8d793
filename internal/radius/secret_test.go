package radius

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSecretIsNotPrinted: no verb, no encoder and no handler prints a secret.
func TestSecretIsNotPrinted(t *testing.T) {
	const secret = Secret("xyzzy")
	spellings := []string{"xyzzy", fmt.Sprintf("%x", "xyzzy"), fmt.Sprintf("%X", "xyzzy"), fmt.Sprintf("% x", "xyzzy"), fmt.Sprint([]byte("xyzzy"))}
	nested := struct {
		Name   string
		Secret Secret
	}{"a", secret}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%10s", "%T %v"} {
		printed[verb] = fmt.Sprintf(verb, secret)
		printed[verb+" nested"] = fmt.Sprintf(verb, nested)
		printed[verb+" pointer"] = fmt.Sprintf(verb, &nested)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "secret", secret, "nested", nested)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "secret", secret, "nested", nested)
	printed["slog"] = log.String()
	b, err := json.Marshal(nested)
	if err != nil {
		t.Fatal(err)
	}
	printed["json"] = string(b)
	for how, text := range printed {
		for _, s := range spellings {
			if strings.Contains(text, s) {
				t.Errorf("%s: %q", how, text)
			}
		}
	}
	if got := fmt.Sprintf("%x", secret); got != redacted {
		t.Errorf("%%x prints %q", got)
	}
}
